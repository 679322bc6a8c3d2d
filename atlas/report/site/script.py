"""Data as a browser takes it from file://: a classic script of one statement."""

import json
from typing import Any

Json = dict[str, Any]


def script(key: str, value: Any) -> bytes:
    """`atlas.put("<key>", <JSON>);` in ASCII, so that no character can matter; ValueError for NaN, which JSON has not."""
    return f"atlas.put({_json(key)}, {_json(value)});".encode("ascii")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
