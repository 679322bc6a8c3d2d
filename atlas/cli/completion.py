"""What a shell offers while a command is typed: addresses of the atlas that is meant, keys and values of jobs."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from atlas.cli.options import find_atlas
from atlas.config.folder import conf_dir
from atlas.query.atlas import Atlas

MOST = 200  # that a shell is offered


def addresses(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layers as `model/layer:`, and once that is typed, the channels of the layer; nothing where no atlas is."""
    _, colon, _ = incomplete.rpartition(":")
    what = "feature" if colon else "model || '/' || layer || ':'"
    text = f"SELECT {what} AS word FROM tasks GROUP BY ALL ORDER BY min(layer_index), min(channel)"
    try:
        with Atlas(find_atlas(context.params.get("atlas_name"))) as atlas:
            words = atlas.sql(text)["word"].to_pylist()
    # a shell that is asked for help shows no error
    except Exception:
        return []
    return [CompletionItem(word) for word in words if word.startswith(incomplete)][:MOST]


def overrides(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The groups of conf/ as `recipe=`, and once that is typed, the files of the group."""
    group, equals, value = incomplete.partition("=")
    groups = sorted(path.name for path in conf_dir().iterdir() if path.is_dir())
    if not equals:
        return [CompletionItem(f"{name}=") for name in groups if name.startswith(group)]
    if group not in groups:
        return []
    files = sorted(path.stem for path in Path(conf_dir(), group).glob("*.yaml"))
    return [CompletionItem(f"{group}={name}") for name in files if name.startswith(value)]
