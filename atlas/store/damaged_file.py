"""A Parquet file that cannot be read: one rule for what is its damage, and what the storage's own error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

# a footer, unlike a page, has no checksum: what is wrong in it may show in any way
SYMPTOMS = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, KeyError, TypeError)


class DamagedFile(OSError):
    """A Parquet file that cannot be read, though the storage gives its bytes; the message names it and the remedy."""

    def __init__(self, path: Path, error: BaseException) -> None:
        self.path, self.reason = path, str(error).partition("\n")[0] or type(error).__name__
        super().__init__(f"{path} is damaged ({self.reason}); retry=broken makes again what it held")


@contextmanager
def damage_of(path: Path) -> Iterator[None]:
    """Within it a file is read: whatever that stumbles over is DamagedFile. OSError: the storage, which gives a number."""
    try:
        yield
    except SYMPTOMS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedFile(path, error) from error
