"""`atlas similarity`: shows the pictures of each probe to every model,
compares all features by what they do, and resumes.
"""

from dataclasses import dataclass, field, replace
from functools import partial

from atlas.config.mistakes import ConfigError
from atlas.config.rooted import rooted_probe
from atlas.config.schema import SweepConfig
from atlas.engine.drive import Ending
from atlas.engine.outcome import Outcome
from atlas.engine.progress import StatusFile
from atlas.engine.publisher import Publisher
from atlas.engine.signals import leaving_at_once
from atlas.engine.stage import Resources, run_stage
from atlas.engine.survey import on_cluster
from atlas.engine.watchers import trackers
from atlas.records import ModelCard
from atlas.similarity.atlas_images import Picture, features_of
from atlas.similarity.compare.representatives import roles_of_images, roles_of_pictures
from atlas.similarity.comparison import AnsweredProbe, compare_features
from atlas.similarity.probe.pictures import pictures_of
from atlas.similarity.probe.plan import probe_missing, unanswered
from atlas.similarity.record import is_up_to_date, mark_of, record_request, record_tables
from atlas.similarity.source import Source, read_source
from atlas.similarity.stage_runner import RunStage, StageRunner
from atlas.store.comparisons import FEW, pictures_in_words
from atlas.store.damage import remove_damaged_comparisons
from atlas.store.manifest import read_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.writing import Writing
from atlas.sweep.plan import device_of


@dataclass
class SimilarityOutcome(Outcome):
    """What `atlas similarity` came to."""

    paths: AtlasPaths
    features: int = 0
    looked: int = 0  # pictures looked at, once for each model
    compared: dict[str, int] = field(default_factory=dict)  # features, by probes whose tables were written
    unread: int = 0  # pictures that no model could be shown

    @property
    def incomplete(self) -> bool:
        return bool(self.unread or self.failures or self.abandoned)

    def take(self, ending: Ending) -> None:
        """How a stage ended is how the job ends."""
        self.stopped, self.abandoned = ending.stopped, self.abandoned | ending.abandoned

    @property
    def idle(self) -> bool:
        return not (self.looked or self.compared or self.unread or self.stopped or self.abandoned)


def similarity(
    config: SweepConfig,
    cards: dict[str, ModelCard] | None = None,
    overrides: list[str] | None = None,
    *,
    run_stage: RunStage = run_stage,
) -> SimilarityOutcome:
    """Bring the similarity of an atlas up to date.

    cards: of models that were read already. overrides: what was typed, to be recorded; None: `atlas generate` has
    recorded it. run_stage: runs the shards of each stage.

    NotAnAtlas, Locked, ConfigError before any work; OSError: the disk, resumable.
    """
    config = replace(config, probes={name: rooted_probe(probe) for name, probe in config.probes.items()})
    paths = AtlasPaths(config.out)
    read_manifest(paths.manifest)  # before anything is written: NotAnAtlas
    config = replace(config, cluster=on_cluster(config.cluster))
    with leaving_at_once(), Writing(paths) as writing:
        lock = writing.lock
        outcome = SimilarityOutcome(paths)
        if lock.taken_over:
            outcome.notes.append(f"took over the lock of {lock.taken_over}, which is gone")
        if config.retry == "broken":
            outcome.notes += remove_damaged_comparisons(paths)
        source = read_source(paths, cards or {})
        outcome.features = len(source.features)
        if not source.features:
            outcome.notes.append(source.why_nothing())
            return outcome
        outcome.notes += source.left_out()
        publisher = Publisher(paths, lock)
        publisher.sweep_staging()
        if overrides is not None:
            record_request(paths, config, overrides)
        resources = Resources(config.cluster, device_of(config, next(iter(source.cards.values()))), source.gpus)
        status = StatusFile(paths, config.name)
        with trackers(config.report, paths) as watchers:
            run_stage = partial(run_stage, watchers=watchers)
            _bring_up_to_date(StageRunner(config, source, resources, publisher, status, run_stage), outcome)
    return outcome


def _bring_up_to_date(runner: StageRunner, outcome: SimilarityOutcome) -> None:
    """Look at the pictures that are missing, then compare features by each probe that has changed since."""
    outcome.failures = runner.failures.sentences  # also of pictures that broke their worker: the others are compared
    pictures = pictures_by_probe(runner.config, runner.source)
    probing = probe_missing(runner, pictures)
    outcome.looked = probing.looked
    outcome.take(probing.ending)
    for name in pictures:
        if outcome.stopped:
            return
        unread = unanswered(runner.source, name, pictures[name]) if name in probing.probes else set()
        probe = _answered(runner, name, pictures[name], unread)
        outcome.unread += len(unread)
        if probe.pictures:
            if runner.config.probes[name].kind in ("natural", "photographs") and len(probe.pictures) < FEW:
                outcome.notes.append(f"probe {name}: {pictures_in_words(len(probe.pictures))}")
            _compare(runner, probe, len(unread), outcome)
        else:
            outcome.notes.append(f"probe {name}: there is no picture that every model could look at")


def pictures_by_probe(config: SweepConfig, source: Source) -> dict[str, list[Picture]]:
    """The pictures of each probe that the config has; ConfigError where a folder holds none."""
    own = [image.picture for image in source.images]
    pictures = {name: own if probe.kind == "atlas" else pictures_of(probe) for name, probe in config.probes.items()}
    empty = [name for name in pictures if not pictures[name]]
    if empty:
        raise ConfigError([f"probes.{name}.folder={config.probes[name].folder}: holds no picture" for name in empty])
    return pictures


def _answered(runner: StageRunner, name: str, pictures: list[Picture], unread: set[str]) -> AnsweredProbe:
    """A probe with those of its pictures that every layer has a response to."""
    answered = [picture for picture in pictures if picture.id not in unread]
    source = runner.source
    if runner.config.probes[name].kind != "atlas":
        return AnsweredProbe(name, answered, roles_of_pictures(answered, source.features))
    images = [image for image in source.images if image.picture.id not in unread]
    return AnsweredProbe(name, answered, roles_of_images(images, features_of(images, source.cards), source.cards))


def _compare(runner: StageRunner, probe: AnsweredProbe, unread: int, outcome: SimilarityOutcome) -> None:
    """Write the tables of a probe, unless they are there, and are those of the pictures and features that there are."""
    mark = mark_of(runner, probe)
    if is_up_to_date(runner.paths, probe.name, mark):
        return
    ending, files = compare_features(runner, probe, mark)
    outcome.take(ending)
    if files:
        record_tables(runner, probe, mark, unread=unread, files=files)
        outcome.compared[probe.name] = len(probe.roles.features)
