"""The files of a site as tests read them back: what a script puts, what a cell of a sheet shows."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from made_atlas import Made
from PIL import Image

from atlas.records import Address, Target
from atlas.store.images import to_pil, write_pixels
from atlas.store.index import Row, read_table
from atlas.store.paths import AtlasPaths, image_path

LAYERS = (
    Made("alpha", "conv1", 8, 8, index=0, dead=(3,), size=96),
    Made("alpha", "conv2", 12, 12, index=1, failed=(5,), size=96),
    Made("beta net", "block/0", 20, 16, index=0, size=32),
)


def put(file: Path) -> tuple[str, Any]:
    """What a data file puts: its key and value."""
    text = file.read_bytes().decode("ascii")
    assert text.startswith("atlas.put(") and text.endswith(");")
    key, value = json.loads(f"[{text[len('atlas.put(') : -len(');')]}]")
    return key, value


def value(paths: AtlasPaths, key: str) -> Any:
    found, told = put(paths.site / "data" / f"{key}.js")
    assert found == key
    return told


def layer_of(paths: AtlasPaths, model: str, layer: str) -> Any:
    """A layer as the overview tells it."""
    models = value(paths, "atlas")["models"]
    (found,) = (one for told in models if told["name"] == model for one in told["layers"] if one["name"] == layer)
    return found


def data_of(paths: AtlasPaths, model: str, layer: str, name: str = "layer") -> Any:
    """A file of a layer, where the overview says that it lies."""
    return value(paths, f"layers/{layer_of(paths, model, layer)['path']}/{name}")


def sheet_of(paths: AtlasPaths, model: str, layer: str, name: str) -> Path:
    return paths.site_sprites(layer_of(paths, model, layer)["path"], name)


def files(paths: AtlasPaths) -> dict[str, tuple[int, bytes]]:
    """Every file of the site: when it was written, and what it holds."""
    found = (path for path in paths.site.rglob("*") if path.is_file() and path != paths.site_ledger)
    return {path.relative_to(paths.site).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def changed(paths: AtlasPaths, before: dict[str, tuple[int, bytes]]) -> set[str]:
    return {name for name, stamp in files(paths).items() if before.get(name, (0, b""))[0] != stamp[0]}


def cell_of(sheet: Path, place: int, cell: int = 96, columns: int = 16) -> np.ndarray:
    with Image.open(sheet) as opened:
        left, top = place % columns * cell, place // columns * cell
        return np.asarray(opened.convert("RGB").crop((left, top, left + cell, top + cell)), float)


def picture_of(path: Path, cell: int = 96) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS), float)


def apart(shown: np.ndarray, image: np.ndarray) -> float:
    """How far the mean colors of a cell and a picture are apart."""
    return float(np.abs(shown.mean((0, 1)) - image.mean((0, 1))).max())


def unpacked(told: Any) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(told["data"]), np.uint8)
    return told["low"] + steps / 255 * (told["high"] - told["low"])


def neighbors_of(told: Any, channel: int, name: str) -> list[dict[str, Any]]:
    """A list of a feature as a page reads it out of its columns."""
    near, layer, channels, reverse, falls, excess = told["features"][str(channel)]["neighbors"][name]
    layers = layer if isinstance(layer, list) else [layer] * len(channels)
    scores = np.cumsum(-np.array(falls))
    rows = enumerate(zip(layers, channels, reverse, scores.tolist(), excess, strict=True))
    step = told["steps"][name]
    return [
        {
            "sign": 1 if place < near else -1,
            "dst": str(Address(*told["layers"][number], other)),
            "rank": place + 1 - near * (place >= near),
            "score": score * step,
            "baseline": None if beyond is None else (score - beyond) * step,
            "rank_rev": back or None,
        }
        for place, (number, other, back, score, beyond) in rows
    ]


def row_of(paths: AtlasPaths, made: Made, metric: str, channel: int, **changes: Any) -> Row:
    """A row of the index for an image of one's own, which is written too."""
    tables = sorted(paths.layer_index(made.model, LAYERS[0].layer).glob("*.parquet"))
    row = read_table(tables[0]).to_pylist()[0]
    feature = Address(made.model, made.layer, channel)
    variant, target = changes.pop("variant", ""), changes.pop("target", Target())
    row |= {"feature": str(feature), "layer": made.layer, "channel": channel, "metric": metric, "target": target.label}
    row |= {"model": made.model, **changes}
    row["image"] = image_path(feature, metric, target, row["seed"], variant)
    row["task"] = f"{row['image']}{row['recipe']}"
    row["image_sha256"] = write_pixels(
        paths.root / row["image"], to_pil(np.full((3, 96, 96), 0.25 + channel / 40, np.float32))
    )
    return row
