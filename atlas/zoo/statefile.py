"""Files of weights: a path in, a state dict out. No file is allowed to run code."""

import argparse
import pickle
import re
import types
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path, PosixPath, PurePosixPath
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy._core.multiarray import _reconstruct, scalar
from torch import Tensor

from atlas.config.mistakes import ConfigError

# Keys under which training scripts keep the state dict; the first that is there is taken, averages only where they are alone.
WRAPPERS = (
    *(
        "state_dict",
        "model_state_dict",
        "model_state",
        "model",
        "net",
        "network",
        "module",
        "params",
        "weights",
        "state",
    ),
    *("ema", "model_ema", "ema_model", "state_dict_ema", "ema_state_dict", "params_ema"),
)
# torch's errors about pickles that name functions or classes, or use instructions 140 to 151, which it never writes.
CODE = r"(?:[Uu]nsupported (?:global|GLOBAL|class)|Unsupported operand 1(?:4\d|5[01])\b)[\s:]*(?:GLOBAL )?(?P<what>[\w.]+\.\w+)?"
TORCH = (b"PK", b"\x80")  # a zip archive, or a pickle
PREFIXES = ("module.", "_orig_mod.")  # left by DataParallel and by torch.compile
# What checkpoints hold beside tensors and can run nothing: a script's arguments, dates, and numbers and arrays of numpy.
PLAIN: list[Any] = [
    *(argparse.Namespace, types.SimpleNamespace, defaultdict, PosixPath, PurePosixPath, date, datetime, timedelta),
    *((kind, f"builtins.{kind.__name__}") for kind in (list, dict, int, float)),
    *(np.ndarray, np.dtype, *(type(np.dtype(code)) for code in "?bBhHiIlLqQefdgFDSU")),
    *((scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((_reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]


def read_state(setting: str, path: Path) -> dict[str, Tensor]:
    """Read the state dict of a safetensors file, or of a torch file with weights_only; its content says which it is.

    setting: how errors name the file, as `models.mine.weights=mine.pt`. ConfigError: there is no such file, it is
    broken, it holds no state dict, or it could run code.
    """
    _check_file(setting, path)
    if _is_safetensors(path):
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
        raise ConfigError([f"{setting}: it is a folder; give a file of weights, .safetensors or one of torch.save"])
    if path.stat().st_size == 0:
        raise ConfigError([f"{setting}: the file is empty"])
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            what = "it is a TorchScript archive, a program with its weights"
            raise ConfigError([f"{setting}: {what}; save model.state_dict() of the nn.Module that it was made from"])


def _is_safetensors(path: Path) -> bool:
    """Whether a file is none of torch's, and begins with a length and JSON, or else calls itself so."""
    with open(path, "rb") as file:
        head = file.read(9)
    return not head.startswith(TORCH) and (head[8:] == b"{" or path.suffix == ".safetensors")


def _read_safetensors(setting: str, path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise _unreadable(setting, error) from error


def _read_torch(setting: str, path: Path) -> Any:
    try:
        # of pickles that torch did not write it warns, and an error follows
        with warnings.catch_warnings(action="ignore"), torch.serialization.safe_globals(PLAIN):
            # mapped, not read, where the format allows it: a large model must not stand in memory twice
            load = partial(torch.load, map_location="cpu", weights_only=True)
            # torch goes by the name of a path
            if path.suffix == ".safetensors":
                with open(path, "rb") as file:
                    return load(file)
            return load(path, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        code = re.search(CODE, str(error))
        if code is None:
            raise _unreadable(setting, error) from error
        what = f"{setting}: refused, for it is a pickle that could run code ({code['what'] or 'Python objects'})"
        raise ConfigError([f"{what}; save model.state_dict() alone, or a .safetensors file"]) from None
    # whatever a broken file makes the reader stumble over
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise _unreadable(setting, error) from error


def _unreadable(setting: str, error: Exception) -> ConfigError:
    advice, _, reason = str(error).rpartition("WeightsUnpickler error:")
    first = next(iter(reason.strip().splitlines()), "") if advice or "weights_only" not in reason else "no state dict"
    return ConfigError([f"{setting}: the file is broken or truncated ({type(error).__name__}: {first})"])


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same under keys that no wrapper has prefixed, however many there were, in whichever order."""
    while prefixes := [prefix for prefix in PREFIXES if all(key.startswith(prefix) for key in state)]:
        state = {key.removeprefix(prefixes[0]): value for key, value in state.items()}
    return state
