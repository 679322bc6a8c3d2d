"""What must come out is known here beforehand: the package's own code against it,
on the machine that asks.
"""
