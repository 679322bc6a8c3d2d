"""What a figure comes to: a page for print, and frames where it moves; and how both become files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from atlas.figures.stock import StockImage
from atlas.report.page.animation import write_animation
from atlas.report.page.panels import Panel, save_figure
from atlas.store.paths import safe

PACE = 0.12  # seconds of each frame of what moves


@dataclass(frozen=True)
class FigurePage:
    """One figure: what it shows, in words for a file's name, and its pictures."""

    subject: str  # as `patternnet-conv5`
    title: str
    figure: Figure | None = None
    frames: Sequence[Image.Image] = ()


def write_drawn(folder: Path, name: str, drawn: FigurePage, asked: str) -> Iterator[Path]:
    """Write a figure's files, each whole or not at all; where they are."""
    stem = safe("-".join(part for part in (name, drawn.subject.replace("/", "-"), asked) if part))
    if drawn.figure is not None:
        still = folder / f"{stem}.png"
        save_figure(drawn.figure, still, title=drawn.title)
        yield still
    if drawn.frames:
        moving = folder / f"{stem}.webp"
        write_animation(moving, drawn.frames, seconds=PACE * len(drawn.frames), title=drawn.title)
        yield moving


def panel(shown: StockImage, label: str = "") -> Panel:
    """An image with its channel, or whatever else tells it from its neighbors."""
    said = label or str(shown.channel)
    return Panel(shown.image, f"{said}\nfailed" if shown.status == "failed" else said, shown.status)
