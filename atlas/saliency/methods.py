"""How much each pixel matters to a class: a model, images and classes in; one raw map an image out, by several methods.

Each map is the same alone and in a batch: what a method draws at random, and what it averages, is an image's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency
from jaxtyping import Float, Int
from torch import Tensor

from atlas.saliency.cam_layer import GradientPass
from atlas.zoo.load import Loaded

SEED = 0  # of the noise of every image
SAMPLING = frozenset({"smoothgrad", "integrated_gradients"})  # many samples of each picture
CAP = 0.99  # of the values: what is above shows as this much (Smilkov and others 2017, section 3.1)
Images = Float[Tensor, "b c h w"]
Maps = Float[Tensor, "b h w"]


@dataclass(frozen=True)
class Settings:
    """What methods are told beside the images."""

    layer: str | None  # grad_cam: whose maps are read
    samples: int  # smoothgrad: noisy pictures; integrated_gradients: points on the way from black
    noise: float  # smoothgrad: deviation, in parts of a picture's range
    at_once: int  # of the samples


def smoothgrad(loaded: Loaded, images: Images, categories: Int[Tensor, " b"], settings: Settings) -> Maps:
    """The largest colour of |mean gradient of the logit over noisy copies| (Smilkov and others 2017), by captum.

    The noise is normal, with a deviation of `noise` of the preprocessed picture's range.
    """
    tunnel = NoiseTunnel(Saliency(_on_a_copy(loaded)))

    def smooth(image: Images, category: int) -> Tensor:
        deviation = settings.noise * float(image.max() - image.min())
        with _own_randomness(image.device):
            mean: Any = tunnel.attribute(
                image,
                nt_samples=settings.samples,
                nt_samples_batch_size=settings.at_once,
                stdevs=deviation,
                target=category,
                abs=False,
            )
        return mean

    return capped(_each(smooth, images, categories).abs().amax(1))


def integrated_gradients(loaded: Loaded, images: Images, categories: Int[Tensor, " b"], settings: Settings) -> Maps:
    """|what each pixel adds to the logit on the straight way from black| (Sundararajan and others 2017), by captum.

    Before the modulus the values of a picture add up to its logit less that of black.
    """
    method = IntegratedGradients(_on_a_copy(loaded))
    black = loaded.preprocess(torch.zeros_like(images[:1]))

    def integrate(image: Images, category: int) -> Tensor:
        return method.attribute(
            image.requires_grad_(),
            baselines=black,
            target=category,
            n_steps=settings.samples,
            internal_batch_size=settings.at_once,
        )

    return capped(_each(integrate, images, categories).sum(1).abs())


def grad_cam(loaded: Loaded, images: Images, categories: Int[Tensor, " b"], settings: Settings) -> Maps:
    """ReLU of a layer's maps, each weighted by its mean gradient, enlarged to the image (Selvaraju and others 2017, eq. 1-2).

    Not by captum, which takes a transformer's tokens for channels; on maps (b, c, h, w) it gives the same.
    """
    assert settings.layer is not None, "`cam_layer` chooses one"
    gradient_pass = GradientPass(loaded, [settings.layer], images)
    scores = gradient_pass.logits.gather(1, categories[:, None]).squeeze(1)
    weights = gradient_pass.gradients(scores)[settings.layer].mean((2, 3), keepdim=True)
    coarse = (weights * gradient_pass.map(settings.layer)).sum(1, keepdim=True).relu()
    return F.interpolate(coarse, size=images.shape[-2:], mode="bilinear", align_corners=False).squeeze(1)


def capped(maps: Maps) -> Maps:
    """Each map with its few largest values cut down, but for one that is 0 nearly everywhere."""
    values = maps.flatten(1)
    place = ceil(CAP * values.shape[1])
    cap, least = values.kthvalue(place, dim=1).values, values.amin(1)
    cap = torch.where(cap > least, cap, values.amax(1))
    return torch.minimum(maps, cap[:, None, None])


def _on_a_copy(loaded: Loaded) -> Callable[[Images], Float[Tensor, "b classes"]]:
    """A model for captum, whose input must stay as it is: some models begin by writing into theirs."""
    return lambda images: loaded.logits(images.clone())


def _each(method: Callable[[Images, int], Tensor], images: Images, categories: Int[Tensor, " b"]) -> Images:
    """One image at a time: captum draws noise for a whole batch, and has one deviation for it."""
    alone = [
        method(image.detach().clone()[None], category)
        for image, category in zip(images, categories.tolist(), strict=True)
    ]
    return torch.cat(alone).detach()


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    """The same random numbers each time, which captum takes from torch's own; afterwards those go on as before."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(SEED)
        yield


# beside the plain gradient, which `maps.saliency` gives with the scores
METHODS: dict[str, Callable[[Loaded, Images, Int[Tensor, " b"], Settings], Maps]] = {
    "smoothgrad": smoothgrad,
    "integrated_gradients": integrated_gradients,
    "grad_cam": grad_cam,
}
