"""Files that libraries map into memory, which an object store cannot give: a folder there has a copy on this machine."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Self
from weakref import finalize

from atlas.store.bucket_path import is_remote
from atlas.store.files import write_bytes


class LocalFolder:
    """A folder on this machine; of an object store's a copy, which goes when nobody holds it any more."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = Path(mkdtemp(prefix="atlas-")) if path is None else path
        if path is None:
            finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    @classmethod
    def instead_of(cls, folder: Path) -> Self:
        """Where files for a folder are written first."""
        if is_remote(folder):
            return cls()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @classmethod
    def copy_of(cls, folder: Path) -> Self:
        """The files of a folder. OSError: the storage."""
        if not is_remote(folder):
            return cls(folder)
        copy = cls()
        for file in folder.rglob("*"):
            (copy.path / file.name).write_bytes(file.read_bytes())
        return copy

    def send_to(self, folder: Path) -> None:
        """Bring the files to the folder that they are for."""
        if folder != self.path:
            for file in sorted(self.path.iterdir()):
                write_bytes(folder / file.name, file.read_bytes())
