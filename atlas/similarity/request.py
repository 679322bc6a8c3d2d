"""What `atlas similarity` was asked for, written into config/ before any work begins."""

from datetime import datetime

from omegaconf import OmegaConf

from atlas.config.schema import SweepConfig
from atlas.store.files import write_bytes
from atlas.store.paths import AtlasPaths


def record_comparison(paths: AtlasPaths, config: SweepConfig, overrides: list[str]) -> None:
    """Write down what `atlas similarity` was asked, by itself: the keys that it reads, under a name of their own."""
    folder = paths.config / datetime.now().strftime("%Y-%m-%dT%H-%M-%S-%f")
    asked = {key: OmegaConf.structured(getattr(config, key)) for key in ("similarity", "cluster")}
    asked["probes"] = {name: OmegaConf.structured(probe) for name, probe in config.probes.items()}
    write_bytes(folder / "similarity.yaml", OmegaConf.to_yaml(OmegaConf.create(asked)).encode())
    write_bytes(folder / "overrides.yaml", OmegaConf.to_yaml(overrides).encode())
