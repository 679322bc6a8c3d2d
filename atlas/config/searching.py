"""Hydra's compose() outside a Hydra app: conf/, a user's own folder, and after them the models without a file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra import initialize_config_dir
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError

# what Hydra runs its own apps with: 40 per cent of composing a page, and nothing here asks for it
OF_APPS = ("launcher", "sweeper", "help", "hydra_help", "output", "env", "job_logging", "hydra_logging")


@contextmanager
def searching(config_dir: str | None = None) -> Iterator[None]:
    """Within it compose() finds what a job with this --config-dir finds; ConfigError where there is no such folder."""
    if config_dir is not None and not Path(config_dir).is_dir():
        raise ConfigError([f"--config-dir={config_dir}: no such folder"])
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        if config_dir is not None:
            loader = GlobalHydra.instance().config_loader()
            path = loader.get_search_path()
            path.prepend("command-line", f"file://{Path(config_dir).resolve()}", SearchPathQuery(provider="schema"))
            loader.repository.initialize_sources(path)  # pyrefly: ignore[missing-attribute]
        yield


def compose(page: str, overrides: Sequence[str] = (), *, return_hydra_config: bool = False) -> DictConfig:
    """A page with overrides, within `searching`; Hydra's own part, where it is wanted, without what its apps need."""
    asked = [override.lstrip("+~").replace("/", ".") for override in overrides]
    without = [f"~hydra/{group}" for group in OF_APPS if not any(key.startswith(f"hydra.{group}") for key in asked)]
    return hydra.compose(page, overrides=[*without, *overrides], return_hydra_config=return_hydra_config)
