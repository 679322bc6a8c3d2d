"""`atlas generate`: from a checked config to images and an index, resumed from whatever is there."""

import os
import tempfile
from dataclasses import dataclass, field, replace

from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig, SweepConfig
from atlas.generate.ledger import Ledger
from atlas.generate.recipe_inputs import keep_start, read_material
from atlas.generate.request import homes, mixture, record_request
from atlas.records import ImageShard, Shard
from atlas.run.drive import Ending
from atlas.run.progress import Count, StatusFile
from atlas.run.stage import Place, run_stage
from atlas.run.work import ImageWork
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan, device_of, make_plan, plan_mistakes
from atlas.sweep.recipe_fit import Material
from atlas.zoo.card_pool import read_cards


@dataclass
class Outcome:
    """What a run came to. `failed` counts every failure on record for what was asked, also from earlier runs."""

    paths: AtlasPaths
    planned: int
    made: int = 0
    dead: int = 0
    failed: int = 0
    left: int = 0
    idle: bool = False  # nothing was left to do from the start
    stopped: str | None = None
    abandoned: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def prepare(config: SweepConfig) -> tuple[Plan | None, list[str]]:
    """Read the models and plan the sweep: the plan, or every mistake there is; nothing is written."""
    mistakes = value_mistakes(config)
    config.models = {name: placed(model) for name, model in config.models.items()}
    asked = {name: _unfetched(model) for name, model in config.models.items()} if config.dry_run else config.models
    cards, unreadable = read_cards(asked)
    material = Material()
    try:
        material = Material() if mistakes else read_material(config.recipe)
    except ConfigError as error:
        mistakes += error.mistakes
    mistakes += unreadable + plan_mistakes(config, cards, material) + output_mistakes(config.out)
    return (None, mistakes) if mistakes else (make_plan(config, cards, material), [])


def placed(model: ModelConfig) -> ModelConfig:
    """A model whose weights file is named from the root, so that a worker elsewhere finds the same one."""
    if model.weights in ("default", "none"):
        return model
    return replace(model, weights=os.path.abspath(os.path.expanduser(model.weights)))


def _unfetched(model: ModelConfig) -> ModelConfig:
    """For a dry run: the shapes are enough, so nothing pretrained is fetched."""
    return replace(model, weights="none") if model.weights == "default" else model


def output_mistakes(out: str) -> list[str]:
    """Whether the atlas could be written where it is asked for; what is missing is not made yet."""
    if not out:
        return ["out is empty: name a folder, as out=outputs/mine"]
    if "://" in out:
        return [f"out={out}: only folders can be written so far; name one that every node sees"]
    place = os.path.abspath(out)
    if os.path.exists(place) and not os.path.isdir(place):
        return [f"out={out}: is a file; name a folder"]
    while not os.path.exists(place):
        place = os.path.dirname(place)
    try:
        with tempfile.TemporaryFile(dir=place):
            return []
    except OSError as error:
        return [f"out={out}: cannot be written ({error.strerror}: {place}); name another folder with out=FOLDER"]


def generate(config: SweepConfig, plan: Plan, overrides: list[str]) -> Outcome:
    """Make what is left of a plan. Locked: another driver on this atlas. OSError: the disk, resumable."""
    paths = AtlasPaths(config.out)
    with Lock(paths.lock) as lock:
        ledger = Ledger(paths, plan, lock, full=config.trace == "full")
        ledger.sweep_staging()
        for picture in {recipe.picture for recipe in plan.recipes.values() if recipe.picture is not None}:
            keep_start(paths, picture)
        manifest = record_request(paths, config, plan, overrides)
        outcome = Outcome(paths, plan.tasks, notes=mixture(manifest))
        if lock.taken_over:
            outcome.notes.append(f"took over the lock of {lock.taken_over}, which is gone")
        if config.retry == "failed":
            outcome.notes.append(f"{ledger.forget_failures()} failed images are tried again")
        if config.retry == "broken":
            outcome.notes.append(f"{ledger.forget_broken()} images that were missing or changed are made again")
        if config.trace == "full":
            ledger.forget_orphans()
        left = ledger.left_to_do()
        known = sum(len(shard.items) for shard in left if shard.known)
        if known:
            outcome.notes.append(f"{known} images are there already: they are made again for their traces alone")
        count = Count(plan.tasks, sum(len(shard.items) for shard in left), failed=ledger.count_failures())
        status = StatusFile(paths, config.name)
        outcome.idle = not left
        if left:
            ledger.log("begin", left=count.left, total=count.total, overrides=overrides)
            ending = _work(config, plan, left, ledger=ledger, count=count, status=status, homes=homes(manifest))
            outcome.stopped, outcome.abandoned = ending.stopped, ending.abandoned
        outcome.made, outcome.dead, outcome.left = count.done, count.dead, count.left
        outcome.failed = ledger.count_failures()
        state = "interrupted" if outcome.stopped else "done"
        status.write(state, count, [], outcome.stopped)
        ledger.log("end", state=state, made=count.done, dead=count.dead, failed=count.failed, left=count.left)
    return outcome


def _work(
    config: SweepConfig,
    plan: Plan,
    left: list[ImageShard],
    *,
    ledger: Ledger,
    count: Count,
    status: StatusFile,
    homes: frozenset[str],
) -> Ending:
    card = next(iter(plan.cards.values()))
    device = device_of(config, card)
    work = ImageWork(
        root=ledger.paths.root.absolute(),
        models=config.models,
        cards=plan.cards,
        recipes=plan.recipes,
        constants={
            name: 0.0 if metric.constant is None else metric.constant for name, metric in config.metrics.items()
        },
        homes=homes,
        full=config.trace == "full",
        device=device,
        cluster=config.cluster,
        nonce=ledger.nonce,
    )
    place = Place(config.cluster, device, card.gpus)
    return run_stage(work, list[Shard](left), place, keeper=ledger, count=count, status=status)
