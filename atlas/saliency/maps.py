"""Saliency maps: how much each pixel of a picture matters to one class (Simonyan, Vedaldi, Zisserman 2013, eq. 3-5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from atlas.optvis.gradients import gradient_of


@dataclass(frozen=True)
class SaliencyMaps:
    """The maps of a batch of images, and what the model says of them."""

    maps: Float[Tensor, "b h w"]  # in [0, 1]
    categories: Int[Tensor, " b"]  # the class that each is of
    scores: Float[Tensor, " b"]  # its logit
    probabilities: Float[Tensor, " b"]  # the same after softmax; no map depends on it
    predicted: Bool[Tensor, " b"]  # whether it is the one with the highest logit
    status: list[str]  # ok; flat: all pixels matter alike, mostly not at all, and the map is 0; nonfinite: no map


def saliency(
    model_logits: Callable[[Tensor], Tensor],
    images: Float[Tensor, "b c h w"],
    categories: Int[Tensor, " b"] | None = None,
) -> SaliencyMaps:
    """M_ij = max over colours of |∂ logit_c / ∂ image|, min-max scaled image by image, as the lab's get_saliency_map.

    images: as the model takes them, normalised. categories: c of each; None: the predicted one. An image's map is the
    same alone and in a batch, for its logit depends on no other image. NoGradient: the logits hang on no image.
    """
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        logits = model_logits(leaf.clone()).float()  # a copy, for a model may begin by writing into its input
        best = logits.detach().argmax(1)
        categories = best if categories is None else categories
        scores = logits.gather(1, categories[:, None]).squeeze(1)
        gradient = gradient_of(scores, leaf)
    maps, status = scaled(gradient.abs().amax(1), scores)
    probabilities = logits.detach().softmax(1).gather(1, categories[:, None]).squeeze(1)
    return SaliencyMaps(maps, categories, scores.detach(), probabilities, best == categories, status)


def scaled(raw: Float[Tensor, "b h w"], scores: Float[Tensor, " b"]) -> tuple[Float[Tensor, "b h w"], list[str]]:
    """Each map with its least value at 0 and its greatest at 1; 0 where they are equal. Its status, as SaliencyMaps'."""
    least, most = raw.amin((1, 2), keepdim=True), raw.amax((1, 2), keepdim=True)
    span = most - least
    maps = torch.where(span > 0, (raw - least) / span, 0)
    finite = scores.isfinite() & span.flatten().isfinite()
    pairs = zip(finite.tolist(), (span > 0).flatten().tolist(), strict=True)
    return maps, [("ok" if spread else "flat") if fine else "nonfinite" for fine, spread in pairs]


def overlay(
    picture: UInt8[np.ndarray, "h w 3"], gray: UInt8[np.ndarray, "h w"], shares: Sequence[float]
) -> UInt8[np.ndarray, "h w 3"]:
    """shares[0] of the picture and shares[1] of its map, bit by bit as OpenCV's addWeighted.

    That is one fused multiplication and addition in float32, rounded half to even, and kept within 0 to 255.
    """
    first, second = (np.float64(np.float32(share)) for share in shares)
    weighted = (gray * second).astype(np.float32)[:, :, None]
    total = (picture * first + weighted).astype(np.float32)  # in float64 the product is exact: rounded once, here
    return np.rint(total).clip(0, 255).astype(np.uint8)


def to_gray(saliency_map: Float[Tensor, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """A map as bytes, cut off and not rounded: the lab's `(map * 255).astype("uint8")`."""
    return (saliency_map * 255).cpu().numpy().astype(np.uint8)
