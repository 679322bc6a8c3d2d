"""Weights: an Architecture and a config in, a model that holds the weights asked for out; and the digest of all that.

`default` is what the source itself loads, from its own cache; `none` is random from the seed; anything else is a file.
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
    place = f"models.{name}.weights={config.weights}"
    state = read_state(place, Path(config.weights).expanduser())
    return fill(place, architecture.bare(), state)


def weights_label(config: ModelConfig) -> str:
    """Where the weights came from, for people."""
    match config.weights:
        case "none":
            return f"none(seed {config.seed})"
        case "default":
            return "default"
    return Path(config.weights).name


def fill(place: str, model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Copy a state dict into a model, all of it or nothing; ConfigError says how it differs from the model's own."""
    own = model.state_dict()
    state = {k: v for k, v in state.items() if k in own or not k.startswith(tuple(f"{head}." for head in AUX))}
    other = [k for k in state if k in own and state[k].shape != own[k].shape]
    differences = {
        "missing": [k for k in own if k not in state and not k.endswith(IDLE)],
        "unexpected": [k for k in state if k not in own],
        "of another shape": [f"{k} {tuple(state[k].shape)} for {tuple(own[k].shape)}" for k in other],
    }
    told = "; ".join(f"{len(keys)} {what} ({_examples(keys)})" for what, keys in differences.items() if keys)
    if told:
        what = f"{place}: these are weights of another model than {type(model).__name__}"
        raise ConfigError([f"{what}, which has {len(own)} keys: {told}"])
    model.load_state_dict(state, strict=False)
    return model


def digest(state: Mapping[str, Tensor], architecture: Architecture, kwargs: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of everything of a model that reaches a pixel: architecture, arguments, preprocessing and
    state dict, wherever that came from and however it lies in memory."""
    known = architecture.preprocessing
    head = [architecture.source, architecture.entry, dict(kwargs), list(known.mean), list(known.std)]
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
    known = timm.models.get_pretrained_cfg(entry)
    if known is None or not known.has_weights:
        raise _none_exist(name, architecture)
    build = partial(timm.create_model, entry, pretrained=True, **config.kwargs)
    if known.hf_hub_id and known.source is None:
        cached, overlay = _hub_cache(known.hf_hub_id, known.hf_hub_filename)
        if overlay:  # a file at hand is taken without asking the hub, which takes a minute without internet
            build = partial(build, pretrained_cfg_overlay=overlay)
    else:
        cached = Path(torch.hub.get_dir(), "checkpoints", os.path.basename(known.url or known.file))
    return _load(name, config, cached, build)


def _hub_cache(hub_id: str, filename: str | None) -> tuple[Path, dict[str, Any]]:
    """Where the hub's client keeps a model (a folder), and what makes timm read from there if it is there already."""
    from huggingface_hub import constants, try_to_load_from_cache

    repository, _, revision = hub_id.partition("@")
    if filename is None:
        for candidate in ("model.safetensors", "pytorch_model.bin"):
            found = try_to_load_from_cache(repository, candidate, revision=revision or None)
            if isinstance(found, str):
                return Path(found), {"file": found, "custom_load": False}
    return Path(constants.HF_HUB_CACHE, "models--" + repository.replace("/", "--")), {}


def _default_patternnet(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    place = f"models.{name}.weights=default"
    return fill(place, architecture.bare(), read_state(place, WEIGHTS))


def _as_built(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    return architecture.bare()


def _load(name: str, config: ModelConfig, cached: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Run a source's own loader, and turn what can go wrong into what a user can do."""
    place = f"models.{name}.weights={config.weights}"
    try:
        with seeded(config.seed):
            return build()
    except Exception as error:  # other people's code: anything can come out of it
        if isinstance(error, OSError) and not cached.is_file():  # no network, no such host, refused, offline mode
            why = f"{place}: {cached.name} is not in {cached.parent}, and fetching it failed ({type(error).__name__})"
            file, none = f"models.{name}.weights=FILE", f"models.{name}.weights=none (random, from models.{name}.seed)"
            ways = f"put it there, from a machine that has it; or {file}; or {none}"
            raise ConfigError([f"{why}. Three ways on: {ways}"]) from error
        hint = f"; if {cached} is broken, remove it, and it is fetched again" if cached.exists() else ""
        what = f"with models.{name}.kwargs={config.kwargs!r} it cannot be loaded"
        raise ConfigError([f"{place}: {what}: {type(error).__name__}: {error}{hint}"]) from error


def _none_exist(name: str, architecture: Architecture) -> ConfigError:
    what = f"models.{name}.weights=default: {architecture.source} has no weights of {architecture.entry}"
    return ConfigError([f"{what}; give models.{name}.weights=FILE, or models.{name}.weights=none"])


DEFAULTS: dict[str, Callable[[str, ModelConfig, Architecture], nn.Module]] = {
    "torchvision": _default_torchvision,
    "timm": _default_timm,
    "patternnet": _default_patternnet,
    "custom": _as_built,
}
