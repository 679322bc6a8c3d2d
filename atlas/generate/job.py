"""`atlas generate`: from a checked config to images and an index, resumed from whatever is there."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError, collect
from atlas.config.rooted import rooted_model
from atlas.config.schema import ModelConfig, SweepConfig
from atlas.engine.outcome import Outcome
from atlas.engine.progress import Count, StatusFile
from atlas.engine.publisher import Publisher
from atlas.engine.stage import Resources, run_stage
from atlas.engine.survey import expected_actors, on_cluster, survey
from atlas.engine.watchers import trackers
from atlas.generate.begin import begin_images
from atlas.generate.ledger import Ledger
from atlas.generate.recipe_inputs import keep_start, read_material
from atlas.generate.request import as_held, default_variants, mixture, open_or_begin, record_request
from atlas.generate.settings import ImageSettings
from atlas.records import ImageShard, Part, Shard
from atlas.store.damage import remove_damaged
from atlas.store.output import atlas_mistakes
from atlas.store.paths import AtlasPaths
from atlas.store.writing import Writing, forget_parts
from atlas.sweep.compilation import compiled_layers
from atlas.sweep.plan import Plan, device_of, make_plan
from atlas.sweep.recipe_fit import Material
from atlas.sweep.shards import RATE
from atlas.zoo.card_reader import read_cards
from atlas.zoo.kept_model import drop


@dataclass
class ImagesOutcome(Outcome):
    """What `atlas generate` came to."""

    paths: AtlasPaths
    planned: int
    made: int = 0
    dead: int = 0
    failed: int = 0  # every failure on record of what was asked for, also from earlier runs
    left: int = 0
    reasons: list[str] = field(default_factory=list)  # why most of them did
    idle: bool = False  # nothing was left to do from the start
    part: Part | None = None  # of several jobs that make the atlas together
    elsewhere: int = 0  # images that other parts have not settled, where none of them is at work
    last: bool = True  # no other part has anything to do, so that what is made of all images can be made

    @property
    def incomplete(self) -> bool:
        return bool(self.failed or self.abandoned)


def prepare(config: SweepConfig, mistakes: Sequence[str] = (), *, making: bool = False) -> tuple[SweepConfig, Plan]:
    """Read the models and plan the sweep; the config as it is carried out, and the plan. Nothing is written.

    mistakes: of the command line. making: `generate` follows, with a model that is read here where the work is done here.

    ConfigError with every mistake there is; ClusterError where there is none, and the cluster cannot be had.
    """
    wrong_values = value_mistakes(config)
    mistakes = [*mistakes, *wrong_values]
    config = replace(config, models={name: rooted_model(model) for name, model in config.models.items()})
    unwritable = atlas_mistakes(config.out)
    if not unwritable:
        config = replace(config, recipe=as_held(AtlasPaths(config.out), config.recipe))
    models = {name: _unfetched(model) for name, model in config.models.items()} if config.dry_run else config.models
    material = None if wrong_values else collect(mistakes, partial(read_material, config.recipe))
    cards, unreadable = read_cards(models, here=making and config.cluster.kind == "inline" and not config.dry_run)
    mistakes += unreadable
    plan = collect(mistakes, partial(make_plan, config, cards, material or Material()))
    mistakes += unwritable
    if mistakes or plan is None:
        drop()
        raise ConfigError(mistakes)
    return _for_cluster(config, plan, material or Material())


def _for_cluster(config: SweepConfig, plan: Plan, material: Material) -> tuple[SweepConfig, Plan]:
    """The config and the plan for what a running cluster has, which this machine may lack."""
    cluster = config.cluster
    # the plan of a cluster that is elsewhere
    if config.dry_run and cluster.device != "auto":
        return config, plan
    config = replace(config, cluster=on_cluster(cluster))
    if cluster.device == config.cluster.device:
        return config, plan
    return config, make_plan(config, plan.cards, material)


def _unfetched(model: ModelConfig) -> ModelConfig:
    """For a dry run: the shapes are enough, so nothing pretrained is fetched."""
    return replace(model, weights="none") if model.weights == "default" else model


@dataclass(frozen=True)
class _Run:
    """One run of a sweep, or of a part of it, on an atlas that it holds."""

    config: SweepConfig
    whole: Plan  # of all parts
    plan: Plan  # of this one
    part: Part | None
    paths: AtlasPaths
    writing: Writing
    publisher: Publisher
    ledger: Ledger


def generate(config: SweepConfig, plan: Plan, overrides: list[str]) -> ImagesOutcome:
    """Make what is left of a plan. Locked: another driver on this atlas. OSError: the disk, resumable.

    ClusterError: the cluster cannot be had, and nothing is written.
    """
    if config.cluster.kind == "ray":
        survey(config.cluster)
    part = None if config.cluster.part is None else Part.parse(config.cluster.part)
    paths, own = AtlasPaths(config.out), plan.only(part)
    with ExitStack() as stack:
        stack.callback(drop)
        writing = stack.enter_context(Writing(paths, part, plan.id))
        opened = open_or_begin(paths, config.name)
        publisher = Publisher(paths, writing.lock, part)
        publisher.sweep_staging()
        ledger = Ledger(paths, own, publisher, full=config.trace == "full")
        run = _Run(config, plan, own, part, paths, writing, publisher, ledger)
        manifest, notes = _begin(run, overrides)
        writing.opened()
        left = ledger.left_to_do()
        outcome = ImagesOutcome(paths, own.tasks, notes=[*opened, *notes, *_of_traces(left)], idle=not left)
        _make(run, left, outcome, default_variants(manifest), overrides)
        _end(run, outcome)
    return outcome


def _begin(run: _Run, overrides: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Write down what is asked for; the manifest, and what there is to say."""
    config, paths, lock = run.config, run.paths, run.writing.lock
    forget_parts(paths, run.part)
    for picture in {recipe.picture for recipe in run.plan.recipes.values() if recipe.picture is not None}:
        keep_start(paths, picture)
    notes = remove_damaged(paths) if config.retry == "broken" else []
    manifest = record_request(paths, config, run.whole, overrides)
    if lock.taken_over:
        notes.append(f"took over the lock of {lock.taken_over}, which is gone")
    return manifest, [*notes, *mixture(manifest), *_of_models(run.plan), *_taken_back(config, run.ledger)]


