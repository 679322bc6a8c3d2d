"""Cards: a ModelConfig in; out what the planner must know of the model, without tensors."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from atlas.config.globs import matches
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.records import Layer, ModelCard
from atlas.torch_state import own_torch_state
from atlas.zoo.architecture import Architecture
from atlas.zoo.class_layers import class_layers
from atlas.zoo.classes import class_names
from atlas.zoo.foreign import foreign, frozen, like, reason, training_notes
from atlas.zoo.forward import takes
from atlas.zoo.input_channels import picture_channels
from atlas.zoo.layers import Walk, choose, walk
from atlas.zoo.load import Loaded, load
from atlas.zoo.sources import architecture

ENOUGH = 4  # layers for a default list: below it, look one level deeper
MOST = 24  # layers in a default list
LARGER = 380 / 299  # the sources' last octave, relative to the first


def make_card(name: str, config: ModelConfig) -> ModelCard:
    """Make the card of the real model with its weights, on the CPU; ConfigError: every mistake in `models.<name>`."""
    return card_of(load(name, config), config)


def card_or_mistake(
    name: str, config: ModelConfig, use: Callable[[Loaded], None] | None = None
) -> ModelCard | ConfigError:
    """The card, or what is wrong with the model. use: is given the model that the card was made of."""
    try:
        loaded = load(name, config)
        card = card_of(loaded, config)
    except ConfigError as error:
        return error
    except Exception as error:  # what other people's code has raised where nobody looked for it
        return ConfigError([f"models.{name} cannot be read: {reason(error)}"])
    if use is not None:
        use(loaded)
    return card


def card_of(loaded: Loaded, config: ModelConfig) -> ModelCard:
    """The card of a model that is loaded, on the CPU, by a config."""
    name = loaded.name
    with own_torch_state():
        walked = _walk(name, loaded.model, loaded.input_size, loaded.channels)
        with foreign(name, "has layers that cannot be read"):
            layers, chosen = _zoned(name, config, loaded.model, walked.layers)
            layers = _with_classes(config, loaded, layers)
            resizable = takes(loaded.model, round(loaded.input_size * LARGER), torch.empty(1, loaded.channels, 1, 1))
    return ModelCard(
        name,
        loaded.weights,
        loaded.digest,
        loaded.input_size,
        layers,
        chosen,
        torch.cuda.device_count(),
        resizable,
        repeats=walked.repeats,
        unknown=walked.unknown,
        notes=training_notes(name, loaded.model),
        file=loaded.file,
    )


def _with_classes(config: ModelConfig, loaded: Loaded, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers, those of a classifier's classes with their names; ConfigError: a file of names that does not fit."""
    count, names = class_layers(loaded.model, loaded.input_size, layers, channels=loaded.channels)
    if not count and config.classes is not None:
        what = f"models.{loaded.name}.classes={config.classes}: this model is no classifier"
        raise ConfigError([f"{what}: a row of scores for each picture, (1, classes), is what names are for"])
    classes = class_names(loaded.name, config, count) if count else None
    return tuple(replace(layer, classes=classes) if classes and layer.name in names else layer for layer in layers)


def layer_table(name: str, config: ModelConfig) -> tuple[Walk, tuple[str, ...]]:
    """All layers of `models.<name>`, and the names of those that `layers: default` stands for.

    Needs no weights and, of most models, no memory for them. ConfigError: every mistake in `models.<name>`.
    """
    with own_torch_state():
        built = architecture(name, replace(config, weights="none"))
        model, walked = _on_meta(built)
        if walked is None:
            with foreign(name, "cannot be used"):
                model = frozen(built.bare())
                size = built.preprocessing.input_size
                count = picture_channels(model, size, like(model))
            walked = _walk(name, model, size, count)
        with foreign(name, "has layers that cannot be read"):
            layers, chosen = _zoned(name, config, model, walked.layers)
    return replace(walked, layers=layers), chosen


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


def _on_meta(built: Architecture) -> tuple[nn.Module, Walk | None]:
    """The model and its layers by shapes alone; none where the model's code needs values."""
    if built.source == "custom":  # its factory may keep what it builds: never leave it with a model without values
        return nn.Identity(), None
    try:
        with torch.device("meta"):
            model = built.bare().eval()
            size = built.preprocessing.input_size
            walked = walk(model, torch.empty(2, picture_channels(model, size, torch.empty(0)), size, size))
            return model, walked if walked.layers else None
    except Exception:  # other people's code, on a device that it may not know: the real model tells if it was a mistake
        return nn.Identity(), None


def _walk(name: str, model: nn.Module, size: int, channels: int) -> Walk:
    """Layers at the model's own input size; two images, as `walk` wants, of one gray."""
    shape = (2, channels, size, size)
    try:
        walked = walk(model, like(model).new_zeros(shape))
    # of a signature: `forward(x, y)`
    except TypeError as error:
        what = f"models.{name}: a forward pass of images alone failed: {reason(error)}"
        raise ConfigError([f"{what}; wrap a network that takes more, or something else"]) from error
    except Exception as error:  # other people's model, perhaps at a size that it cannot take
        what = f"models.{name}.input_size={size}: a forward pass of images {shape} failed"
        raise ConfigError([f"{what}: {reason(error)}"]) from error
    if not walked.layers:
        raise ConfigError([f"models.{name}: {type(model).__name__} has no submodule that gives a map per image"])
    return walked


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
