"""Whether an object store can hold an atlas: it must create and replace on a condition, and it is tried before any work.

A store that ignores a condition and says that all is well would let two runs think that each is alone.
"""

import uuid
from functools import cache

from atlas.config.extras import install, lacks
from atlas.store.bucket_path import BucketPath, is_remote, path_of

SCHEMES = ("s3", "gs", "az")  # of URLs


def store_mistakes(out: str) -> list[str]:
    """The mistake in `out=`, a URL, if there is one; a small object below it is written, and removed."""
    scheme, _, rest = out.partition("://")
    if scheme not in SCHEMES:
        schemes = ", ".join(f"{name}://" for name in SCHEMES)
        return [f"out={out}: no storage that is known; folders can be written, and {schemes}"]
    bucket, _, prefix = rest.partition("/")
    if not bucket or not prefix.strip("/"):
        return [f"out={out}: name a bucket and a prefix in it, as out={scheme}://bucket/atlases/mine"]
    if lacks("obstore"):
        return [f"out={out}: needs obstore, which is not installed: {install('s3')}"]
    root = path_of(out)
    assert is_remote(root)
    return [f"out={out}: {reason}" for reason in _reasons(root)]


@cache
def _reasons(root: BucketPath) -> tuple[str, ...]:
    """Why a store cannot be written to as an atlas needs it; once for each place and process."""
    sign = root / "staging" / f"nonce-{uuid.uuid4().hex}"
    try:
        if reason := _broken_condition(sign):
            return (reason,)
    except OSError as error:
        return (f"cannot be written ({error.strerror or error}); see to its address, its keys and the bucket",)
    finally:
        _remove(sign)
    return ()


def _broken_condition(sign: BucketPath) -> str | None:
    """Which condition a store does not keep; None: it keeps both."""
    ignores = (
        "this store ignores {} when it writes, so two runs could each think that they are alone; take another store"
    )
    if not sign.create(b"first"):
        return "this store says that a new object is there already; take another store"
    first = sign.facts()
    if sign.create(b"second"):
        return ignores.format("If-None-Match")
    if not sign.replace_if(first, b"third"):
        return "this store refuses If-Match with the tag that it gave; take another store"
    if sign.replace_if(first, b"fourth"):
        return ignores.format("If-Match")
    return None


def _remove(sign: BucketPath) -> None:
    try:
        sign.unlink()
    except OSError:
        # swept with the rest of staging/ by the next run
        return
