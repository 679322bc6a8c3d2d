"""Files that libraries map into memory, which an object store cannot give: those that are asked for have a copy here."""

import os
import re
import shutil
import uuid
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from weakref import finalize

from atlas.store.bucket_path import is_remote
from atlas.store.lock import process_start

PREFIX = "atlas-copies-"  # of a folder of copies; the number of its process follows


class LocalFolder:
    """A folder whose files are written once; of an object store's, those that were asked for, while somebody holds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if is_remote(folder):
            _remove_left()
        self._copies = Path(mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")) if is_remote(folder) else folder
        if is_remote(folder):
            finalize(self, shutil.rmtree, self._copies, ignore_errors=True)

    def file(self, name: str) -> Path:
        """A file of the folder, on this machine. OSError: the storage."""
        file = self._copies / name
        if is_remote(self.folder) and not file.exists():
            part = file.with_name(f".{uuid.uuid4().hex}.part")
            part.write_bytes((self.folder / name).read_bytes())
            part.replace(file)
        return file


def _remove_left() -> None:
    """Remove the copies of processes that are gone: one that was killed, as actors are, could not remove its own."""
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        process = re.match(rf"{PREFIX}(\d+)-", folder.name)
        if process is not None and process_start(int(process[1])) is None:
            shutil.rmtree(folder, ignore_errors=True)
