"""How the colours of natural pictures vary together: lucid's figures, from ImageNet; to RGB from uncorrelated colours."""

CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
