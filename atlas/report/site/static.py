"""The page itself, out of the files in static/: one HTML file, all scripts as one, all styles as one.

Scripts from file:// cannot be modules, so they are joined here, in an order in which nothing is read before
it is there.
"""

import json
from pathlib import Path

from atlas.report.examples import HEAT, STRONGEST
from atlas.report.marks import digest_of
from atlas.report.page import colours
from atlas.report.site.site_ledger import SiteLedger
from atlas.store.paths import AtlasPaths

STATIC = Path(__file__).parent / "static"
# of page/colours.py: the site's colours are those of the drawn maps
SHARED = ("ONE_SIDED", "SIGNED", "DEPTH", "OPPOSED")
# in js/: what is used everywhere, then the parts that pages are made of, the pages, and what lies around them
SCRIPTS = (
    *("load", "dom", "numbers", "atlas", "routes", "words", "pictures", "canvas", "colours"),
    *("home", "relations", "wall", "layer", "charts", "examples", "feature", "neighbors"),
    *("points", "map", "plane", "square", "pairs", "matrix", "compare", "layers"),
    *("search", "bookmarks", "bar", "keys", "app"),
)
# in css/: of two rules that say the same of an element, the later one holds
STYLES = ("base", "pictures", "home", "layer", "feature", "map", "matrix", "compare", "overlays")


def write_static(paths: AtlasPaths, ledger: SiteLedger) -> None:
    """Write index.html, atlas.js and atlas.css, unless they are there."""
    contents = {paths.site_page: page(), paths.site / "atlas.js": scripts(), paths.site / "atlas.css": styles()}
    for file, data in contents.items():
        ledger.write(file, digest_of(data), lambda data=data: data)


def page() -> bytes:
    """index.html: an empty page that loads the styles and the scripts."""
    return (STATIC / "index.html").read_bytes()


def scripts() -> bytes:
    """All scripts as one function, so that no name of theirs is global, after the colours that they share with the maps."""
    constants = {name: getattr(colours, name) for name in SHARED} | {"HEAT": HEAT, "STRONGEST": STRONGEST}
    shared = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
    return b'(() => { "use strict";\n' + shared.encode() + _joined(SCRIPTS, "js") + b"})();\n"


def styles() -> bytes:
    """All styles as one."""
    return _joined(STYLES, "css")


def _joined(names: tuple[str, ...], ending: str) -> bytes:
    files = (STATIC / ending / f"{name}.{ending}" for name in names)
    return b"".join(file.read_bytes().rstrip() + b"\n" for file in files)
