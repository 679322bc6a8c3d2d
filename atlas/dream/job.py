"""`atlas dream`: one picture x models x layers x channels x metrics in; of each its frames as PNG, and a row, out."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from atlas.config.schema import DreamConfig
from atlas.dream.dream import Dream, Folder, MissingDream, dream, faded, steps_of
from atlas.dream.dream_files import DreamFiles
from atlas.dream.plan import DreamPlan, DrivenChannels, ModelDreams, StartPicture, plan_dreams
from atlas.dream.progress import Going, Stopped
from atlas.dream.trial import try_models
from atlas.engine.allocator import keep_freed_memory
from atlas.engine.outcome import Outcome
from atlas.engine.pinned import make_repeatable
from atlas.engine.progress import Count, display_for
from atlas.engine.signals import StopRequest
from atlas.engine.threads import worker_threads
from atlas.store.paths import safe, target_part
from atlas.store.picture_files import path_for
from atlas.zoo.load import Loaded, device_for
from atlas.zoo.one_model import OneModel

HARDLY = 2.0  # of 255: a mean change that nobody sees


@dataclass(frozen=True)
class DreamRow:
    """One dream, as stdout tells of it."""

    image: str
    model: str
    layer: str
    channel: int
    name: str | None  # of the class that the channel stands for
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

Stops = Callable[[], AbstractContextManager[StopRequest | None]]


def dream_job(config: DreamConfig, mistakes: list[str], moving: Moving, stops: Stops = nullcontext) -> DreamOutcome:
    """Dream with every model; ConfigError, before anything is written, for all that is wrong.

    mistakes: of the command line, known already. moving: what else is made of each dream, as soon as it is there. Dreams
    that an earlier run has finished are there at once, and those it had begun go on. stops: who may end it between steps.
    """
    plan = plan_dreams(config, mistakes)
    loader = OneModel(config.models, device_for(config.device))
    torch.set_num_threads(worker_threads(config.threads, loader.device))
    keep_freed_memory()
    try_models(plan, loader)
    make_repeatable(loader.device)
    total = sum(plan.channels(name) * steps_of(dreams.recipe) for name, dreams in plan.models.items())
    outcome, count = DreamOutcome(), Count(total, total, unit="steps")
    with closing(display_for(count)) as display, stops() as stop:
        going = Going(count, display, stop)
        going.step(0, "starting")
        try:
            for name in plan.models:
                _dream_with(loader(name), plan, config, outcome=outcome, moving=moving, going=going)
        except Stopped as stopped:
            done, dreams = len(outcome.rows), sum(map(plan.channels, plan.models))
            outcome.stopped = (
                f"{stopped}; {done} of {dreams} dreams are finished; run the same again to go on from there"
            )
    return outcome


def _dream_with(
    loaded: Loaded, plan: DreamPlan, config: DreamConfig, *, outcome: DreamOutcome, moving: Moving, going: Going
) -> None:
    dreams, start = plan.models[loaded.name], plan.start
    folder = Folder(config.frames, partial(_files, loaded, dreams, start, config))
    without = faded(loaded, dreams.recipe, start)
    for result in dream(loaded, dreams, start, folder=folder, going=going):
        if isinstance(result, MissingDream):
            sentences = outcome.notes if result.dead else outcome.failures
            sentences.append(f"{result.feature}: {result.reason}")
            continue
        pictures = result.files.pictures(result.record)
        row = _row(result, start, config, pictures[-1])
        outcome.rows.append(row)
        driven = _change(without, pictures[-1])
        if driven < HARDLY and dreams.recipe.gradient == "raw":
            outcome.notes.append(f"{result.feature}: {_hardly(driven)}")
        moving(row, [start.pixels, *pictures])


def _files(
    loaded: Loaded, dreams: ModelDreams, start: StartPicture, config: DreamConfig, aim: DrivenChannels, channel: int
) -> DreamFiles:
    """The files of a channel's dream; what its pixels come of is in their key."""
    folder = Path(config.out).expanduser() / safe(loaded.name) / safe(aim.layer)
    named = folder / path_for(start.picture.label, _ending(channel, aim, config))
    picture = (start.pixels.size, sha256(start.pixels.tobytes()).hexdigest())
    driven = (aim.layer, asdict(aim.target), aim.metric, aim.constant, channel)
    facts = (loaded.digest, picture, driven, asdict(dreams.recipe), config.frames)
    where = (loaded.device.type, torch.__version__)
    return DreamFiles(named, sha256(json.dumps([facts, where]).encode()).hexdigest())


def _row(result: Dream, start: StartPicture, config: DreamConfig, finished: Image.Image) -> DreamRow:
    model, layer, channel = result.feature
    return DreamRow(
        image=start.picture.name,
        model=model,
        layer=layer,
        channel=channel,
        name=result.aim.classes[channel] if result.aim.classes else None,
        metric=result.aim.metric,
        recipe=config.recipe.name,
        steps=result.record.steps,
        score_start=result.record.score_start,
        score=result.record.score,
        change=_change(start.pixels, finished),
        dream=str(result.files.dream),
        frames=len(result.record.frames),
    )


def _ending(channel: int, aim: DrivenChannels, config: DreamConfig) -> str:
    parts = [str(channel)]
    if aim.target.kind != "channel":
        parts.append(target_part(aim.target))
    if len(config.metrics) > 1:
        parts.append(safe(aim.metric))
    return "-".join(parts)


def _hardly(change: float) -> str:
    sentence = f"the picture has hardly changed ({change:.2g} of 255, but for its fading)"
    return f"{sentence}: fixed rates fit some networks; try recipe=dream_normalized"


def _change(before: Image.Image, after: Image.Image) -> float:
    if before.size != after.size:  # the recipe has grown it
        before = before.resize(after.size, Image.Resampling.LANCZOS)
    colours = (np.asarray(picture.convert("RGB"), np.int16) for picture in (before, after))
    return float(np.abs(np.subtract(*colours)).mean())
