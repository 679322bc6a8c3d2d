"""Check every promise that can be read off the files of an atlas, and report what is broken or missing."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pyarrow as pa

from atlas.query.verify.faults import RowCheck, image_fault
from atlas.query.verify.report import Problem, Report
from atlas.store.classes import CLASSES
from atlas.store.comparisons import read_comparisons
from atlas.store.index import FAILURES, INDEX, NEWER, TRACES, Row, files_under, other_columns, read_table
from atlas.store.manifest import NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths, safe
from atlas.store.plans import PLAN
from atlas.store.sweeping import half_files
from atlas.store.writing import is_written

AFTER_CHANNEL = re.compile(r"(/\d+)[^/]*$")  # target, seed, variant and ending of an image's path
PENDING = 256  # images handed to the threads at once: bounds the memory, however many there are
PLAN_ROWS = 10_000  # of a plan turned into Python values at once


def verify(paths: AtlasPaths, tell: Callable[[int], None] = lambda images: None) -> Report:
    """Read every table and every image once. `tell` is called with the number of images checked so far."""
    verifier = _Verifier(paths)
    verifier.check_manifest()
    on_disk = verifier.image_files()
    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        rows = (row for path in files_under(paths.index) for row in verifier.check_index_file(path))
        while group := list(islice(rows, PENDING)):
            faults = pool.map(lambda row: image_fault(paths.root, row), group)
            verifier.count_images(zip(group, faults, strict=True))
            tell(verifier.report.images)
    for path in files_under(paths.failures):
        verifier.check_failure_file(path)
    for path in files_under(paths.traces):
        verifier.check_trace_file(path)
    verifier.check_plans()
    verifier.check_classes()
    verifier.check_similarity_files()
    verifier.check_leftovers(on_disk)
    return verifier.report


class _Verifier:
    """The report so far, and what one file must be checked against: which task and image stands in which other file."""

    def __init__(self, paths: AtlasPaths) -> None:
        self.paths, self.report = paths, Report()
        self.live = is_written(paths)
        self.row_check = RowCheck()
        self.tasks: dict[str, str] = {}  # task: the index file that holds it
        self.images: dict[str, str] = {}  # image: its task
        self.unmade: set[str] = set()  # beginnings of image paths whose tasks are not done
        self.failed: set[str] = set()  # tasks

    def check_manifest(self) -> None:
        """atlas.json can be read."""
        try:
            read_manifest(self.paths.manifest)
        except NotAnAtlas as error:
            self.report.blame("atlas.json", str(error))

    def image_files(self) -> list[str]:
        """Files under images/, listed before the index is read: one that appears later belongs to a run at work."""
        return [self.paths.relative(path) for path in self.paths.images.rglob("*") if path.is_file()]

    def check_index_file(self, path: Path) -> Iterator[Row]:
        """Each row is sound, lies in its folder, and is the only one of its task and image. Yields every row."""
        table = self._read(path, INDEX)
        if table is None:
            return
        name = self.paths.relative(path)
        for row, faults in self.row_check.faults(table):
            for fault in [*faults, *self._index_faults(path, row)]:
                self.report.blame(f"{name} {row['feature']}", fault)
            self.tasks[row["task"]], self.images[row["image"]] = name, row["task"]
            self.report.ok += row["status"] == "ok"
            self.report.dead += row["status"] == "dead"
            yield row

    def count_images(self, images: Iterable[tuple[Row, str | None]]) -> None:
        """Report images that were checked: their rows, and what is wrong with each."""
        for row, fault in images:
            self.report.images += 1
            if fault:
                self.report.blame(row["image"] or row["feature"], fault)

    def check_failure_file(self, path: Path) -> None:
        """Each failed task stands in no other file."""
        table = self._read(path, FAILURES)
        for row in table.to_pylist() if table is not None else ():
            task, image = row["task"], f"{row['feature']} {row['metric']} seed {row['seed']}"
            if task in self.failed or task in self.tasks:
                other = self.tasks.get(task, "another file of failures")
                self.report.blame(self.paths.relative(path), f"failed task {task} ({image}) stands also in {other}")
                continue
            message = (row["error_message"] or "").strip().rpartition("\n")[2]
            self.report.problems.append(Problem("failed", image, f"{row['error_type']}: {message}"))
            self.report.failed += 1
            self.failed.add(task)
            self.unmade.add(_image_beginning(row))

    def check_trace_file(self, path: Path) -> None:
        """Each trace is of an image in the index."""
        table = self._read(path, TRACES, ["task"])
        for task in set(table["task"].to_pylist()) - self.tasks.keys() if table is not None else ():
            self.report.blame(self.paths.relative(path), f"tells of task {task}, which no image has")

    def check_plans(self) -> None:
        """Each planned task is done, failed or left to do, and nothing else was made."""
        planned: set[str] = set()
        left: Counter[str] = Counter()
        for row in (row for path in files_under(self.paths.plans) for row in self._plan_rows(path)):
            if row["task"] not in planned and row["task"] not in self.tasks and row["task"] not in self.failed:
                left[f"{row['model']}/{row['layer']} {row['metric']}"] += 1
                self.unmade.add(_image_beginning(row))
            planned.add(row["task"])
        for features, number in left.items():
            self.report.problems.append(Problem("left", features, f"{number:,} images are left to do"))
        for task in (self.tasks.keys() | self.failed) - planned:
            self.report.blame(self.tasks.get(task, "failures"), f"task {task} is in no plan")
        self.report.planned, self.report.left = len(planned), left.total()

    def check_classes(self) -> None:
        """The names of classes, if there are any, can be read."""
        if self.paths.classes.is_file():
            self._read(self.paths.classes, CLASSES)

    def check_similarity_files(self) -> None:
        """Each table and map that similarity.json names is there, and each table can be read."""
        for file in (file for record in read_comparisons(self.paths).values() for file in record.get("files", [])):
            path = self.paths.root / file
            if not path.is_file():
                self.report.blame(file, "is missing; `atlas similarity` makes it again")
            elif path.suffix == ".parquet":
                self.report.files += 1
                try:
                    read_table(path)
                except (OSError, ValueError) as error:
                    self.report.blame(file, _unreadable(error))

    def check_leftovers(self, on_disk: Iterable[str]) -> None:
        """Each image has a row, or may be what a killed shard left of a task that is not done; no file is half."""
        for image in on_disk:
            has_task = image in self.images or AFTER_CHANNEL.sub(r"\1", image) in self.unmade
            if not has_task and image.endswith(".png"):
                self.report.blame(image, "an image without a row")
        for path in half_files(self.paths):
            if not self.live:
                self.report.blame(self.paths.relative(path), "a half file, left by a process that was killed")

    def _index_faults(self, path: Path, row: Row) -> Iterator[str]:
        """What is wrong with a row where it stands, beside those read before."""
        if path.parent != self.paths.layer_index(row["model"] or "", row["layer"] or ""):
            yield f"lies in another layer's folder than {row['model']}/{row['layer']}"
        if row["task"] in self.tasks:
            yield f"task {row['task']} stands also in {self.tasks[row['task']]}"
        if row["image"] in self.images:
            yield f"{row['image']} is also the image of task {self.images[row['image']]}"

    def _plan_rows(self, path: Path) -> Iterator[Row]:
        table = self._read(path, PLAN, ["task", "model", "layer", "metric", "channel"])
        for batch in table.to_batches(max_chunksize=PLAN_ROWS) if table is not None else ():
            yield from batch.to_pylist()

    def _read(self, path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table | None:
        """A table, or some columns of it; None when it cannot be read or is not of the schema, which is reported."""
        self.report.files += 1
        name = self.paths.relative(path)
        try:
            wrong = other_columns(path, schema)
            if not wrong:
                # every column, so that every checksum is verified
                table = read_table(path)
                return table.select(columns or [name for name in schema.names if name not in NEWER])
        except (OSError, ValueError) as error:
            self.report.blame(name, _unreadable(error))
            return None
        self.report.blame(name, f"has other columns than this version writes: {', '.join(sorted(wrong))}")
        return None


def _unreadable(error: Exception) -> str:
    return f"cannot be read: {str(error).partition(chr(10))[0]}"


def _image_beginning(row: Row) -> str:
    """How the path of a task's image begins, whatever its target, seed and recipe."""
    return f"images/{safe(row['model'])}/{safe(row['layer'])}/{safe(row['metric'])}/{row['channel']}"
