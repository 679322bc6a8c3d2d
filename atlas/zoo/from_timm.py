"""timm's models: an entry in; out its architecture, preprocessing, weights and class names."""

import math
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from atlas.config.extras import install
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import Architecture, Preprocessing, fetched, no_weights
from atlas.zoo.compiler_later import compiler_later
from atlas.zoo.torchvision_ops import torchvision


def timm_module(setting: str) -> ModuleType:
    """The module timm; ConfigError, which says how to get it, where this extra is not installed.

    setting: how the error names what needs timm, as `models.mine.source=timm`.
    """
    torchvision()  # timm imports it, and may have to be helped as everybody
    try:
        # Imported here: timm is optional.
        with compiler_later():
            import timm
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise ConfigError([f"{setting}: timm is not installed: {install('timm')}"]) from None
    return timm


def timm_architecture(name: str, config: ModelConfig) -> Architecture:
    """The architecture of a name that timm knows; ConfigError where it has no weights of its tag."""
    entry = config.entry or name
    timm = timm_module(f"models.{name}.source={config.source}")
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
    bare = partial(timm.create_model, entry, pretrained=False, **config.kwargs)
    pretrained = partial(_pretrained, name, config)
    names = partial(_class_names, name, config)
    file = partial(_cached, published)
    return Architecture("timm", entry.partition(".")[0], preprocessing, bare, pretrained, names, file)


def _pretrained(name: str, config: ModelConfig) -> nn.Module:
    entry = config.entry or name
    timm = timm_module(f"models.{name}.source={config.source}")
    published = timm.models.get_pretrained_cfg(entry)
    if published is None or not published.has_weights:
        raise no_weights(name, "timm", entry.partition(".")[0])
    build = partial(timm.create_model, entry, pretrained=True, **config.kwargs)
    cached = _cached(published)
    if _is_on_hub(published) and published.hf_hub_filename is None and cached.is_file():
        # a file at hand is taken without asking the hub, which takes a minute without internet
        build = partial(build, pretrained_cfg_overlay={"file": str(cached), "custom_load": False})
    return fetched(name, config, cached, build)


def _is_on_hub(published: Any) -> bool:
    return bool(published.hf_hub_id and published.source is None)


def _cached(published: Any) -> Path:
    """Where published weights are kept once they have been fetched; the folder that they will be in, where they are not."""
    if _is_on_hub(published):
        return _hub_cache(published.hf_hub_id, published.hf_hub_filename)
    return Path(torch.hub.get_dir(), "checkpoints", os.path.basename(published.url or published.file))


def _hub_cache(hub_id: str, filename: str | None) -> Path:
    """The file in which the hub's client keeps a model, or the folder in which it would."""
    # Imported here: it comes with timm, which is optional.
    from huggingface_hub import constants, try_to_load_from_cache

    repository, _, revision = hub_id.partition("@")
    if filename is None:
        for candidate in ("model.safetensors", "pytorch_model.bin"):
            file = try_to_load_from_cache(repository, candidate, revision=revision or None)
            if isinstance(file, str):
                return Path(file)
    return Path(constants.HF_HUB_CACHE, "models--" + repository.replace("/", "--"))


def _class_names(name: str, config: ModelConfig, count: int) -> Sequence[str] | None:
    """ImageNet's names, where the published weights have `count` outputs, which tells the subset of ImageNet."""
    timm = timm_module(f"models.{name}.source={config.source}")
    published = timm.models.get_pretrained_cfg(config.entry or name)
    subset = timm.data.infer_imagenet_subset({"num_classes": count})
    if published is None or published.num_classes != count or subset is None:
        return None
    return timm.data.ImageNetInfo(subset).label_descriptions()
