"""The page's files: all of them are listed, and `make lint` finds what is wrong in the joined scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.report.fonts import FONTS, LICENSED, WEB
from atlas.report.site import static

OXLINT = Path(sys.executable).with_name("oxlint")
HEAD = '(() => { "use strict";\n'


@pytest.mark.parametrize(("names", "ending"), [(static.SCRIPTS, "js"), (static.STYLES, "css")])
def test_every_file_is_listed_once(names: tuple[str, ...], ending: str) -> None:
    assert sorted(names) == sorted(file.stem for file in (static.STATIC / ending).iterdir())


def test_every_library_lies_beside_its_licence() -> None:
    names = {file.name for file in (static.STATIC / "vendor").iterdir()}
    libraries = {f"{name}.js" for name in static.LIBRARIES}
    assert names == libraries | {f"{Path(name).stem}.LICENSE" for name in libraries}
    assert all(file.is_file() for file in (WEB, *FONTS, LICENSED / "inter.LICENSE"))


def test_a_name_is_escaped_in_the_page() -> None:
    page = static.page('<b>"x"', "a & b", "https://example.org/cover.jpg").decode()
    assert "<title>&lt;b&gt;&quot;x&quot;</title>" in page and 'content="a &amp; b"' in page
    assert '<meta property="og:image" content="https://example.org/cover.jpg">' in page
    assert "og:image" not in static.page("x", "y").decode()


def lint(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    (folder / "atlas.js").write_text(script)
    config = Path(__file__).parents[3] / ".oxlintrc.json"
    words = [str(OXLINT), "--config", str(config), "--deny-warnings", "atlas.js"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("el(undefinedName);", "'undefinedName' is not defined"),
        ("const neverUsed = 1;", "'neverUsed' is declared but never used"),
        ("function neverCalled() {}", "'neverCalled' is declared but never used"),
    ],
)
def test_what_is_undefined_or_unused_is_found(tmp_path: Path, line: str, message: str) -> None:
    script = static.own_scripts().decode()
    assert lint(tmp_path, script).returncode == 0
    refused = lint(tmp_path, script.replace(HEAD, f"{HEAD}{line}\n"))
    assert refused.returncode == 1
    assert message in refused.stdout
