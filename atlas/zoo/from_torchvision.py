"""torchvision's models: an entry in; out its architecture, preprocessing, weights and class names."""

import inspect
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import IMAGENET_MEAN, IMAGENET_STD, Architecture, Preprocessing, fetched, no_weights
from atlas.zoo.torchvision_ops import torchvision
from atlas.zoo.weights import AUX

# Pretrained GoogLeNet and InceptionV3 take ImageNet-normalised input and renormalise inside, for Google's weights
# were trained with mean and deviation 0.5. torchvision switches that on by the act of loading; here it is always on,
# so that weights from a file, and no weights, see what the pretrained model sees.
_RENORMALISES = {"transform_input": True, "init_weights": False}
_FIXED = {"googlenet": _RENORMALISES, "inception_v3": _RENORMALISES}


def torchvision_architecture(name: str, config: ModelConfig) -> Architecture:
    """The architecture of a name that `torchvision_names` lists; ConfigError where it has no weights of its tag."""
    entry = config.entry or name
    base = entry.partition(".")[0]
    weights = _published(name, entry)
    bare = partial(_bare, base, _kwargs(entry, config))
    pretrained = partial(_pretrained, name, config, base)
    names = partial(_class_names, weights)
    file = partial(_cached, weights)
    return Architecture("torchvision", base, _preprocessing_of(weights), bare, pretrained, names, file)


def knows_tag(entry: str) -> bool:
    """Whether torchvision has the architecture of an entry, and weights of its tag if it has one."""
    base, _, tag = entry.partition(".")
    return base in torchvision_names() and (not tag or tag in torchvision().models.get_model_weights(base).__members__)


def torchvision_names() -> list[str]:
    """The names of all models that take one picture and give maps of it."""
    models = torchvision().models  # detection, video and optical flow do not take one picture and give maps of it
    return [name for part in (models, models.segmentation) for name in models.list_models(module=part)]


def _published(name: str, entry: str) -> Any | None:
    """The member of the weights enum that `resnet50` or `resnet50.IMAGENET1K_V1` means; None where there are none.

    ConfigError: the architecture has no weights of that tag. ValueError: torchvision has no such architecture.
    """
    base, _, tag = entry.partition(".")
    members = torchvision().models.get_model_weights(base).__members__
    if tag and tag not in members:
        raise ConfigError([f"models.{name}.entry={entry!r}: {base} has no weights {tag!r}; {nearest(tag, members)}"])
    return members.get(tag or "DEFAULT")


def _kwargs(entry: str, config: ModelConfig) -> dict[str, Any]:
    """The arguments of torchvision's constructor, with weights and without."""
    return {**_FIXED.get(entry.partition(".")[0], {}), **config.kwargs}


def _preprocessing_of(weights: Any | None) -> Preprocessing:
    """The preprocessing of torchvision's weights; without any, the one that its classifiers share."""
    preset = weights.transforms() if weights is not None else None
    resize = getattr(preset, "resize_size", [256])[0]
    size = getattr(preset, "crop_size", [224 if preset is None else resize])[0]  # for segmentation nothing is cut off
    mean, std = getattr(preset, "mean", IMAGENET_MEAN), getattr(preset, "std", IMAGENET_STD)
    return Preprocessing(mean, std, size, resize, preset.interpolation.value if preset is not None else "bilinear")


def _bare(base: str, kwargs: dict[str, Any]) -> nn.Module:
    builder = torchvision().models.get_model_builder(base)
    if "weights_backbone" in inspect.signature(builder).parameters:  # segmentation: its default is a download
        kwargs = {"weights_backbone": None, **kwargs}
    return _without_aux(builder(weights=None, **kwargs), kwargs)


def _without_aux(model: nn.Module, kwargs: dict[str, Any]) -> nn.Module:
    """Drop the heads for training only, as torchvision does after loading, unless `kwargs` asks for them."""
    if kwargs.get("aux_logits") or kwargs.get("aux_loss"):
        return model
    for head in AUX:
        if isinstance(getattr(model, head, None), nn.Module):
            setattr(model, head, None)
            model.aux_logits = False  # pyrefly: ignore[bad-argument-type]
    return model


def _pretrained(name: str, config: ModelConfig, base: str) -> nn.Module:
    weights = _published(name, config.entry or name)
    if weights is None:
        raise no_weights(name, "torchvision", base)
    kwargs = _kwargs(base, config)
    build = partial(torchvision().models.get_model, base, weights=weights, **kwargs)
    return _without_aux(fetched(name, config, _cached(weights), build), kwargs)


def _cached(weights: Any) -> Path:
    """Where torch's hub keeps published weights once they have been fetched."""
    return Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])


def _class_names(weights: Any | None, count: int) -> Sequence[str] | None:
    return None if weights is None else weights.meta.get("categories")
