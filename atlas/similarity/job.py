"""`atlas similarity`: what the pictures of each probe do to every channel, and all that follows from it; resumed."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from atlas.config.mistakes import ConfigError
from atlas.config.rooted import rooted_probe
from atlas.config.schema import SweepConfig
from atlas.records import ModelCard
from atlas.run.drive import Ending
from atlas.run.progress import StatusFile
from atlas.run.signals import leaving_at_once
from atlas.run.stage import Resources
from atlas.similarity.atlas_images import Picture, features_of
from atlas.similarity.compare.representatives import found_pictures, own_pictures
from atlas.similarity.comparison import AnsweredProbe, compare_features
from atlas.similarity.probe.pictures import pictures_of
from atlas.similarity.probe.plan import probe_left, unanswered
from atlas.similarity.request import record_comparison
from atlas.similarity.source import Source, read_held
from atlas.similarity.stage_runner import Job, SimilarityKeeper
from atlas.store.comparisons import read_comparisons, write_comparison
from atlas.store.lock import Lock
from atlas.store.manifest import now, read_manifest
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import fingerprint
from atlas.sweep.plan import device_of

METHOD = 1  # raised when a change of the code changes tables


@dataclass
class Outcome:
    """What `atlas similarity` came to."""

    paths: AtlasPaths
    features: int = 0
    looked: int = 0  # pictures looked at, once for each model
    compared: dict[str, int] = field(default_factory=dict)  # features, by probes whose tables were written
    failures: list[str] = field(default_factory=list)  # what could not be done
    unread: int = 0  # pictures that no model could be shown
    stopped: str | None = None
    abandoned: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, ending: Ending) -> None:
        """How a stage ended is how the job ends."""
        self.stopped, self.abandoned = ending.stopped, self.abandoned | ending.abandoned

    @property
    def idle(self) -> bool:
        return not (self.looked or self.compared or self.unread or self.stopped or self.abandoned)


def similarity(
    config: SweepConfig, known: dict[str, ModelCard] | None = None, overrides: list[str] | None = None
) -> Outcome:
    """Bring the similarity of an atlas up to date; known: cards of models that were read already.

    overrides: what was typed, to be recorded; None: `atlas generate` has recorded it.

    NotAnAtlas, Locked, ConfigError before any work; OSError: the disk, resumable.
    """
    config.probes = {name: rooted_probe(probe) for name, probe in config.probes.items()}
    paths = AtlasPaths(config.out)
    read_manifest(paths.manifest)  # before anything is written: NotAnAtlas
    with leaving_at_once(), Lock(paths.lock) as lock:
        outcome = Outcome(paths)
        if lock.taken_over:
            outcome.notes.append(f"took over the lock of {lock.taken_over}, which is gone")
        held = read_held(paths, known or {})
        outcome.features = len(held.features)
        if not held.features:
            outcome.notes.append(held.why_nothing())
            return outcome
        outcome.notes += held.left_out()
        keeper = SimilarityKeeper(paths, lock)
        keeper.sweep_staging()
        if overrides is not None:
            record_comparison(paths, config, overrides)
        place = Resources(config.cluster, device_of(config, next(iter(held.cards.values()))), held.gpus)
        _bring_up_to_date(Job(config, held, place, keeper, StatusFile(paths, config.name)), outcome)
    return outcome


def _bring_up_to_date(job: Job, outcome: Outcome) -> None:
    """Look at what is left of all pictures, then compare features by each probe that has changed since."""
    outcome.failures = job.keeper.failures  # also of pictures that broke their worker: the others are compared
    pictures = pictures_by_probe(job.config, job.held)
    probing = probe_left(job, pictures)
    outcome.looked = probing.looked
    outcome.take(probing.ending)
    for name in pictures:
        if outcome.stopped:
            return
        unseen = unanswered(job, name, pictures[name]) if name in probing.probes else set()
        probed = _probed(job, name, pictures[name], unseen)
        outcome.unread += len(unseen)
        if probed.pictures:
            _compare(job, probed, len(unseen), outcome)
        else:
            outcome.notes.append(f"probe {name}: there is no picture that every model could look at")


def pictures_by_probe(config: SweepConfig, held: Source) -> dict[str, list[Picture]]:
    own = [one.picture for one in held.made]
    found = {name: own if probe.kind == "atlas" else pictures_of(probe) for name, probe in config.probes.items()}
    empty = [name for name, pictures in found.items() if not pictures]
    if empty:
        raise ConfigError([f"probes.{name}.folder={config.probes[name].folder}: holds no picture" for name in empty])
    return found


def _probed(job: Job, name: str, pictures: list[Picture], unseen: set[str]) -> AnsweredProbe:
    """A probe with those of its pictures that every layer has told of."""
    seen = [place for place, picture in enumerate(pictures) if picture.id not in unseen]
    kept = [pictures[place] for place in seen]
    if job.config.probes[name].kind != "atlas":
        return AnsweredProbe(name, job.held.features, kept, found_pictures(kept))
    made = [job.held.made[place] for place in seen]
    features = features_of(made, job.held.cards)
    return AnsweredProbe(name, features, kept, own_pictures(made, features, job.held.cards))


def _compare(job: Job, probed: AnsweredProbe, unseen: int, outcome: Outcome) -> None:
    """Write the tables of a probe, unless they are there, and are those of the pictures and features that there are."""
    mark = _mark(job, probed)
    told = read_comparisons(job.paths).get(probed.name, {})
    if told.get("mark") == mark and all((job.paths.root / file).exists() for file in told.get("files", [])):
        return
    ending, files = compare_features(job, probed, mark)
    outcome.take(ending)
    if files:
        _note_done(job, probed, mark, unread=unseen, files=files)
        outcome.compared[probed.name] = len(probed.features)


def _note_done(job: Job, probed: AnsweredProbe, mark: str, *, unread: int, files: list[Path]) -> None:
    asked = asdict(job.config.similarity)
    told = {
        "mark": mark,
        "when": now(),
        "probe": asdict(job.config.probes[probed.name]),
        "weights": {name: card.provenance for name, card in job.held.cards.items()},
        "features": len(probed.features),
        "pictures": len(probed.pictures),
        **asked,
        "measures": asked["measures"] if probed.standing.own_images else ["profile"],
        "missing": {"pictures": unread},
        "files": [job.paths.relative(file) for file in files],
    }
    write_comparison(job.paths, probed.name, told)


def _mark(job: Job, probed: AnsweredProbe) -> str:
    """Hash of all that reaches the tables of a probe."""
    standing = probed.standing
    return fingerprint(
        [
            METHOD,
            asdict(job.config.similarity),
            asdict(job.config.probes[probed.name]),
            {name: card.provenance for name, card in job.held.cards.items()},
            probed.features,
            [picture.id for picture in probed.pictures],
            standing.made.tolist(),
            standing.shown.tolist(),
        ]
    )
