"""Objects of an object store (S3, Google, Azure) by bucket and key: each call is one request, its errors are OSErrors.

What obstore does is whole or absent: an object is there once all of it has arrived. Imported where a URL names an atlas,
and nowhere else: obstore is an extra.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

SCHEMES = ("s3", "gs", "az")
# a store that is down is told within a minute; the driver tries again for longer
RETRIES = {"max_retries": 5, "retry_timeout": timedelta(seconds=45)}
CLIENT = {"allow_http": True, "timeout": "60s", "connect_timeout": "10s"}
LONGEST = 300  # characters of a store's own message


@dataclass(frozen=True)
class ObjectFacts:
    """What a store says of an object."""

    size: int  # bytes
    time: float  # when it was last written, by the store's clock
    tag: str  # another one whenever the object is another
    version: str | None = None  # the same, where the store goes by numbers (Google)


@cache
def _store(bucket: str) -> ObjectStore:
    return from_url(bucket, client_options=CLIENT, retry_config=RETRIES)


def put(bucket: str, key: str, data: bytes) -> None:
    """Write an object, whether or not there is one."""
    with _as_os_errors(bucket, key):
        obstore.put(_store(bucket), key, data)


def create(bucket: str, key: str, data: bytes) -> bool:
    """Write an object that is not there yet; False when there is one. Of several who try, one does."""
    with _as_os_errors(bucket, key):
        try:
            obstore.put(_store(bucket), key, data, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
    return True


def replace(bucket: str, key: str, data: bytes, former: ObjectFacts) -> bool:
    """Write an object in place of a former one; False when that is another by now, or gone."""
    mode: Any = {"e_tag": former.tag} | ({"version": former.version} if former.version else {})
    with _as_os_errors(bucket, key):
        try:
            obstore.put(_store(bucket), key, data, mode=mode, use_multipart=False)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
    return True


def get(bucket: str, key: str) -> bytes:
    """All of an object; FileNotFoundError."""
    with _as_os_errors(bucket, key):
        return bytes(obstore.get(_store(bucket), key).bytes())


def get_range(bucket: str, key: str, start: int, stop: int) -> bytes:
    """The bytes of an object from `start` up to `stop`."""
    with _as_os_errors(bucket, key):
        return bytes(obstore.get_range(_store(bucket), key, start=start, end=stop))


def facts(bucket: str, key: str) -> ObjectFacts:
    """What there is to say of an object; FileNotFoundError."""
    with _as_os_errors(bucket, key):
        return _facts(obstore.head(_store(bucket), key))


def under(bucket: str, key: str) -> Iterator[tuple[str, ObjectFacts]]:
    """Every object below a key, however deep: one call for a thousand."""
    with _as_os_errors(bucket, key):
        for metas in obstore.list(_store(bucket), key or None, chunk_size=1000):
            yield from ((meta["path"], _facts(meta)) for meta in metas)


def children(bucket: str, key: str) -> tuple[list[str], dict[str, ObjectFacts]]:
    """What lies directly below a key: the folders, and the objects."""
    with _as_os_errors(bucket, key):
        listing = obstore.list_with_delimiter(_store(bucket), key or None)
    return list(listing["common_prefixes"]), {meta["path"]: _facts(meta) for meta in listing["objects"]}


def delete(bucket: str, keys: Sequence[str]) -> None:
    """Remove objects; one that is not there is no error."""
    if not keys:
        return
    with _as_os_errors(bucket, keys[0]):
        try:
            obstore.delete(_store(bucket), list(keys))
        # some stores say so of what S3 is silent of, and delete none of those after it
        except FileNotFoundError:
            for key in keys:
                with suppress(FileNotFoundError):
                    obstore.delete(_store(bucket), key)


def _facts(meta: Any) -> ObjectFacts:
    return ObjectFacts(meta["size"], meta["last_modified"].timestamp(), meta["e_tag"] or "", meta["version"])


@contextmanager
def _as_os_errors(bucket: str, key: str) -> Iterator[None]:
    """A store's error as the system would say it of a file: no rights, or a fault that may pass."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no such object", f"{bucket}/{key}") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PermissionError(errno.EACCES, _message(error), f"{bucket}/{key}") from error
    except BaseError as error:
        raise OSError(errno.EIO, _message(error), f"{bucket}/{key}") from error


def _message(error: Exception) -> str:
    line = str(error).partition("\n")[0].partition(": <?xml")[0]
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
