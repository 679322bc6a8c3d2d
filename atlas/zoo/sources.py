"""Where architectures come from: a ModelConfig in; out a model, random from its seed, and what its source knows of it.

Every source gives an Architecture, so that no other code has to tell torchvision's models from timm's.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Architecture,
    Preprocessing,
    configured,
    no_class_names,
    unknown_model,
)
from atlas.zoo.drawings import CLASSES
from atlas.zoo.efficientnet_lite import ENTRIES, efficientnet_lite_architecture
from atlas.zoo.factory import call_factory
from atlas.zoo.from_timm import timm_architecture, timm_module
from atlas.zoo.from_torchvision import knows_tag, torchvision_architecture, torchvision_names
from atlas.zoo.patternnet import MEAN, STD, WEIGHTS, patternnet
from atlas.zoo.statefile import read_state
from atlas.zoo.weights import fill


def architecture(name: str, config: ModelConfig) -> Architecture:
    """The architecture that `models.<name>` names; ConfigError where a name or a value is wrong."""
    if config.source not in SOURCES:
        raise ConfigError([f"models.{name}.source={config.source!r}: {nearest(config.source, SOURCES)}"])
    return configured(name, config, SOURCES[config.source](name, config))


def _from_torchvision(name: str, config: ModelConfig) -> Architecture:
    if (config.entry or name).partition(".")[0] not in torchvision_names():
        raise unknown_model(name, config, "torchvision", [*torchvision_names(), *_OTHERS])
    return torchvision_architecture(name, config)


def _from_timm(name: str, config: ModelConfig) -> Architecture:
    timm = timm_module(f"models.{name}.source={config.source}")
    if not timm.is_model(config.entry or name):
        raise unknown_model(name, config, "timm", [*timm.list_models(), *_OTHERS])
    return timm_architecture(name, config)


def _from_efficientnet_lite(name: str, config: ModelConfig) -> Architecture:
    if (config.entry or name) not in ENTRIES:
        raise unknown_model(name, config, "efficientnet_lite", ENTRIES)
    return efficientnet_lite_architecture(name, config)


def _from_patternnet(name: str, config: ModelConfig) -> Architecture:
    bare = partial(patternnet, **config.kwargs)
    preprocessing = Preprocessing(MEAN, STD, 64, 64, "bilinear")

    def pretrained() -> nn.Module:
        setting = f"models.{name}.weights=default"
        return fill(setting, bare(), read_state(setting, WEIGHTS))

    return Architecture(
        "patternnet", "patternnet", preprocessing, bare, pretrained, lambda count: CLASSES, lambda: WEIGHTS
    )


def _from_custom(name: str, config: ModelConfig) -> Architecture:
    preprocessing = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, 224, 224, "bilinear")
    build = partial(call_factory, name, config.factory, dict(config.kwargs))
    return Architecture("custom", str(config.factory), preprocessing, build, build, no_class_names, lambda: None)


def _from_any(name: str, config: ModelConfig) -> Architecture:
    entry = config.entry or name
    if entry in ENTRIES:
        return efficientnet_lite_architecture(name, config)
    if knows_tag(entry):
        return torchvision_architecture(name, config)
    try:
        timm = timm_module(f"models.{name}={entry!r} is not in torchvision")
    except ConfigError as error:
        unknown = unknown_model(name, config, "torchvision", [*torchvision_names(), *_OTHERS])
        raise ConfigError([*unknown.mistakes, *error.mistakes]) from None
    if timm.is_model(entry):
        return timm_architecture(name, config)
    raise unknown_model(name, config, "torchvision or timm", [*torchvision_names(), *timm.list_models(), *_OTHERS])


_OTHERS = (*ENTRIES, "patternnet", "custom")  # named in conf/, beside whatever torchvision and timm have

SOURCES: dict[str, Callable[[str, ModelConfig], Architecture]] = {
    "torchvision": _from_torchvision,
    "timm": _from_timm,
    "efficientnet_lite": _from_efficientnet_lite,
    "patternnet": _from_patternnet,
    "custom": _from_custom,
    "any": _from_any,
}
