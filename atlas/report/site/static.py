"""The page itself: one HTML file, all scripts as one, all styles as one."""

import json
from pathlib import Path

from atlas.report.page import colours
from atlas.report.site.site_ledger import SiteLedger, digest_of
from atlas.store.paths import AtlasPaths

NUMBERS = (
    "ONE_SIDED",
    "SIGNED",
    "DEPTH",
    "OPPOSED",
)  # of report/colours.py: the site's colours are those of the drawn maps
STATIC = Path(__file__).parent / "static"


def write_static(paths: AtlasPaths, ledger: SiteLedger) -> None:
    contents = {paths.site_page: page(), paths.site / "atlas.js": scripts(), paths.site / "atlas.css": styles()}
    for file, data in contents.items():
        ledger.write(file, digest_of(data), lambda data=data: data)


def page() -> bytes:
    return (STATIC / "index.html").read_bytes()


def scripts() -> bytes:
    """The scripts in the order of their names, after the colours that they share with the maps, in a scope of their own."""
    shared = "".join(f"const {name} = {json.dumps(getattr(colours, name))};\n" for name in NUMBERS)
    return b'(() => { "use strict";\n' + shared.encode() + _joined("js") + b"})();\n"


def styles() -> bytes:
    return _joined("css")


def _joined(ending: str) -> bytes:
    files = sorted((STATIC / ending).glob(f"*.{ending}"))
    return b"".join(file.read_bytes().rstrip() + b"\n" for file in files)
