"""A network of one's own that naps at every step, as long as a file is there: work that lasts, and takes no processor."""

from pathlib import Path

NET = """
import os
import time

import torch
from torch import nn

NAP = "{nap}"


class Nap(torch.autograd.Function):
    @staticmethod
    def forward(ctx, maps):
        return maps.clone()

    @staticmethod
    def backward(ctx, grad):
        if os.path.exists(NAP):
            time.sleep(0.1)
        return grad


class Napping(nn.Module):
    def forward(self, maps):
        return Nap.apply(maps)


def net():
    return nn.Sequential(nn.Conv2d(3, 64, 3), Napping())
"""


def napping(folder: Path) -> tuple[str, ...]:
    """Write the network into a folder that is to be on PYTHONPATH; the words by which a job looks at it, ten steps an image."""
    (folder / "napping_net.py").write_text(NET.format(nap=folder / "nap"))
    (folder / "nap").touch()
    octave = "recipe.octaves=[{size: 24, steps: 10, lr: [0.1, 0.1]}]"
    model = ("model=custom", "model.factory=napping_net:net", "model.weights=none", "model.input_size=32")
    return (*model, "layers=['1']", "recipe=quick", octave, "cluster.batch=2", "cluster.shard_seconds=1")
