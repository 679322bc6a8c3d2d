"""A user's own model: the name `package.module:function` in, what that function returns out."""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from atlas.config.mistakes import ConfigError, nearest

SPELLING = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def call_factory(name: str, factory: str | None, kwargs: dict[str, Any]) -> nn.Module:
    """The model that `models.<name>.factory` returns for kwargs; ConfigError where it does not."""
    place = f"models.{name}.factory={factory}"
    function = _function(place, factory)
    try:
        model = function(**kwargs)
    except Exception as error:  # the user's code: anything can come out of it
        raise ConfigError([f"{place}: it raised {type(error).__name__}: {error}"]) from error
    if not isinstance(model, nn.Module):
        raise ConfigError([f"{place}: it must return a torch.nn.Module, and returned {type(model).__name__}"])
    return model


def _function(place: str, factory: str | None) -> Callable[..., Any]:
    if factory is None or not SPELLING.fullmatch(factory):
        raise ConfigError([f"{place}: write package.module:function, as my_models:tiny"])
    module, _, path = factory.partition(":")
    found: Any = _import(place, module)
    for part in path.split("."):
        if not hasattr(found, part):
            public = [n for n in dir(found) if not n.startswith("_") and callable(getattr(found, n))]
            raise ConfigError([f"{place}: {module} has no {path}; {nearest(part, public)}"])
        found = getattr(found, part)
    if not callable(found):
        raise ConfigError([f"{place}: {path} is no function, but {type(found).__name__}"])
    return found


def _import(place: str, module: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # as `python -m` has it; the console script has not. Stays, for imports made later
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise ConfigError([f"{place}: importing {module} failed: {error}"]) from error
        what = f"no module {error.name}, neither installed nor in {here}"
        raise ConfigError([f"{place}: {what}"]) from None
    except Exception as error:  # the user's code, run by importing it
        raise ConfigError([f"{place}: importing {module} failed: {type(error).__name__}: {error}"]) from error
