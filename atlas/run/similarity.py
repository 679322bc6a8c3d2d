"""`atlas similarity`: what the pictures of each probe do to every channel, and all that follows from it; resumed."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ProbeConfig, SweepConfig
from atlas.records import Feature, ModelCard
from atlas.run.asked import models_of
from atlas.run.cards import read_cards
from atlas.run.comparison import Probed, compare_features
from atlas.run.job import Job, SimilarityKeeper
from atlas.run.probing import probe_left
from atlas.run.progress import StatusFile
from atlas.run.stage import Place
from atlas.similarity.probes import Made, made_images, pictures_of
from atlas.similarity.responses import left_to_probe
from atlas.similarity.standing import features_of, found_pictures, own_pictures
from atlas.store.files import write_json
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
    compared: list[str] = field(default_factory=list)  # probes whose tables were written
    failures: list[str] = field(default_factory=list)  # what could not be done
    unread: int = 0  # pictures that no model could be shown
    stopped: str | None = None
    abandoned: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        return not (self.looked or self.compared or self.unread or self.stopped or self.abandoned)


def similarity(config: SweepConfig, known: dict[str, ModelCard] | None = None) -> Outcome:
    """Bring the similarity of an atlas up to date; known: cards of models that were read already.

    NotAnAtlas, Locked, ConfigError before any work; OSError: the disk, resumable.
    """
    config.probes = {name: _placed(probe) for name, probe in config.probes.items()}
    paths = AtlasPaths(config.out)
    manifest = read_manifest(paths.manifest)
    models = models_of(paths, manifest)
    known = known or {}
    cards, mistakes = read_cards({name: model for name, model in models.items() if name not in known})
    if mistakes:
        raise ConfigError(mistakes)
    cards = {name: known.get(name) or cards[name] for name in models}
    with Lock(paths.lock) as lock:
        keeper = SimilarityKeeper(paths, lock)
        keeper.sweep_staging()
        outcome = Outcome(paths)
        if lock.taken_over:
            outcome.notes.append(f"took over the lock of {lock.taken_over}, which is gone")
        made = made_images(paths, manifest, cards)
        features = features_of(made, cards)
        outcome.features = len(features)
        if not features:
            outcome.notes.append(_why_nothing(made, cards))
            return outcome
        place = Place(config.cluster, device_of(config, next(iter(cards.values()))), _gpus(cards))
        job = Job(config, paths, models, cards, place, keeper, StatusFile(paths, config.name))
        for name, probe in config.probes.items():
            _one_probe(job, name, probe, made, features, outcome)
            if outcome.stopped:
                break
    return outcome


def _placed(probe: ProbeConfig) -> ProbeConfig:
    """A probe whose folder is named from the root, so that a worker elsewhere finds the same one."""
    return probe if probe.folder is None else replace(probe, folder=os.path.abspath(os.path.expanduser(probe.folder)))


def _one_probe(
    job: Job, name: str, probe: ProbeConfig, made: list[Made], features: list[str], outcome: Outcome
) -> None:
    """Look at what is left of a probe's pictures, then compare, unless nothing has changed since."""
    own = probe.kind == "atlas"
    pictures = [one.picture for one in made] if own else pictures_of(probe)
    layers = _layers(features)
    probing = probe_left(job, name, pictures, layers)
    outcome.looked += probing.looked
    outcome.unread += probing.unread
    outcome.stopped, outcome.abandoned = probing.ending.stopped, outcome.abandoned | probing.ending.abandoned
    if outcome.stopped:
        return
    unseen = _unseen(job, name, pictures, layers)
    seen = [place for place, picture in enumerate(pictures) if picture.id not in unseen]
    if own:
        made = [made[place] for place in seen]
        features = features_of(made, job.cards)
    facts = own_pictures(made, features, job.cards) if own else found_pictures([pictures[place] for place in seen])
    probed = Probed(name, features, [pictures[place] for place in seen], facts)
    if not probed.pictures:
        outcome.notes.append(f"probe {name}: there is no picture that could be read")
        return
    mark = _mark(job, probed)
    if read_similarity(job.paths).get(name, {}).get("mark") == mark:
        return
    ending = compare_features(job, probed, mark)
    outcome.failures += job.keeper.failures
    outcome.stopped, outcome.abandoned = ending.stopped, outcome.abandoned | ending.abandoned
    if not (outcome.stopped or outcome.failures or ending.abandoned):
        _note_done(job, probed, mark, unread=len(unseen))
        outcome.compared.append(name)


def read_similarity(paths: AtlasPaths) -> dict[str, Any]:
    """What similarity.json says of each probe; nothing when similarity was never run."""
    try:
        return json.loads(paths.similarity.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _note_done(job: Job, probed: Probed, mark: str, *, unread: int) -> None:
    asked = asdict(job.config.similarity)
    said = {
        "mark": mark,
        "when": now(),
        "features": len(probed.features),
        "pictures": len(probed.pictures),
        **asked,
        "measures": asked["measures"] if probed.facts.own_images else ["profile"],
        "missing": {"pictures": unread},
    }
    write_json(job.paths.similarity, {**read_similarity(job.paths), probed.name: said})


def _mark(job: Job, probed: Probed) -> str:
    """Hash of all that reaches the tables of a probe."""
    facts = probed.facts
    return fingerprint(
        [
            METHOD,
            asdict(job.config.similarity),
            asdict(job.config.probes[probed.name]),
            {name: card.provenance for name, card in job.cards.items()},
            probed.features,
            [picture.id for picture in probed.pictures],
            facts.made.tolist(),
            facts.shown.tolist(),
        ]
    )


def _layers(features: list[str]) -> dict[str, list[str]]:
    """The layers of each model that have a feature in the atlas."""
    found: dict[str, dict[str, None]] = {}
    for feature in map(Feature.parse, features):
        found.setdefault(feature.model, {})[feature.layer] = None
    return {model: list(layers) for model, layers in found.items()}


def _unseen(job: Job, probe: str, pictures: list, layers: dict[str, list[str]]) -> set[str]:
    """Pictures that some layer has not told of: they could not be read, or their model could not be loaded."""
    return {
        picture.id
        for model, names in layers.items()
        for left in left_to_probe(
            job.paths, probe, model, weights=job.cards[model].provenance, layers=names, pictures=pictures
        ).values()
        for picture in left
    }


def _gpus(cards: dict[str, ModelCard]) -> int:
    return next(iter(cards.values())).gpus


def _why_nothing(made: list[Made], cards: dict[str, ModelCard]) -> str:
    if not made:
        return "there is no image yet: make some with `atlas generate`"
    held = sorted({f"{one.model} with {one.weights}" for one in made})
    now_are = ", ".join(f"{name} with {card.provenance}" for name, card in cards.items())
    return f"the images are of {', '.join(held)}, but the models are now {now_are}: generate images with these weights"
