"""How images are made: objectives, params, transforms, priors, octaves and the loop. Knows no model names and no files.

For objectives of one's own: `from atlas.optvis import channel, direction, neuron`; they add, subtract and scale.
"""

from atlas.optvis.objectives import Objective, channel, direction, neuron, row

__all__ = ["Objective", "channel", "direction", "neuron", "row"]
