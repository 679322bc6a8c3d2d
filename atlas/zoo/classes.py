"""What a classifier's outputs are called, and which of them somebody means."""

from collections.abc import Callable, Sequence

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import ModelConfig
from atlas.zoo.drawings import CLASSES
from atlas.zoo.sources import architecture, timm_module, torchvision_weights

Names = tuple[str, ...]


def class_names(name: str, config: ModelConfig, count: int) -> Names | None:
    """Names of the `count` outputs of `models.<name>`, as its source tells them; None where it does not."""
    names = NAMES[architecture(name, config).source](name, config, count)
    return tuple(names) if names is not None and len(names) == count else None


def class_number(category: int | str, names: Names | None, count: int) -> int:
    """The output that a number or a name means; ConfigError, with what is allowed, where there is none such.

    A name is a whole one, or one of those that stand in it between commas: `tabby` is `tabby, tabby cat`.
    """
    text = str(category).strip()
    if text.lstrip("+-").isdecimal():
        if not 0 <= int(text) < count:
            raise ConfigError([f"category={category}: there are {count} classes, 0 to {count - 1}"])
        return int(text)
    if names is None:
        raise ConfigError([f"category={category}: these classes have no names; give a number, 0 to {count - 1}"])
    for spelled in (_whole, _first, _parts):
        meant = [number for number, name in enumerate(names) if text.casefold() in spelled(name.casefold())]
        if len(meant) > 1:
            told = ", ".join(f"{number} ({names[number]})" for number in meant)
            raise ConfigError([f"category={category}: that is several classes; give the number of one: {told}"])
        if meant:
            return meant[0]
    single = [part for name in names for part in (name, *_parts(name))]
    raise ConfigError([f"category={category}: no such class; {nearest(text, single)}"])


def _whole(name: str) -> list[str]:
    return [name]


def _first(name: str) -> list[str]:
    return _parts(name)[:1]


def _parts(name: str) -> list[str]:
    return [part.strip() for part in name.split(",")]


def _of_torchvision(name: str, config: ModelConfig, count: int) -> Sequence[str] | None:
    weights = torchvision_weights(name, config.entry or name)
    return None if weights is None else weights.meta.get("categories")


def _of_timm(name: str, config: ModelConfig, count: int) -> Sequence[str] | None:
    """ImageNet's, where the published weights have as many outputs: their number tells which of its subsets."""
    timm = timm_module(f"models.{name}.source={config.source}")
    known = timm.models.get_pretrained_cfg(config.entry or name)
    subset = timm.data.infer_imagenet_subset({"num_classes": count})
    if known is None or known.num_classes != count or subset is None:
        return None
    return timm.data.ImageNetInfo(subset).label_descriptions()


def _of_patternnet(name: str, config: ModelConfig, count: int) -> Sequence[str]:
    return CLASSES


def _of_custom(name: str, config: ModelConfig, count: int) -> None:
    return None


NAMES: dict[str, Callable[[str, ModelConfig, int], Sequence[str] | None]] = {
    "torchvision": _of_torchvision,
    "timm": _of_timm,
    "patternnet": _of_patternnet,
    "custom": _of_custom,
}
