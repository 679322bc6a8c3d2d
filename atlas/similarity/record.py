"""What an atlas says about its similarity: each request in config/,
and in similarity.json what each probe's tables are of.
"""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from omegaconf import OmegaConf

from atlas.config.schema import SweepConfig
from atlas.similarity.comparison import AnsweredProbe
from atlas.similarity.stage_runner import StageRunner
from atlas.store.comparisons import read_comparisons, write_comparison
from atlas.store.files import write_bytes
from atlas.store.manifest import now
from atlas.store.paths import AtlasPaths
from atlas.sweep.identity import fingerprint

METHOD = 2  # raised when a change of the code changes tables


def record_request(paths: AtlasPaths, config: SweepConfig, overrides: list[str]) -> None:
    """Write the keys that `atlas similarity` reads into config/, under a name of their own, before any work begins."""
    folder = paths.config / datetime.now().strftime("%Y-%m-%dT%H-%M-%S-%f")
    request = {key: OmegaConf.structured(getattr(config, key)) for key in ("similarity", "cluster")}
    request["probes"] = {name: OmegaConf.structured(probe) for name, probe in config.probes.items()}
    write_bytes(folder / "similarity.yaml", OmegaConf.to_yaml(OmegaConf.create(request)).encode())
    write_bytes(folder / "overrides.yaml", OmegaConf.to_yaml(overrides).encode())


def mark_of(runner: StageRunner, probe: AnsweredProbe) -> str:
    """Hash of all that reaches the tables of a probe."""
    return fingerprint(
        [
            METHOD,
            asdict(runner.config.similarity),
            asdict(runner.config.probes[probe.name]),
            {name: card.provenance for name, card in runner.source.cards.items()},
            list(probe.roles.features),
            [picture.id for picture in probe.pictures],
            probe.roles.made_for.tolist(),
            probe.roles.represents.tolist(),
        ]
    )


def is_up_to_date(paths: AtlasPaths, probe: str, mark: str) -> bool:
    """Whether the tables of a probe are there, and are of what the mark is of."""
    record = read_comparisons(paths).get(probe, {})
    return record.get("mark") == mark and all((paths.root / file).exists() for file in record.get("files", []))


def record_tables(runner: StageRunner, probe: AnsweredProbe, mark: str, *, unread: int, files: list[Path]) -> None:
    """Write down what the tables of a probe are of, once they are written.

    unread: pictures that some model could not look at; files: all that hold tables of the probe.
    """
    settings = asdict(runner.config.similarity)
    record = {
        "mark": mark,
        "when": now(),
        "probe": asdict(runner.config.probes[probe.name]),
        "weights": {name: card.provenance for name, card in runner.source.cards.items()},
        "features": len(probe.roles.features),
        "pictures": len(probe.pictures),
        **settings,
        "measures": settings["measures"] if probe.roles.own_images else ["profile"],
        "missing": {"pictures": unread},
        "files": [runner.paths.relative(file) for file in files],
    }
    write_comparison(runner.paths, probe.name, record)
