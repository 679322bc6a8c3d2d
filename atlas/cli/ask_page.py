"""The page of `atlas serve` on which one drops a picture, and what it must know of the atlas."""

from pathlib import Path
from typing import Any

from atlas.cli.upload import MOST_BYTES, MOST_PIXELS
from atlas.query.asking import probe_of
from atlas.query.atlas import Atlas

STATIC = Path(__file__).parent / "static"
KINDS = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
# path: content and type; no file of an atlas has such a path
ASK_FILES = {
    path: ((STATIC / name).read_bytes(), KINDS[name.rpartition(".")[2]])
    for path, name in {"/ask": "ask.html", "/ask.js": "ask.js", "/ask.css": "ask.css"}.items()
}


def about_asking(atlas: Atlas) -> dict[str, Any]:
    """What may be sent, and asked: limits, layers by model, the probe (null before similarity ran), where pages are."""
    layers: dict[str, list[str]] = {}
    for row in atlas.layers.to_pylist():
        layers.setdefault(row["model"], []).append(row["layer"])
    paths = atlas.paths
    return {
        "name": str(atlas.manifest.get("name") or atlas.path.name),
        "bytes": MOST_BYTES,
        "pixels": MOST_PIXELS,
        "layers": layers,
        "probe": probe_of(atlas),
        "site": f"/{paths.relative(paths.site_page)}" if paths.site_page.is_file() else None,
    }
