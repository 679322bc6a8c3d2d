"""Publishes files that workers have finished, from staging/ to their place in the atlas; logs the run."""

import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atlas.engine.pulse import forget_pulse
from atlas.records import Part, Receipt, Shard
from atlas.store.bucket_path import is_remote
from atlas.store.event_log import EventLog
from atlas.store.files import publish, write_bytes
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from atlas.store.sweeping import sweep
from atlas.store.writing import parts_at_work

AT_ONCE = ("begin", "end")  # events that are told at once wherever that costs a request


class Publisher:
    """The only writer that takes files out of staging/. A shard is done when its files stand in the atlas."""

    def __init__(
        self,
        paths: AtlasPaths,
        lock: Lock,
        part: Part | None = None,
        *,
        publish: Callable[[Path, Path], None] = publish,
    ) -> None:
        """part: of a job. publish: moves a file from a path to a path; OSError where the storage fails."""
        self.paths, self.lock, self._publish = paths, lock, publish
        self.part, self.events = part, EventLog(paths.events_of(part))
        self.nonce = f"nonce-{uuid.uuid4().hex}"  # a file that every worker must see before it begins

    def sweep_staging(self) -> None:
        """Remove what killed runs left, unless parts of a job are at work, and put the file there that workers must see."""
        if not set(parts_at_work(self.paths)) - {self.part}:
            sweep(self.paths)
        write_bytes(self.paths.staging / self.nonce, b"")

    def pulse(self, shard: str) -> Path:
        """Where a worker tells how far a shard is."""
        return self.paths.pulse(shard)

    def new_note(self) -> Path:
        """A new file in staging/, in which a worker may note what it is at."""
        return self.paths.staging.absolute() / f"note-{uuid.uuid4().hex}"

    def commit(self, receipt: Receipt, shard: Shard) -> None:
        """Publish a worker's files in their order; from then on they are part of the atlas.

        OSError: the storage fails; call again, any number of times. Locked: another run has taken the atlas over.
        """
        self.lock.check()
        for file in receipt.files:
            source, target = self.paths.root / file, self.paths.root / _published(file)
            # the last file makes a shard done: without it, others are what a killed run has left
            if is_remote(target) and file != receipt.files[-1] and source.is_file():
                target.unlink()
            self._publish(source, target)
        if not is_remote(self.paths.staging):
            _remove_folders(self.paths, receipt)
        with suppress(OSError):
            forget_pulse(self.pulse(shard.id))
        self.log("commit", shard=shard.id, model=shard.model, doing=shard.label, **_counts(receipt))

    def log(self, event: str, **facts: Any) -> None:
        """Append a line to events.jsonl; a full disk does not end the run for the sake of its log."""
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts})
        with suppress(OSError):
            self.events.append(line, at_once=event in AT_ONCE)


def _published(file: str) -> Path:
    """The path, relative to the atlas, at which `staging/<attempt>/<path>` is published."""
    return Path(*Path(file).parts[2:])


def _remove_folders(paths: AtlasPaths, receipt: Receipt) -> None:
    """Remove the folders of a receipt's files, which are empty now, and as many as there are shards."""
    folders = {paths.root / folder for file in receipt.files for folder in list(Path(file).parents)[:-2]}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):
            folder.rmdir()


def _counts(receipt: Receipt) -> dict[str, Any]:
    return {
        "ok": receipt.ok,
        "dead": receipt.dead,
        "failed": receipt.failed,
        "seconds": round(receipt.seconds, 2),
        "batch": receipt.batch,
        "peak_mib": receipt.peak_bytes >> 20,
    }
