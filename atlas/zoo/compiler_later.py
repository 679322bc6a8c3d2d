"""Imports libraries without torch's compiler, which some of their modules ask for functions that are hardly ever called.

`torch._dynamo` takes, with sympy, as long as torch itself. It is imported when somebody needs it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

COMPILER, PARTS = "torch._dynamo", ("torch._dynamo", "torch._dynamo.utils")


@contextmanager
def compiler_later() -> Iterator[None]:
    """Inside, modules that stand in for the compiler do what libraries ask of it while they are imported.

    torchvision's `roi_align` takes a function of it along; timm's `naflexvit` has it pass over functions. A library that
    asks for more gets the compiler itself.
    """
    if COMPILER in sys.modules:
        yield
        return
    sys.modules.update({name: _stand_in(name) for name in PARTS})
    try:
        yield
    finally:
        _remove()


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    torch = find_spec("torch")
    folders = torch.submodule_search_locations or [] if torch is not None else []
    module.__path__ = [str(Path(folder, "_dynamo")) for folder in folders]

    def ask(wanted: str) -> Any:
        # `inspect` asks every module for its `__file__`
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        return getattr(_compiler(name), wanted)

    module.__dict__.update(LATER[name], __getattr__=ask)
    return module


def _compiler(name: str = COMPILER) -> Any:
    """A part of the compiler itself."""
    _remove()
    return import_module(name)


def _remove() -> None:
    for name in PARTS:
        module = sys.modules.get(name)
        if module is not None and module.__spec__ is None:
            del sys.modules[name]


def _disable(function: Any = None, *options: Any, **more: Any) -> Any:
    """`torch._dynamo.disable`; a function is handed to it when it is first called."""
    if not isinstance(function, FunctionType):
        return _compiler().disable(function, *options, **more)

    @cache
    def disabled() -> Callable[..., Any]:
        return _compiler().disable(function, *options, **more)

    @wraps(function)
    def later(*args: Any, **kwargs: Any) -> Any:
        return disabled()(*args, **kwargs)

    return later


def _is_compile_supported(device: Any) -> Any:
    return _compiler(PARTS[1]).is_compile_supported(device)


LATER: dict[str, dict[str, Any]] = {
    COMPILER: {"disable": _disable},
    PARTS[1]: {"is_compile_supported": _is_compile_supported},
}
