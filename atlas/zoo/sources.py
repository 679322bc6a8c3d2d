"""Where architectures come from: a ModelConfig in; out a model, random from its seed, and its preprocessing.

Every source gives an Architecture, so that no other code has to tell torchvision's models from timm's.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.zoo.factory import call_factory
from atlas.zoo.patternnet import MEAN, STD, patternnet
from atlas.zoo.torchvision_ops import torchvision

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB in [0, 1], as torchvision's and most of timm's models are trained with
IMAGENET_STD = (0.229, 0.224, 0.225)
AUX = ("aux1", "aux2", "AuxLogits", "aux_classifier")  # torchvision's heads for training only

# Pretrained GoogLeNet and InceptionV3 take ImageNet-normalised input and renormalise inside, for Google's weights
# were trained with mean and deviation 0.5. torchvision switches that on by the act of loading; here it is always on,
# so that weights from a file, and no weights, see what the pretrained model sees.
_RENORMALISES = {"transform_input": True, "init_weights": False}
_FIXED = {"googlenet": _RENORMALISES, "inception_v3": _RENORMALISES}


class Preprocessing(NamedTuple):
    """How a picture becomes a model's input: it is resized, its middle cut out; then (image - mean) / std, of [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    input_size: int  # pixels, the side of the images that the model is evaluated with
    resize: int  # pixels of a picture's shorter side before the cut
    interpolation: str  # bilinear or bicubic
    squash: bool = False  # both sides become `resize`, whatever the picture's shape


@dataclass(frozen=True)
class Architecture:
    """A model without its weights; `bare()` builds it, on the meta device too under `torch.device("meta")`."""

    source: str  # torchvision, timm, patternnet or custom
    entry: str  # its name there
    preprocessing: Preprocessing
    bare: Callable[[], nn.Module]


def architecture(name: str, config: ModelConfig) -> Architecture:
    """The architecture that `models.<name>` names; ConfigError where a name or a value is wrong."""
    if config.source not in SOURCES:
        raise ConfigError([f"models.{name}.source={config.source!r}: {nearest(config.source, SOURCES)}"])
    return SOURCES[config.source](name, config)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random weights from `seed`; the global random state is afterwards as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reach the GPUs' generators
        yield


def torchvision_weights(name: str, entry: str) -> Any | None:
    """The member of the weights enum that `resnet50` or `resnet50.IMAGENET1K_V1` means; None where there are none.

    ConfigError: the architecture has no weights of that tag. ValueError: torchvision has no such architecture.
    """
    base, _, tag = entry.partition(".")
    members = torchvision.models.get_model_weights(base).__members__
    if tag and tag not in members:
        raise ConfigError([f"models.{name}.entry={entry!r}: {base} has no weights {tag!r}; {nearest(tag, members)}"])
    return members.get(tag or "DEFAULT")


def torchvision_kwargs(entry: str, config: ModelConfig) -> dict[str, Any]:
    """The arguments of torchvision's constructor, with weights and without."""
    return {**_FIXED.get(entry.partition(".")[0], {}), **config.kwargs}


def timm_module(setting: str) -> ModuleType:
    """The module timm; ConfigError, which says how to get it, where this extra is not installed.

    setting: how the error names what needs timm, as `models.mine.source=timm`.
    """
    try:
        # Imported here: timm is optional.
        import timm
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise ConfigError([f"{setting}: timm is not installed: pip install 'atlas[timm]'"]) from None
    return timm


def _from_torchvision(name: str, config: ModelConfig) -> Architecture:
    entry = config.entry or name
    base = entry.partition(".")[0]
    if base not in _torchvision_names():
        raise _unknown(name, config, "torchvision", [*_torchvision_names(), *_OTHERS])
    weights = torchvision_weights(name, entry)
    build = partial(_bare_torchvision, base, torchvision_kwargs(entry, config))
    return _architecture(name, config, "torchvision", base, _preprocessing_of(weights), build)


def _preprocessing_of(weights: Any | None) -> Preprocessing:
    """The preprocessing of torchvision's weights; without any, the one that its classifiers share."""
    preset = weights.transforms() if weights is not None else None
    resize = getattr(preset, "resize_size", [256])[0]
    size = getattr(preset, "crop_size", [224 if preset is None else resize])[0]  # for segmentation nothing is cut off
    mean, std = getattr(preset, "mean", IMAGENET_MEAN), getattr(preset, "std", IMAGENET_STD)
    return Preprocessing(mean, std, size, resize, preset.interpolation.value if preset is not None else "bilinear")


def _bare_torchvision(base: str, kwargs: dict[str, Any]) -> nn.Module:
    builder = torchvision.models.get_model_builder(base)
    if "weights_backbone" in inspect.signature(builder).parameters:  # segmentation: its default is a download
        kwargs = {"weights_backbone": None, **kwargs}
    return without_aux(builder(weights=None, **kwargs), kwargs)


def without_aux(model: nn.Module, kwargs: dict[str, Any]) -> nn.Module:
    """Drop the heads for training only, as torchvision does after loading, unless `kwargs` asks for them."""
    if kwargs.get("aux_logits") or kwargs.get("aux_loss"):
        return model
    for head in AUX:
        if isinstance(getattr(model, head, None), nn.Module):
            setattr(model, head, None)
            model.aux_logits = False  # pyrefly: ignore[bad-argument-type]
    return model


