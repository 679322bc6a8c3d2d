"""Weights: an Architecture and a config in; out a model that holds the weights asked for, and its digest.

`default`: what the source itself loads, from its own cache; `none`: random from the seed; else a file.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import Architecture
from atlas.zoo.state_keys import under_own_names
from atlas.zoo.statefile import read_state

AUX = ("aux1", "aux2", "AuxLogits", "aux_classifier")  # torchvision's heads for training only
IDLE = "num_batches_tracked"  # batch norm's counter: old files lack it, and no pixel depends on it


def weighted(name: str, config: ModelConfig, architecture: Architecture) -> nn.Module:
    """The model with the weights that `models.<name>.weights` names; ConfigError where they cannot be had."""
    match config.weights:
        case "none":
            return architecture.bare()
        case "default":
            return architecture.pretrained()
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


def weights_file(config: ModelConfig, architecture: Architecture) -> str | None:
    """The path of the file that `weighted` has read; None where there is none, or only the model's own code knows it."""
    match config.weights:
        case "none":
            return None
        case "default":
            file = architecture.file()
        case path:
            file = Path(path).expanduser()
    return None if file is None else str(file.absolute())


def fill(setting: str, model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Copy a state dict into a model, all of it or nothing; ConfigError says how it differs from the model's own.

    setting: how errors name the weights, as `models.mine.weights=mine.pt`.
    """
    own = model.state_dict()
    heads = tuple(f"{head}." for head in AUX)
    needed = [key for key, value in own.items() if isinstance(value, Tensor) and not key.endswith(IDLE)]
    state = under_own_names(state, needed)
    state = {key: value for key, value in state.items() if key in own or not key.startswith(heads)}
    reshaped = [key for key in state if isinstance(own.get(key), Tensor) and state[key].shape != own[key].shape]
    differences = {
        "missing": [key for key in needed if key not in state],
        "unexpected": [key for key in state if key not in own],
        "of another shape": [f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}" for key in reshaped],
    }
    listing = "; ".join(f"{len(keys)} {what} ({_examples(keys)})" for what, keys in differences.items() if keys)
    if listing:
        what = f"{setting}: these are weights of another model than {type(model).__name__}"
        raise ConfigError([f"{what}, which has {len(own)} keys: {listing}"])
    model.load_state_dict(state, strict=False)
    return model


def digest(state: Mapping[str, Any], architecture: Architecture, kwargs: Mapping[str, Any]) -> str:
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
        total.update(key.encode())
        for content in _content(state[key]):
            total.update(content)
    return total.hexdigest()


def _content(value: object) -> Iterator[bytes | memoryview]:
    """What of a state dict's value tells it from others. Quantised models keep types, numbers and tuples beside tensors."""
    if isinstance(value, Tensor):
        values = value.detach().cpu()
        if values.is_quantized:
            yield repr((values.qscheme(), values.dtype)).encode()
            values = values.dequantize()
        values = (values.to_dense() if values.layout != torch.strided else values).contiguous()
        yield f" {values.dtype} {tuple(values.shape)}".encode()
        yield values.reshape(-1).view(torch.uint8).numpy().data  # numpy has no bfloat16, but bytes
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _content(part)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield str(key).encode()
            yield from _content(value[key])
    else:
        # an object of another kind shows where it lies in memory: its type alone is the same each time
        plain = value is None or isinstance(value, str | int | float | torch.dtype)
        yield (repr(value) if plain else type(value).__name__).encode()


def _examples(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", …" if len(keys) > 3 else "")
