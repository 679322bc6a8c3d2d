"""A user's own model: the name `package.module:function` in, what that function returns out."""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.zoo.torchvision_ops import torchvision

SPELLING = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def call_factory(name: str, factory: str | None, kwargs: dict[str, Any]) -> nn.Module:
    """The model that `models.<name>.factory` returns for kwargs; ConfigError where it does not."""
    setting = f"models.{name}.factory={factory}"
    function = _function(setting, factory)
    try:
        model = function(**kwargs)
    except (Exception, SystemExit) as error:  # the user's code: anything can come out of it
        raise ConfigError([f"{setting}: it raised {type(error).__name__}: {error}"]) from error
    if not isinstance(model, nn.Module):
        raise ConfigError([f"{setting}: it must return a torch.nn.Module, and returned {type(model).__name__}"])
    return model


def _function(setting: str, factory: str | None) -> Callable[..., Any]:
    if factory is None or not SPELLING.fullmatch(factory):
        raise ConfigError([f"{setting}: write package.module:function, as my_models:tiny"])
    module, _, path = factory.partition(":")
    value: Any = _import(setting, module)
    for part in path.split("."):
        if not hasattr(value, part):
            public = [name for name in dir(value) if not name.startswith("_") and callable(getattr(value, name))]
            raise ConfigError([f"{setting}: {module} has no {path}; {nearest(part, public)}"])
        value = getattr(value, part)
    if not callable(value):
        raise ConfigError([f"{setting}: {path} is no function, but {type(value).__name__}"])
    return value


def _import(setting: str, module: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path and "" not in sys.path:
        # `python -m` puts it there, the console script does not. It stays, for imports that the module makes later.
        sys.path.append(folder)
    torchvision()  # the module may import it, and may have to be helped as everybody
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise ConfigError([f"{setting}: importing {module} failed: {error}"]) from error
        what = f"no module {error.name}, neither installed nor in {folder}"
        raise ConfigError([f"{setting}: {what}"]) from None
    except (Exception, SystemExit) as error:  # the user's code, run by importing it
        raise ConfigError([f"{setting}: importing {module} failed: {type(error).__name__}: {error}"]) from error
