"""Files of weights: a path in, a state dict out. No file is ever allowed to run code."""

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from atlas.config.mistakes import ConfigError

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which training scripts keep the state dict
# What torch says of pickles that name functions or classes, or use instructions 140 to 151, which it never writes.
CODE = r"(?:[Uu]nsupported (?:global|GLOBAL|class)|Unsupported operand 1(?:4\d|5[01])\b)[\s:]*(?:GLOBAL )?(?P<what>[\w.]+\.\w+)?"
PREFIXES = ("module.", "_orig_mod.")  # left by DataParallel and by torch.compile


def read_state(place: str, path: Path) -> dict[str, Tensor]:
    """State dict of a `.safetensors` file, or of a torch file read with weights_only.

    place: how errors name the file, as `models.mine.weights=mine.pt`.
    """
    _check_file(place, path)
    if path.suffix == ".safetensors":
        return _without_prefix(_read_safetensors(place, path))
    content = _read_torch(place, path)
    while isinstance(content, Mapping) and (inner := [w for w in WRAPPERS if isinstance(content.get(w), Mapping)]):
        content = content[inner[0]]
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        found = f"a dict of {', '.join(map(str, list(content)[:4]))}" if isinstance(content, Mapping) else type(content)
        raise ConfigError([f"{place}: it holds {found}, and no state dict; save model.state_dict()"])
    return _without_prefix(dict(content))


def _check_file(place: str, path: Path) -> None:
    if not path.exists():
        raise ConfigError([f"{place}: there is no such file (looked at {path.absolute()})"])
    if path.is_dir():
        raise ConfigError([f"{place}: it is a folder; give a file, {', '.join(SUFFIXES)}"])
    if path.suffix not in SUFFIXES:
        raise ConfigError([f"{place}: {path.suffix or path.name!r} is no known kind; allowed: {', '.join(SUFFIXES)}"])
    if path.stat().st_size == 0:
        raise ConfigError([f"{place}: the file is empty"])


def _read_safetensors(place: str, path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise _unreadable(place, error) from error


def _read_torch(place: str, path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # about pickles that torch did not write: an error follows
            # Mapped, not read, where the format allows it: a large model must not stand in memory twice.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        code = re.search(CODE, str(error))
        if code is None:
            raise _unreadable(place, error) from error
        what = f"{place}: refused, for it is a pickle that could run code ({code['what'] or 'Python objects'})"
        raise ConfigError([f"{what}; save model.state_dict() alone, or a .safetensors file"]) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise _unreadable(place, error) from error  # whatever a broken file makes the reader stumble over


def _unreadable(place: str, error: Exception) -> ConfigError:
    advice, _, reason = str(error).rpartition("WeightsUnpickler error:")
    first = next(iter(reason.strip().splitlines()), "") if advice or "weights_only" not in reason else "no state dict"
    return ConfigError([f"{place}: the file is broken or truncated ({type(error).__name__}: {first})"])


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state
