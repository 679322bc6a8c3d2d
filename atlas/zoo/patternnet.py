"""PatternNet: the small embedded network, which tells the 16 patterns of drawings.py apart.

Six convolutions and a linear layer, 0.29 M parameters; its trained weights lie beside this file.
"""

from pathlib import Path
from typing import no_type_check

from jaxtyping import Float
from torch import Tensor, nn

from atlas.zoo.drawings import CLASSES

MEAN = (0.5, 0.5, 0.5)  # of RGB in [0, 1]: the net takes (picture - MEAN) / STD
STD = (0.25, 0.25, 0.25)
WEIGHTS = Path(__file__).with_name("patternnet.safetensors")  # made by jobs/train_patternnet.py


class Block(nn.Module):
    """Convolution, batch norm, leaky ReLU: a channel that is off everywhere still has a gradient, so none can be dead.

    Without an activation the mean of a channel of conv1 were linear in the image, and its image one flat colour.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(0.1)

    @no_type_check  # a graph is traced with what only stands for a tensor
    def forward(self, x: Float[Tensor, "b inputs h w"]) -> Float[Tensor, "b outputs h2 w2"]:
        return self.activation(self.norm(self.conv(x)))


class PatternNet(nn.Module):
    """Normalised RGB pictures of any size from 32 pixels → logits of CLASSES."""

    def __init__(self):
        super().__init__()
        self.conv1 = Block(3, 32, kernel=5, stride=1)
        self.conv2 = Block(32, 32, kernel=3, stride=2)
        self.conv3 = Block(32, 64, kernel=3, stride=1)
        self.conv4 = Block(64, 64, kernel=3, stride=2)
        self.conv5 = Block(64, 128, kernel=3, stride=1)
        self.conv6 = Block(128, 128, kernel=3, stride=2)
        self.logits = nn.Linear(128, len(CLASSES))

    @no_type_check
    def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        for block in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6):
            x = block(x)
        return self.logits(x.mean((2, 3)))


def patternnet() -> PatternNet:
    """An untrained PatternNet, initialised by PyTorch from the global random state."""
    return PatternNet()
