"""Every promise that can be read off the files of an atlas: what is broken, what is missing, or nothing at all."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.query.verify.faults import image_fault, row_faults
from atlas.query.verify.report import Problem, Report
from atlas.store.comparisons import read_comparisons
from atlas.store.index import FAILURES, INDEX, TRACES, files_under, read_table
from atlas.store.lock import is_alive, read_owner
from atlas.store.manifest import NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths, safe
from atlas.store.plans import PLAN

AFTER_CHANNEL = re.compile(r"(/\d+)[^/]*$")  # target, seed, variant and ending of an image's path
PENDING = 256  # images handed to the threads at once: bounds the memory, however many there are


def verify(paths: AtlasPaths, tell: Callable[[int], None] = lambda images: None) -> Report:
    """Look at every file once; `tell` hears of the images checked so far."""
    check = _Check(paths)
    check.manifest()
    on_disk = check.image_files()
    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        rows = (row for path in files_under(paths.index) for row in check.index_file(path))
        while group := list(islice(rows, PENDING)):
            for row, fault in zip(group, pool.map(check.image, group), strict=True):
                check.report.images += 1
                if fault:
                    check.report.blame(row["image"] or row["feature"], fault)
            tell(check.report.images)
    for path in files_under(paths.failures):
        check.failure_file(path)
    for path in files_under(paths.traces):
        check.trace_file(path)
    check.plans()
    check.compared()
    check.leftovers(on_disk)
    return check.report


class _Check:
    """What must be remembered between files: whose task, whose image, how long the vectors of a layer are."""

    def __init__(self, paths: AtlasPaths) -> None:
        self.paths, self.report = paths, Report()
        owner = read_owner(paths.lock)
        self.live = owner is not None and is_alive(owner)
        self.tasks: dict[str, str] = {}  # task: the file that holds it
        self.images: dict[str, str] = {}  # image: its task
        self.lengths: dict[tuple[str, ...], int] = {}
        self.unmade: set[str] = set()  # beginnings of image paths whose tasks are not done
        self.failed: set[str] = set()

    def manifest(self) -> None:
        try:
            read_manifest(self.paths.manifest)
        except NotAnAtlas as error:
            self.report.blame("atlas.json", str(error))

    def index_file(self, path: Path) -> Iterator[dict]:
        """Check a file of the index by itself; yields its rows for their images to be looked at."""
        table = self._read(path, INDEX)
        if table is None:
            return
        name = self.paths.relative(path)
        for row, faults in row_faults(table, self.lengths):
            place = f"{name} {row['feature']}"
            if path.parent != self.paths.layer_index(row["model"] or "", row["layer"] or ""):
                faults.append(f"lies in another layer's folder than {row['model']}/{row['layer']}")
            if row["task"] in self.tasks:
                faults.append(f"task {row['task']} stands also in {self.tasks[row['task']]}")
            if row["image"] in self.images:
                faults.append(f"{row['image']} is also the image of task {self.images[row['image']]}")
            for fault in faults:
                self.report.blame(place, fault)
            self.tasks[row["task"]], self.images[row["image"]] = name, row["task"]
            self.report.ok += row["status"] == "ok"
            self.report.dead += row["status"] == "dead"
            yield row

    def image(self, row: dict) -> str | None:
        return image_fault(self.paths.root, row)

    def failure_file(self, path: Path) -> None:
        table = self._read(path, FAILURES)
        for row in table.to_pylist() if table is not None else ():
            task, place = row["task"], f"{row['feature']} {row['metric']} seed {row['seed']}"
            if task in self.failed or task in self.tasks:
                where = self.tasks.get(task, "another file of failures")
                self.report.blame(self.paths.relative(path), f"failed task {task} ({place}) stands also in {where}")
                continue
            message = (row["error_message"] or "").strip().rpartition("\n")[2]
            self.report.problems.append(Problem("failed", place, f"{row['error_type']}: {message}"))
            self.report.failed += 1
            self.failed.add(task)
            self.unmade.add(_beginning(row))

    def trace_file(self, path: Path) -> None:
        """What channels did along the way is of images that are there."""
        table = self._read(path, TRACES, ["task"])
        for task in set(table["task"].to_pylist()) - self.tasks.keys() if table is not None else ():
            self.report.blame(self.paths.relative(path), f"tells of task {task}, which no image has")

    def plans(self) -> None:
        """What is left to do, and what was made though nobody planned it."""
        planned: set[str] = set()
        left: Counter[str] = Counter()
        for row in (row for path in files_under(self.paths.plans) for row in self._plan_rows(path)):
            if row["task"] not in planned and row["task"] not in self.tasks and row["task"] not in self.failed:
                left[f"{row['model']}/{row['layer']} {row['metric']}"] += 1
                self.unmade.add(_beginning(row))
            planned.add(row["task"])
        for place, number in left.items():
            self.report.problems.append(Problem("left", place, f"{number:,} images are left to do"))
        for task in (self.tasks.keys() | self.failed) - planned:
            self.report.blame(self.tasks.get(task, "failures"), f"task {task} is in no plan")
        self.report.planned, self.report.left = len(planned), left.total()

    def compared(self) -> None:
        """The tables and maps that similarity says it left."""
        for file in (file for told in read_comparisons(self.paths).values() for file in told.get("files", [])):
            path = self.paths.root / file
            if not path.is_file():
                self.report.blame(file, "is missing; `atlas similarity` makes it again")
            elif path.suffix == ".parquet":
                self.report.files += 1
                try:
                    read_table(path)
                except (OSError, ValueError) as error:
                    self.report.blame(file, f"cannot be read: {str(error).partition(chr(10))[0]}")

    def image_files(self) -> list[str]:
        """Files under images/, listed before the index is read: one that appears later belongs to a run at work."""
        return [self.paths.relative(path) for path in self.paths.images.rglob("*") if path.is_file()]

    def leftovers(self, on_disk: Iterable[str]) -> None:
        """Images without a row and half files. An image of a task that is not done yet is what a killed shard left."""
        for image in on_disk:
            known = image in self.images or AFTER_CHANNEL.sub(r"\1", image) in self.unmade
            if not known and not image.endswith(".part"):
                self.report.blame(image, "an image without a row")
        for path in self.paths.root.rglob("*.part"):
            if not path.is_relative_to(self.paths.staging) and not self.live:
                self.report.blame(self.paths.relative(path), "a half file, left by a process that was killed")

    def _plan_rows(self, path: Path) -> Iterator[dict]:
        table = self._read(path, PLAN, ["task", "model", "layer", "metric", "channel"])
        for batch in table.to_batches(max_chunksize=10_000) if table is not None else ():
            yield from batch.to_pylist()

    def _read(self, path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table | None:
        self.report.files += 1
        name = self.paths.relative(path)
        try:
            found = pq.read_schema(path)
            if found.equals(schema):
                return read_table(path, columns)
        except (OSError, ValueError) as error:
            self.report.blame(name, f"cannot be read: {str(error).partition(chr(10))[0]}")
            return None
        wrong = [name for name in {*found.names, *schema.names} if not _same(found, schema, name)]
        self.report.blame(name, f"has other columns than this version writes: {', '.join(sorted(wrong))}")
        return None


def _same(found: pa.Schema, schema: pa.Schema, name: str) -> bool:
    return name in found.names and name in schema.names and found.field(name).equals(schema.field(name))


def _beginning(row: dict) -> str:
    return f"images/{safe(row['model'])}/{safe(row['layer'])}/{safe(row['metric'])}/{row['channel']}"