def _from_timm(name: str, config: ModelConfig) -> Architecture:
    entry = config.entry or name
    timm = timm_module(f"models.{name}.source={config.source}")
    if not timm.is_model(entry):
        raise _unknown(name, config, "timm", [*timm.list_models(), *_OTHERS])
    try:
        published = timm.models.get_pretrained_cfg(entry)
    except RuntimeError as error:  # a tag that this architecture does not have
        tags = [tag for tag in timm.list_pretrained() if tag.startswith(f"{entry.partition('.')[0]}.")]
        raise ConfigError([f"models.{name}.entry={entry!r}: {error}; {nearest(entry, tags)}"]) from None
    options = {"in_chans": 3}
    if isinstance(config.kwargs.get("img_size"), int):
        options["img_size"] = config.kwargs["img_size"]
    data = timm.data.resolve_data_config(options, pretrained_cfg=published.to_dict() if published else {})
    size = data["input_size"][-1]
    resize = math.floor(size / data["crop_pct"])
    squash = data["crop_mode"] == "squash"
    preprocessing = Preprocessing(data["mean"], data["std"], size, resize, data["interpolation"], squash)
    build = partial(timm.create_model, entry, pretrained=False, **config.kwargs)
    return _architecture(name, config, "timm", entry.partition(".")[0], preprocessing, build)


def _from_patternnet(name: str, config: ModelConfig) -> Architecture:
    build = partial(patternnet, **config.kwargs)
    return _architecture(name, config, "patternnet", "patternnet", Preprocessing(MEAN, STD, 64, 64, "bilinear"), build)


def _from_custom(name: str, config: ModelConfig) -> Architecture:
    preprocessing = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, 224, 224, "bilinear")
    build = partial(call_factory, name, config.factory, dict(config.kwargs))
    return _architecture(name, config, "custom", str(config.factory), preprocessing, build)


def _from_any(name: str, config: ModelConfig) -> Architecture:
    entry = config.entry or name
    base, _, tag = entry.partition(".")
    if base in _torchvision_names() and (not tag or tag in torchvision.models.get_model_weights(base).__members__):
        return _from_torchvision(name, config)
    try:
        timm = timm_module(f"models.{name}={entry!r} is not in torchvision")
    except ConfigError as error:
        unknown = _unknown(name, config, "torchvision", [*_torchvision_names(), *_OTHERS])
        raise ConfigError([*unknown.mistakes, *error.mistakes]) from None
    if timm.is_model(entry):
        return _from_timm(name, config)
    raise _unknown(name, config, "torchvision or timm", [*_torchvision_names(), *timm.list_models(), *_OTHERS])


def _torchvision_names() -> list[str]:
    models = torchvision.models  # detection, video and optical flow do not take one picture and give maps of it
    return [name for part in (models, models.segmentation) for name in models.list_models(module=part)]


def _unknown(name: str, config: ModelConfig, where: str, allowed: Sequence[str]) -> ConfigError:
    setting = f"models.{name}" if config.entry is None else f"models.{name}.entry={config.entry!r}"
    entry = config.entry or name
    return ConfigError([f"{setting}: no model {entry!r} in {where}; {nearest(entry, allowed)}"])


def _architecture(
    name: str, config: ModelConfig, source: str, entry: str, own: Preprocessing, build: Callable[[], nn.Module]
) -> Architecture:
    """Override the source's own preprocessing by the config's, and give the source's code its seed and its errors."""
    mistakes = [
        f"models.{name}.{key}={value!r}: give three numbers, for red, green and blue{above}"
        for key, value, above in (("mean", config.mean, ""), ("std", config.std, ", above 0"))
        if value is not None and (len(value) != 3 or (above and min(value) <= 0))
    ]
    if config.input_size is not None and config.input_size < 1:
        mistakes.append(f"models.{name}.input_size={config.input_size}: give a number of pixels, 1 or more")
    if mistakes:
        raise ConfigError(mistakes)
    size = own.input_size if config.input_size is None else config.input_size
    preprocessing = own._replace(
        mean=tuple(own.mean if config.mean is None else config.mean),
        std=tuple(own.std if config.std is None else config.std),
        input_size=size,
        resize=own.resize * size // own.input_size,  # the same share of the picture is cut off
    )
    return Architecture(source, entry, preprocessing, partial(_build, name, config, build))


def _build(name: str, config: ModelConfig, build: Callable[[], nn.Module]) -> nn.Module:
    try:
        with seeded(config.seed):
            return build()
    except ConfigError:
        raise
    except Exception as error:  # other people's code, with the user's arguments: anything can come out of it
        what = f"models.{name} with models.{name}.kwargs={config.kwargs!r} cannot be built"
        raise ConfigError([f"{what}: {type(error).__name__}: {error}"]) from error


_OTHERS = ("patternnet", "custom")  # named in conf/, beside whatever torchvision and timm have

SOURCES: dict[str, Callable[[str, ModelConfig], Architecture]] = {
    "torchvision": _from_torchvision,
    "timm": _from_timm,
    "patternnet": _from_patternnet,
    "custom": _from_custom,
    "any": _from_any,
}