def _make(
    run: _Run, left: list[ImageShard], outcome: ImagesOutcome, variants: frozenset[str], overrides: list[str]
) -> None:
    """Make what is left, and write down how that ended. variants: those whose images have plain names."""
    config, plan, paths, publisher = run.config, run.plan, run.paths, run.publisher
    count, status = _count(config, plan, run.ledger, left), StatusFile(paths, config.name, run.part)
    if left:
        publisher.log("begin", left=count.left, total=count.total, overrides=overrides)
        settings = image_settings(config, run.whole, paths, variants, nonce=publisher.nonce)
        with trackers(config.report, paths) as watchers:
            ending = run_stage(
                partial(begin_images, settings),
                list[Shard](left),
                Resources(config.cluster, *device_and_gpus(config, plan)),
                publisher=publisher,
                fail=run.ledger.fail,
                count=count,
                status=status,
                watchers=watchers,
            )
        outcome.stopped, outcome.abandoned = ending.stopped, ending.abandoned
    outcome.made, outcome.dead, outcome.left = count.done, count.dead, count.left
    state = "interrupted" if outcome.stopped else "done"
    status.write(state, count, [], outcome.stopped)
    publisher.log("end", state=state, made=count.done, dead=count.dead, failed=count.failed, left=count.left)


def _end(run: _Run, outcome: ImagesOutcome) -> None:
    """Let the atlas go; note what failed, and of a part whether it was the last, and what others have left."""
    with run.writing.ending() as alone:
        outcome.failed = run.ledger.count_failures()
        outcome.reasons = run.ledger.failure_reasons() if outcome.failed else []
        outcome.part, outcome.last = run.part, alone
        if run.part is not None and alone:
            outcome.elsewhere = _left_of(Ledger(run.paths, run.whole.without(run.part), run.publisher))
            outcome.last = not outcome.elsewhere


def _left_of(ledger: Ledger) -> int:
    return sum(len(shard.items) for shard in ledger.left_to_do())


def _taken_back(config: SweepConfig, ledger: Ledger) -> Iterator[str]:
    """Take back what is to be made again; what there is to say of it."""
    if config.retry == "failed":
        yield f"{ledger.forget_failures()} failed images are tried again"
    if config.retry == "broken" and (broken := ledger.forget_broken()):
        yield f"{broken} images that were missing or changed are made again"
    if config.trace == "full":
        ledger.forget_orphans()


def _of_traces(left: list[ImageShard]) -> Iterator[str]:
    known = sum(len(shard.items) for shard in left if shard.trace_only)
    if known:
        yield f"{known} images are there already: they are made again for their traces alone"


def _count(config: SweepConfig, plan: Plan, ledger: Ledger, left: list[ImageShard]) -> Count:
    items = sum(len(shard.items) for shard in left)
    return Count(plan.tasks, items, failed=ledger.count_failures(), expected=_expected(config, plan, left))


def _expected(config: SweepConfig, plan: Plan, left: list[ImageShard]) -> float:
    """Seconds that shards take by the plan, as a dry run tells them."""
    device, gpus = device_and_gpus(config, plan)
    actors = expected_actors(config.cluster, device, gpus)
    return sum(shard.cost for shard in left) / RATE[device] / actors


def _of_models(plan: Plan) -> list[str]:
    """What there is to say of the models."""
    return [note for card in plan.cards.values() for note in card.notes]


def device_and_gpus(config: SweepConfig, plan: Plan) -> tuple[str, int]:
    """Where the images are made, and how many GPUs this machine has."""
    card = next(iter(plan.cards.values()))
    return device_of(config, card), card.gpus


def image_settings(
    config: SweepConfig, plan: Plan, paths: AtlasPaths, variants: frozenset[str], *, nonce: str
) -> ImageSettings:
    """What the workers of a sweep are told. variants: those whose images have plain names."""
    device, _ = device_and_gpus(config, plan)
    return ImageSettings(
        root=paths.root.absolute(),
        models=config.models,
        cards=plan.cards,
        recipes=plan.recipes,
        constants={name: metric.constant for name, metric in config.metrics.items()},
        default_variants=variants,
        compiled=compiled_layers(config.cluster.compile, plan, device),
        full_trace=config.trace == "full",
        device=device,
        cluster=config.cluster,
        nonce=nonce,
    )
