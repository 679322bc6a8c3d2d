"""Weights: an Architecture and a config in; out a model that holds the weights asked for, and its digest.

`default`: what the source itself loads, from its own cache; `none`: random from the seed; else a file.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.patternnet import WEIGHTS
from atlas.zoo.sources import (
    AUX,
    Architecture,
    seeded,
    timm_module,
    torchvision_kwargs,
    torchvision_weights,
    without_aux,
)
from atlas.zoo.statefile import read_state
from atlas.zoo.torchvision_ops import torchvision

IDLE = "num_batches_tracked"  # batch norm's counter: old files lack it, and no pixel depends on it


def weighted(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    """The model with the weights that `models.<name>.weights` names; ConfigError where they cannot be had."""
    match config.weights:
        case "none":
            return architecture.bare()
        case "default":
            return DEFAULTS[architecture.source](name, config, architecture)
    setting = f"models.{name}.weights={config.weights}"
    state = read_state(setting, Path(config.weights).expanduser())
    return fill(setting, architecture.bare(), state)


def weights_label(config: ModelConfig) -> str:
    """Where the weights came from, for people."""
    match config.weights:
        case "none":
            return f"none(seed {config.seed})"
        case "default":
            return "default"
    return Path(config.weights).name


def fill(setting: str, model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Copy a state dict into a model, all of it or nothing; ConfigError says how it differs from the model's own.

    setting: how errors name the weights, as `models.mine.weights=mine.pt`.
    """
    own = model.state_dict()
    heads = tuple(f"{head}." for head in AUX)
    state = {key: value for key, value in state.items() if key in own or not key.startswith(heads)}
    reshaped = [key for key in state if key in own and state[key].shape != own[key].shape]
    differences = {
        "missing": [key for key in own if key not in state and not key.endswith(IDLE)],
        "unexpected": [key for key in state if key not in own],
        "of another shape": [f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}" for key in reshaped],
    }
    listing = "; ".join(f"{len(keys)} {what} ({_examples(keys)})" for what, keys in differences.items() if keys)
    if listing:
        what = f"{setting}: these are weights of another model than {type(model).__name__}"
        raise ConfigError([f"{what}, which has {len(own)} keys: {listing}"])
    model.load_state_dict(state, strict=False)
    return model


def digest(state: Mapping[str, Tensor], architecture: Architecture, kwargs: Mapping[str, Any]) -> str:
    """Hash everything of a model that reaches a pixel, in 16 hexadecimal digits.

    That is its architecture, arguments, mean, deviation and state dict, wherever this came from and however it lies
    in memory.
    """
    preprocessing = architecture.preprocessing
    scale = [list(preprocessing.mean), list(preprocessing.std)]
    head = [architecture.source, architecture.entry, dict(kwargs), *scale]
    total = hashlib.blake2b(json.dumps(head, sort_keys=True, default=str).encode(), digest_size=8)
    for key in sorted(state):
        if key.endswith(IDLE):
            continue
        values = state[key].detach().cpu().contiguous()
        total.update(f"{key} {values.dtype} {tuple(values.shape)}".encode())
        total.update(values.reshape(-1).view(torch.uint8).numpy().data)  # numpy has no bfloat16, but bytes
    return total.hexdigest()


def _examples(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", …" if len(keys) > 3 else "")


def _default_torchvision(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    weights = torchvision_weights(name, config.entry or name)
    if weights is None:
        raise _none_exist(name, architecture)
    kwargs = torchvision_kwargs(architecture.entry, config)
    build = partial(torchvision.models.get_model, architecture.entry, weights=weights, **kwargs)
    cached = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
    return without_aux(_load(name, config, cached, build), kwargs)


def _default_timm(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    entry = config.entry or name
    timm = timm_module(f"models.{name}.source={config.source}")
    published = timm.models.get_pretrained_cfg(entry)
    if published is None or not published.has_weights:
        raise _none_exist(name, architecture)
    build = partial(timm.create_model, entry, pretrained=True, **config.kwargs)
    if published.hf_hub_id and published.source is None:
        cached, overlay = _hub_cache(published.hf_hub_id, published.hf_hub_filename)
        if overlay:  # a file at hand is taken without asking the hub, which takes a minute without internet
            build = partial(build, pretrained_cfg_overlay=overlay)
    else:
        cached = Path(torch.hub.get_dir(), "checkpoints", os.path.basename(published.url or published.file))
    return _load(name, config, cached, build)


def _hub_cache(hub_id: str, filename: str | None) -> tuple[Path, dict[str, Any]]:
    """Where the hub's client keeps a model, and the overlay that makes timm read a file that is there already.

    The path is that file, or the folder in which the client would keep it.
    """
    # Imported here: it comes with timm, which is optional.
    from huggingface_hub import constants, try_to_load_from_cache

    repository, _, revision = hub_id.partition("@")
    if filename is None:
        for candidate in ("model.safetensors", "pytorch_model.bin"):
            file = try_to_load_from_cache(repository, candidate, revision=revision or None)
            if isinstance(file, str):
                return Path(file), {"file": file, "custom_load": False}
    return Path(constants.HF_HUB_CACHE, "models--" + repository.replace("/", "--")), {}


def _default_patternnet(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    setting = f"models.{name}.weights=default"
    return fill(setting, architecture.bare(), read_state(setting, WEIGHTS))


def _as_built(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    return architecture.bare()


def _load(name: str, config: ModelConfig, cached: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Run a source's own loader; a ConfigError says what a user can do about its failure."""
    setting = f"models.{name}.weights={config.weights}"
    try:
        with seeded(config.seed):
            return build()
    except Exception as error:  # other people's code: anything can come out of it
        if isinstance(error, OSError) and not cached.is_file():  # no network, no such host, refused, offline mode
            why = f"{setting}: {cached.name} is not in {cached.parent}, and fetching it failed ({type(error).__name__})"
            file, none = f"models.{name}.weights=FILE", f"models.{name}.weights=none (random, from models.{name}.seed)"
            ways = f"put it there, from a machine that has it; or {file}; or {none}"
            raise ConfigError([f"{why}. Three ways on: {ways}"]) from error
        hint = f"; if {cached} is broken, remove it, and it is fetched again" if cached.exists() else ""
        what = f"with models.{name}.kwargs={config.kwargs!r} it cannot be loaded"
        raise ConfigError([f"{setting}: {what}: {type(error).__name__}: {error}{hint}"]) from error


def _none_exist(name: str, architecture: Architecture) -> ConfigError:
    what = f"models.{name}.weights=default: {architecture.source} has no weights of {architecture.entry}"
    return ConfigError([f"{what}; give models.{name}.weights=FILE, or models.{name}.weights=none"])


DEFAULTS: dict[str, Callable[[str, ModelConfig, Architecture], nn.Module]] = {
    "torchvision": _default_torchvision,
    "timm": _default_timm,
    "patternnet": _default_patternnet,
    "custom": _as_built,
}
