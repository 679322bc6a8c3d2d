"""Which numbers an image is made of, in one place: how noise or a picture enters, what is fed, and what is shown as RGB."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Change = Callable[[Tensor], Tensor]  # (b, c, h, w) -> (b, c, h, w)


@dataclass(frozen=True)
class Space:
    """The range that images are optimised in."""

    enter: Change  # RGB in [0, 1] → the image
    feed: Change  # the image → what the model takes
    show: Change  # the image → RGB in [0, 1]

    def gray(self, value: float, like: Tensor) -> Float[Tensor, "c 1 1"]:
        """A shade of gray as the image has it."""
        return self.enter(torch.full((1, like.shape[-3], 1, 1), value).to(like))[0]


# mean 0 and deviation 1, (2, c, 1, 1): of a model that takes RGB in [0, 1] as it is
UNSCALED = torch.tensor([[0.0] * 3, [1.0] * 3])[:, :, None, None]


def space_of(name: str, scale: Float[Tensor, "2 c 1 1"]) -> Space:
    """`rgb`: in [0, 1], normalised when fed; `model`: normalised already; `raw`: fed as it is. scale: mean, deviation."""

    def normalise(images: Tensor) -> Tensor:
        mean, deviation = scale.to(images)
        return (images - mean) / deviation

    def undo(images: Tensor) -> Tensor:
        mean, deviation = scale.to(images)
        return images * deviation + mean

    return {
        "raw": RAW,
        "rgb": Space(_same, normalise, _same),
        "model": Space(normalise, _same, undo),
    }[name]


def _same(images: Tensor) -> Tensor:
    return images


RAW = Space(_same, _same, _same)
