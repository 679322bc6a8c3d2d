"""What can be wrong with the values of the jobs that look at pictures, before one of them or a model is opened."""

from collections.abc import Iterator
from pathlib import Path

from atlas.config.checks import CHOICES, model_mistakes
from atlas.config.rules import at_least, choice, two
from atlas.config.schema import SaliencyConfig


def saliency_mistakes(config: SaliencyConfig) -> list[str]:
    """Everything that is wrong with the values of `atlas saliency` themselves."""
    return [
        *_category(config.category),
        *model_mistakes(config),
        *two("overlay", config.overlay, "the shares [picture, map] are wanted, two numbers from 0 up", least=0),
        *choice("device", config.device, CHOICES["cluster.device"]),
        *at_least("batch", config.batch, 1),
        *_out(config.out),
    ]


def _category(category: object) -> Iterator[str]:
    if category is not None and (isinstance(category, bool) or not isinstance(category, int | str)):
        yield f"category={category}: the number or the name of one class is wanted, or null for the predicted one"


def _out(out: str) -> Iterator[str]:
    path = Path(out).expanduser()
    held = next((one for one in (path, *path.parents) if one.exists()), path)
    if not out:
        yield "out is empty: name a folder, as out=outputs/saliency"
    elif held.exists() and not held.is_dir():
        yield f"out={out}: {held} is no folder"
