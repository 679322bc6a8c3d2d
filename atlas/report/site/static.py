"""The page itself, out of the files in static/: one HTML file, all scripts as one, all styles as one, a font.

Scripts from file:// cannot be modules, so they are joined here, in an order in which nothing is read before
it is there; the libraries come first, as they were published.
"""

import html
import json
from pathlib import Path
from string import Template

from atlas.report import colours
from atlas.report.examples import STRONGEST
from atlas.report.fonts import WEB
from atlas.report.marks import digest_of
from atlas.report.site.site_ledger import SiteLedger
from atlas.store.paths import AtlasPaths

STATIC = Path(__file__).parent / "static"
# of report/colours.py: the site's colours are those of the drawn maps
SHARED = ("ONE_SIDED", "HEAT", "SIGNED", "DEPTH", "OPPOSED", "SELF")
# in vendor/, each beside its licence: templates for elements, and search that forgives a wrong letter
LIBRARIES = ("htm", "ufuzzy")
# in js/: what is used everywhere, then the parts that pages are made of, the pages, and what lies around them
SCRIPTS = (
    *("load", "dom", "numbers", "atlas", "routes", "words", "pictures", "canvas", "colours", "chance", "find"),
    *(
        "selection",
        "trail",
        "filters",
        "wall",
        "charts",
        "examples",
        "images",
        "sentence",
        "neighbors",
        "thumbs",
        "points",
    ),
    *(
        "home",
        "relations",
        "layer",
        "lists",
        "feature",
        "map",
        "mosaic",
        "plane",
        "matrix",
        "levels",
        "square",
        "pairs",
    ),
    *("compare", "picking", "layers", "bookmarks", "search", "bar", "keys", "app"),
)
# in css/: of two rules that say the same of an element, the later one holds
STYLES = ("base", "pictures", "home", "layer", "feature", "map", "matrix", "compare", "overlays")


def write_static(paths: AtlasPaths, ledger: SiteLedger, name: str, sentence: str) -> None:
    """Write index.html, atlas.js, atlas.css and the font, unless they are there."""
    contents = {
        paths.site_page: page(name, sentence),
        paths.site / "atlas.js": scripts(),
        paths.site / "atlas.css": styles(),
        paths.site / WEB.name: WEB.read_bytes(),
    }
    for file, data in contents.items():
        ledger.write(file, digest_of(data), lambda data=data: data)


def page(name: str, sentence: str, cover: str = "") -> bytes:
    """index.html: an empty page that loads styles and scripts, and what others show of a link to it.

    cover: the address of a picture, or "".
    """
    picture = f'<meta property="og:image" content="{html.escape(cover)}">' if cover else ""
    words = {"name": html.escape(name), "sentence": html.escape(sentence), "cover": picture}
    return Template((STATIC / "index.html").read_text(encoding="utf-8")).substitute(words).encode()


def scripts() -> bytes:
    """The libraries, and then our own scripts."""
    libraries = ((STATIC / "vendor" / f"{name}.js").read_bytes().rstrip() + b"\n" for name in LIBRARIES)
    return b"".join(libraries) + own_scripts()


def own_scripts() -> bytes:
    """Our scripts as one function, so that no name of theirs is global, after the colours that they share with the maps."""
    constants = {name: getattr(colours, name) for name in SHARED} | {"STRONGEST": STRONGEST}
    shared = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
    return b'(() => { "use strict";\n' + shared.encode() + _joined(SCRIPTS, "js") + b"})();\n"


def styles() -> bytes:
    """All styles as one."""
    return _joined(STYLES, "css")


def _joined(names: tuple[str, ...], ending: str) -> bytes:
    files = (STATIC / ending / f"{name}.{ending}" for name in names)
    return b"".join(file.read_bytes().rstrip() + b"\n" for file in files)
