"""Damaged tables of an atlas: found by reading every one, and removed, so that what they held is left to do again."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from atlas.store.comparisons import forget_comparison, read_comparisons
from atlas.store.damaged_file import DamagedFile
from atlas.store.index import FAILURES, INDEX, TRACES, files_under, other_columns, read_table, tasks_in
from atlas.store.paths import AtlasPaths
from atlas.store.plans import PLAN, write_plan

# of a plan
ASKED = "it holds again what has been made; what was left to do is asked for by its own command"


def remove_damaged(paths: AtlasPaths) -> list[str]:
    """Remove every table that cannot be read, or lacks a column; a note for each. OSError: the storage."""
    folders = [files_under(folder) for folder in paths.folders]
    plans = set(files_under(paths.plans))
    notes = _remove(paths, chain(_at_root(paths), *folders))
    for plan in sorted(plans - set(files_under(paths.plans))):
        _replan(paths, plan)
    return notes


def _replan(paths: AtlasPaths, plan: Path) -> None:
    """Plan again, in place of a plan that is gone, what has been made or failed and no other plan asks for."""
    planned = tasks_in(files_under(paths.plans))
    columns = [name for name in PLAN.names if name != "shard"]
    files = chain(files_under(paths.index), files_under(paths.failures))
    rows = (row for path in files for row in read_table(path, columns).to_pylist())
    write_plan(plan, {row["task"]: row for row in rows if row["task"] not in planned}.values())


def remove_damaged_comparisons(paths: AtlasPaths) -> list[str]:
    """The same of those tables alone that `atlas similarity` makes."""
    folders = (paths.responses, paths.places, paths.examples, paths.neighbors)
    at_root = (path for path in _at_root(paths) if path != paths.classes)
    return _remove(paths, chain(at_root, *(files_under(folder) for folder in folders)))


def _remove(paths: AtlasPaths, tables: Iterable[Path]) -> list[str]:
    notes = []
    for path in tables:
        try:
            _check(paths, path)
        except DamagedFile as error:
            # first, so that nobody counts on a table that is gone
            _forget(paths, paths.relative(path))
            path.unlink()
            remedy = ASKED if path.parent == paths.plans else "what it held is made again"
            notes.append(f"{paths.relative(path)} was damaged ({error.reason}); {remedy}")
    return notes


def _check(paths: AtlasPaths, path: Path) -> None:
    """DamagedFile: a table cannot be read, or a footer that was changed hides a column of it; columns too many do no harm."""
    schemas = {paths.index: INDEX, paths.failures: FAILURES, paths.traces: TRACES}
    schema = next((schemas[folder] for folder in path.parents if folder in schemas), None)
    wrong = set() if schema is None else other_columns(path, schema) & set(schema.names)
    if wrong:
        raise DamagedFile(path, ValueError(f"its columns are not as they should be: {', '.join(sorted(wrong))}"))
    read_table(path)


def _forget(paths: AtlasPaths, file: str) -> None:
    """Take back that the tables of those probes are there whose rows the file had."""
    for probe, facts in read_comparisons(paths).items():
        if file in facts.get("files", ()):
            forget_comparison(paths, probe)


def _at_root(paths: AtlasPaths) -> list[Path]:
    """The atlas's own tables there: another file is somebody's."""
    return sorted(path for path in vars(paths).values() if path.suffix == ".parquet" and path.is_file())
