"""Files of weights: a path in, a state dict out. No file is allowed to run code."""

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
# torch's errors about pickles that name functions or classes, or use instructions 140 to 151, which it never writes.
CODE = r"(?:[Uu]nsupported (?:global|GLOBAL|class)|Unsupported operand 1(?:4\d|5[01])\b)[\s:]*(?:GLOBAL )?(?P<what>[\w.]+\.\w+)?"
PREFIXES = ("module.", "_orig_mod.")  # left by DataParallel and by torch.compile


def read_state(setting: str, path: Path) -> dict[str, Tensor]:
    """Read the state dict of a `.safetensors` file, or of a torch file with weights_only.

    setting: how errors name the file, as `models.mine.weights=mine.pt`. ConfigError: there is no such file, it is
    broken, it holds no state dict, or it could run code.
    """
    _check_file(setting, path)
    if path.suffix == ".safetensors":
        return _without_prefix(_read_safetensors(setting, path))
    content = _read_torch(setting, path)
    while isinstance(content, Mapping) and (keys := [key for key in WRAPPERS if isinstance(content.get(key), Mapping)]):
        content = content[keys[0]]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(value, Tensor) for value in content.values())
    ):
        what = f"a dict of {', '.join(map(str, list(content)[:4]))}" if isinstance(content, Mapping) else type(content)
        raise ConfigError([f"{setting}: it holds {what}, and no state dict; save model.state_dict()"])
    return _without_prefix(dict(content))


def _check_file(setting: str, path: Path) -> None:
    if not path.exists():
        raise ConfigError([f"{setting}: there is no such file (looked at {path.absolute()})"])
    if path.is_dir():
        raise ConfigError([f"{setting}: it is a folder; give a file, {', '.join(SUFFIXES)}"])
    if path.suffix not in SUFFIXES:
        raise ConfigError([f"{setting}: {path.suffix or path.name!r} is no known kind; allowed: {', '.join(SUFFIXES)}"])
    if path.stat().st_size == 0:
        raise ConfigError([f"{setting}: the file is empty"])


def _read_safetensors(setting: str, path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise _unreadable(setting, error) from error


def _read_torch(setting: str, path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # about pickles that torch did not write: an error follows
            # Mapped, not read, where the format allows it: a large model must not stand in memory twice.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        code = re.search(CODE, str(error))
        if code is None:
            raise _unreadable(setting, error) from error
        what = f"{setting}: refused, for it is a pickle that could run code ({code['what'] or 'Python objects'})"
        raise ConfigError([f"{what}; save model.state_dict() alone, or a .safetensors file"]) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise _unreadable(setting, error) from error  # whatever a broken file makes the reader stumble over


def _unreadable(setting: str, error: Exception) -> ConfigError:
    advice, _, reason = str(error).rpartition("WeightsUnpickler error:")
    first = next(iter(reason.strip().splitlines()), "") if advice or "weights_only" not in reason else "no state dict"
    return ConfigError([f"{setting}: the file is broken or truncated ({type(error).__name__}: {first})"])


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state
