"""Hydra's compose() outside a Hydra app: conf/, a user's own folder, and after them the models without a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra

from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError


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
