"""A figure's page for print, its frames where it moves, and how both become files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from atlas.figures.stock import StockImage
from atlas.report.page.animation import write_animation
from atlas.report.page.panels import Panel
from atlas.report.page.paper import save_figure
from atlas.store.paths import safe

PACE = 0.12  # seconds of a frame


@dataclass(frozen=True)
class FigurePage:
    """One page or animation of a figure."""

    subject: str  # what it shows, for the file's name: `patternnet-conv5`
    title: str
    figure: Figure | None = None
    frames: Sequence[Image.Image] = ()


def write_page(folder: Path, name: str, page: FigurePage, suffix: str, formats: Sequence[str]) -> Iterator[Path]:
    """Write a page in each of the formats, each file whole or not at all, and yield their paths.

    Their names are made of the figure's name, the page's subject and a suffix, which may be empty.
    """
    stem = safe("-".join(part for part in (name, page.subject.replace("/", "-"), suffix) if part))
    if page.figure is not None:
        for form in formats:
            still = folder / f"{stem}.{form}"
            save_figure(page.figure, still, title=page.title)
            yield still
    if page.frames:
        moving = folder / f"{stem}.webp"
        write_animation(moving, page.frames, seconds=PACE * len(page.frames), title=page.title)
        yield moving


def panel(image: StockImage, label: str = "") -> Panel:
    """An image over its label, or over its channel if it has none."""
    text = label or str(image.channel)
    return Panel(image.image, f"{text}\nfailed" if image.status == "failed" else text, image.status)
