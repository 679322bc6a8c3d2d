"""`atlas dream`: one picture x models x layers x channels x metrics in; of each its frames as PNG, and a row, out."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from atlas.config.schema import DreamConfig
from atlas.dream.dream import Dream, MissingDream, dream
from atlas.dream.plan import Aim, StartPicture, plan_dreams
from atlas.dream.trial import try_models
from atlas.engine.outcome import Outcome
from atlas.engine.pinned import make_repeatable
from atlas.store.images import write_pixels
from atlas.store.paths import safe, target_part
from atlas.store.picture_files import path_for
from atlas.zoo.load import device_for
from atlas.zoo.one_model import OneModel

HARDLY = 2.0  # of 255: a mean change that nobody sees


@dataclass(frozen=True)
class DreamRow:
    """One dream, as stdout tells of it."""

    image: str
    model: str
    layer: str
    channel: int
    metric: str
    recipe: str
    steps: int
    score_start: float
    score: float
    change: float  # mean difference of a pixel's colours from the picture's, 0 to 255
    dream: str  # path of the PNG
    frames: int


@dataclass
class DreamOutcome(Outcome):
    """What `atlas dream` came to. Failures: why there is no dream of a channel."""

    rows: list[DreamRow] = field(default_factory=list)


Moving = Callable[[DreamRow, list[Image.Image]], object]  # a dream that is written, the picture and then its frames


def dream_job(config: DreamConfig, mistakes: list[str], moving: Moving) -> DreamOutcome:
    """Dream with every model; ConfigError, before anything is written, for all that is wrong.

    mistakes: of the command line, known already. moving: what else is made of each dream, as soon as it is written.
    """
    plan = plan_dreams(config, mistakes)
    loader = OneModel(config.models, device_for(config.device))
    try_models(plan, loader)
    make_repeatable(loader.device)
    outcome = DreamOutcome()
    for name, dreams in plan.models.items():
        for result in dream(loader(name), dreams, plan.start, config.frames):
            if isinstance(result, MissingDream):
                sentences = outcome.notes if result.dead else outcome.failures
                sentences.append(f"{result.feature}: {result.reason}")
                continue
            row = _write(result, plan.start, config)
            outcome.rows.append(row)
            driven = _change(result.faded, result.frames[-1][1])
            if driven < HARDLY and dreams.recipe.gradient == "raw":
                outcome.notes.append(f"{result.feature}: {_hardly(driven)}")
            moving(row, [plan.start.pixels, *(frame for _, frame in result.frames)])
    return outcome


def _write(made: Dream, start: StartPicture, config: DreamConfig) -> DreamRow:
    """The frames, and the last one once more under the dream's name; each whole or absent."""
    model, layer, channel = made.feature
    folder = Path(config.out).expanduser() / safe(model) / safe(layer)
    named = folder / path_for(start.picture.label, _ending(channel, made.aim, config))
    _clear(named)
    for step, frame in made.frames:
        write_pixels(named.with_name(f"{named.name}-{step:04d}.png"), frame)
    finished = made.frames[-1][1]
    write_pixels(path := named.with_name(f"{named.name}-dream.png"), finished)
    return DreamRow(
        image=start.picture.name,
        model=model,
        layer=layer,
        channel=channel,
        metric=made.aim.metric,
        recipe=config.recipe.name,
        steps=made.steps,
        score_start=made.score_start,
        score=made.score,
        change=_change(start.pixels, finished),
        dream=str(path),
        frames=len(made.frames),
    )


def _ending(channel: int, aim: Aim, config: DreamConfig) -> str:
    parts = [str(channel)]
    if aim.target.kind != "channel":
        parts.append(target_part(aim.target))
    if len(config.metrics) > 1:
        parts.append(safe(aim.metric))
    return "-".join(parts)


def _clear(named: Path) -> None:
    """Take away what an earlier dream of the same name has left: another recipe has other frames."""
    ours = re.compile(re.escape(named.name) + r"-(\d{4,}\.png|dream\.png|dream\.webp)")
    for path in named.parent.iterdir() if named.parent.is_dir() else ():
        if ours.fullmatch(path.name):
            path.unlink()


def _hardly(change: float) -> str:
    sentence = f"the picture has hardly changed ({change:.2g} of 255, but for its fading)"
    return f"{sentence}: fixed rates fit some networks; try recipe=dream_normalized"


def _change(before: Image.Image, after: Image.Image) -> float:
    if before.size != after.size:  # the recipe has grown it
        before = before.resize(after.size, Image.Resampling.LANCZOS)
    return float(np.abs(np.asarray(before, np.int16) - np.asarray(after, np.int16)).mean())
