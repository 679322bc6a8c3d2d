"""An architecture: a model without its weights, and what its source knows of it: preprocessing, weights, class names."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.torch_state import kept_torch_state
from atlas.zoo.input_channels import ALLOWED, numbers

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB in [0, 1], as torchvision's and most of timm's models are trained with
IMAGENET_STD = (0.229, 0.224, 0.225)


class Preprocessing(NamedTuple):
    """How a picture becomes a model's input: it is resized, its middle cut out; then (image - mean) / std, of [0, 1]."""

    mean: tuple[float, ...]  # a number for each of the model's channels: of RGB, or of gray
    std: tuple[float, ...]
    input_size: int  # pixels, the side of the images that the model is evaluated with
    resize: int  # pixels of a picture's shorter side before the cut
    interpolation: str  # bilinear or bicubic
    squash: bool = False  # both sides become `resize`, whatever the picture's shape


@dataclass(frozen=True)
class Architecture:
    """A model without its weights; `bare()` builds it, on the meta device too under `torch.device("meta")`."""

    source: str  # torchvision, timm, efficientnet_lite, patternnet or custom
    entry: str  # its name there
    preprocessing: Preprocessing
    bare: Callable[[], nn.Module]
    pretrained: Callable[[], nn.Module]  # with the source's own weights; ConfigError where they cannot be had
    class_names: Callable[[int], Sequence[str] | None]  # of so many outputs; None where the source does not tell
    file: Callable[[], Path | None]  # where the source keeps its own weights on this machine; None: nobody knows


def no_class_names(count: int) -> None:
    """The names of classes that nobody has named."""
    return


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random weights from `seed`; the global random state is afterwards as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reach the GPUs' generators
        yield


def configured(name: str, config: ModelConfig, own: Architecture) -> Architecture:
    """An architecture with the config's preprocessing instead of its source's; its builders get seed and errors."""
    before, scale, mistakes = own.preprocessing, dict[str, tuple[float, ...]](), list[str]()
    for key, value in (("mean", config.mean), ("std", config.std)):
        try:
            scale[key] = getattr(before, key) if value is None else numbers(value)
            if key == "std" and min(scale[key]) <= 0:
                raise ValueError(f"{ALLOWED}, above 0")
        except ValueError as error:
            mistakes.append(f"models.{name}.{key}={value!r}: {error}")
    if config.input_size is not None and config.input_size < 1:
        mistakes.append(f"models.{name}.input_size={config.input_size}: give a number of pixels, 1 or more")
    if mistakes:
        raise ConfigError(mistakes)
    size = before.input_size if config.input_size is None else config.input_size
    preprocessing = before._replace(
        mean=scale["mean"],
        std=scale["std"],
        input_size=size,
        # The same share of the picture is cut off.
        resize=before.resize * size // before.input_size,
    )
    bare, pretrained = (partial(_build, name, config, build) for build in (own.bare, own.pretrained))
    return replace(own, preprocessing=preprocessing, bare=bare, pretrained=pretrained)


def _build(name: str, config: ModelConfig, build: Callable[[], nn.Module]) -> nn.Module:
    try:
        # What a user's module switches on when it is imported must not stay.
        with kept_torch_state(), seeded(config.seed):
            return build()
    except ConfigError:
        raise
    except Exception as error:  # other people's code, with the user's arguments: anything can come out of it
        what = f"models.{name} with models.{name}.kwargs={config.kwargs!r} cannot be built"
        raise ConfigError([f"{what}: {type(error).__name__}: {error}"]) from error


def unknown_model(name: str, config: ModelConfig, where: str, allowed: Sequence[str]) -> ConfigError:
    """The error of a name that a source does not have. where: the source; allowed: the names that it has."""
    setting = f"models.{name}" if config.entry is None else f"models.{name}.entry={config.entry!r}"
    entry = config.entry or name
    return ConfigError([f"{setting}: no model {entry!r} in {where}; {nearest(entry, allowed)}"])


def no_weights(name: str, source: str, entry: str) -> ConfigError:
    """The error of an architecture that its source has no weights of."""
    what = f"models.{name}.weights=default: {source} has no weights of {entry}"
    return ConfigError([f"{what}; give models.{name}.weights=FILE, or models.{name}.weights=none"])


def fetched(name: str, config: ModelConfig, cached: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Run a source's own loader; a ConfigError says what a user can do about its failure."""
    setting = f"models.{name}.weights={config.weights}"
    try:
        # torch.hub tells of its downloads on stdout, which is for data
        with redirect_stdout(sys.stderr):
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
