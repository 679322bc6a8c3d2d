"""Cards: a ModelConfig in; out what the planner must know of the model, without tensors."""

from dataclasses import replace

import torch
from torch import nn

from atlas.config.globs import matches
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.records import Layer, ModelCard
from atlas.zoo.architecture import Architecture
from atlas.zoo.forward import takes
from atlas.zoo.layers import choose, walk
from atlas.zoo.load import load
from atlas.zoo.sources import architecture

ENOUGH = 4  # layers for a default list: below it, look one level deeper
MOST = 24  # layers in a default list
LARGER = 380 / 299  # the sources' last octave, relative to the first


def make_card(name: str, config: ModelConfig) -> ModelCard:
    """Make the card of the real model with its weights, on the CPU; ConfigError: every mistake in `models.<name>`."""
    loaded = load(name, config)
    layers = _walk(name, loaded.model, loaded.input_size)
    layers, chosen = _zoned(name, config, loaded.model, layers)
    gpus = torch.cuda.device_count()
    resizable = takes(loaded.model, round(loaded.input_size * LARGER), torch.empty(0))
    return ModelCard(name, loaded.weights, loaded.digest, loaded.input_size, layers, chosen, gpus, resizable)


def layer_table(name: str, config: ModelConfig) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """All layers of `models.<name>`, and the names of those that `layers: default` stands for.

    Needs no weights and, of most models, no memory for them. ConfigError: every mistake in `models.<name>`.
    """
    built = architecture(name, replace(config, weights="none"))
    model, layers = _on_meta(built)
    if not layers:
        model = built.bare().eval()
        layers = _walk(name, model, built.preprocessing.input_size)
    return _zoned(name, config, model, layers)


def stages(model: nn.Module, layers: tuple[Layer, ...]) -> tuple[str, ...]:
    """The layers to look at in a model that nobody has divided into zones: its stages, in order of execution.

    They are the outermost modules that hold parameters, are no norm, and give maps with more than one position (or
    features, where nothing gives such maps). A chain whose links give maps of several sizes is a whole trunk and not a
    stage: its links stand for it. Below 4, all are divided once more, level by level. That is the stem and stages of
    a ResNet or an EfficientNet, the blocks of a transformer, the convolutions of VGG. Of more than 24, every second
    one is taken, or every third.
    """
    wide = [layer for layer in layers if layer.height * layer.width > 1] or list(layers)
    sizes = {layer.name: (layer.height, layer.width) for layer in wide if _learns(model.get_submodule(layer.name))}

    def parts(name: str) -> list[str]:
        inside = [inner for inner in sizes if inner.startswith(f"{name}.")]
        return _outermost(inside) or [name]

    def is_trunk(name: str) -> bool:
        chain = isinstance(model.get_submodule(name), nn.Sequential)
        return chain and len({sizes[part] for part in parts(name)}) > 1

    names = _outermost(list(sizes))
    while any(map(is_trunk, names)):
        names = [part for name in names for part in (parts(name) if is_trunk(name) else [name])]
    while len(names) < ENOUGH and (divided := [part for name in names for part in parts(name)]) != names:
        names = divided
    step = max(1, -(-len(names) // MOST))
    return tuple(name for name in sizes if name in names)[step - 1 :: step]


def _outermost(names: list[str]) -> list[str]:
    return [name for name in names if not any(name.startswith(f"{around}.") for around in names)]


def _learns(module: nn.Module) -> bool:
    """Whether a module holds parameters of its own or inside, and is no norm, alone or with its activation."""
    norm = "Norm" in type(module).__name__ and not any(map(_learns, module.children()))
    return not norm and next(module.parameters(), None) is not None


def _on_meta(built: Architecture) -> tuple[nn.Module, tuple[Layer, ...]]:
    """The model and its layers by shapes alone; no layers where the model's code needs values."""
    if built.source == "custom":  # its factory may keep what it builds: never leave it with a model without values
        return nn.Identity(), ()
    try:
        with torch.device("meta"):
            model = built.bare().eval()
            size = built.preprocessing.input_size
            return model, walk(model, torch.empty(2, 3, size, size))
    except Exception:  # other people's code, on a device that it may not know: the real model tells if it was a mistake
        return nn.Identity(), ()


def _walk(name: str, model: nn.Module, size: int) -> tuple[Layer, ...]:
    """Layers at the model's own input size; two images, as `walk` wants, of one gray."""
    try:
        layers = walk(model, torch.zeros(2, 3, size, size))
    except Exception as error:  # other people's model, perhaps at a size that it cannot take
        what = f"models.{name}.input_size={size}: a forward pass of images (2, 3, {size}, {size}) failed"
        raise ConfigError([f"{what}: {type(error).__name__}: {error}"]) from error
    if not layers:
        raise ConfigError([f"models.{name}: {type(model).__name__} has no submodule that gives a map per image"])
    return layers


def _zoned(
    name: str, config: ModelConfig, model: nn.Module, layers: tuple[Layer, ...]
) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """The layers with their zones, and the names that `default` stands for: those of all zones, or else the stages."""
    mistakes = [
        f"models.{name}.zones.{zone}: {glob!r} names no layer; {nearest(glob, [layer.name for layer in layers])}"
        for zone, globs in config.zones.items()
        for glob in choose(layers, globs)[1]
    ]
    if mistakes:
        raise ConfigError(mistakes)
    chosen = choose(layers, [glob for globs in config.zones.values() for glob in globs])[0]
    zones = {layer.name: _zone(layer.name, config.zones) for layer in layers}
    return tuple(replace(layer, zone=zones[layer.name]) for layer in layers), chosen or stages(model, layers)


def _zone(layer: str, zones: dict[str, list[str]]) -> str:
    """The zone of a layer, or of the closest module around it that has one."""
    while layer:
        for zone, globs in zones.items():
            if any(matches(layer, glob) for glob in globs):
                return zone
        layer = layer.rpartition(".")[0]
    return ""
