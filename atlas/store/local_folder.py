"""Files that libraries map into memory, which an object store cannot give: those that are asked for have a copy here."""

import shutil
import uuid
from pathlib import Path
from tempfile import mkdtemp
from weakref import finalize

from atlas.store.bucket_path import is_remote


class LocalFolder:
    """A folder whose files are written once; of an object store's, those that were asked for, while somebody holds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._copies = Path(mkdtemp(prefix="atlas-")) if is_remote(folder) else folder
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
