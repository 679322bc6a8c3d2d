"""The page on which one drops a picture, and the link that leads to it where there is one."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from playwright.sync_api import Browser

from atlas.query.asking import ASK_COLUMNS
from atlas.query.atlas import Atlas
from tests.browser.visit import Visit, served, visiting

pytestmark = pytest.mark.job

BOX = {"x0": 10, "y0": 5, "x1": 30, "y1": 25}
ROWS = [
    {"feature": "alpha/conv1:2", "z": 5.25, "response": 1.5, "rank": 1, **BOX, "name": "<b>dots</b>"},
    {"feature": "beta net/block/0:7", "z": 3.0, "response": 0.5, "rank": 2, **BOX, "name": None},
]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What an atlas without networks was asked; it always answers the same."""
    asked: list[dict[str, Any]] = []

    def ask(self: Atlas, picture: Image.Image, top: int = 20, **options: Any) -> pa.Table:
        asked.append({"size": picture.size, "top": top, **options})
        return pa.Table.from_pylist(ROWS, schema=ASK_COLUMNS)

    monkeypatch.setattr(Atlas, "ask", ask)
    return asked


def test_a_picture_is_dropped_and_its_features_are_shown(
    browser: Browser, made: Path, tmp_path: Path, answered: list[dict[str, Any]]
) -> None:
    Image.new("RGB", (60, 40), (200, 90, 40)).save(tmp_path / "mine.png")
    with served(made) as address, visiting(browser, made, address) as visit:
        page = visit.page
        page.goto(f"{address}ask")
        page.wait_for_selector("#model option:nth-child(2)", state="attached")
        page.set_input_files("#file", tmp_path / "mine.png")
        page.wait_for_selector("#rows li:nth-child(2)")
        assert answered == [{"size": (60, 40), "top": 20}]
        first = page.locator("#rows li").first
        assert "<b>dots</b>" in first.inner_text() and "z 5.3" in first.inner_text()
        assert first.locator("img").get_attribute("alt") == "the image made for alpha/conv1:2"
        assert page.locator("#picture").evaluate("(one) => [one.width, one.height]") == [60, 40]
        first.locator("a").hover()
        assert "alpha/conv1:2" in page.inner_text("#caption")
        page.select_option("#model", "beta net")
        page.wait_for_function("document.querySelector('#layer').options.length === 2")
        page.wait_for_timeout(200)
        assert answered[-1] == {"size": (60, 40), "top": 20, "model": "beta net"}
        first.locator("a").click()
        page.wait_for_selector("h1")
        assert page.url == f"{address}site/index.html#/f/alpha/conv1/2"
        page.wait_for_selector("#bar a[href='/ask']")  # the site asks, too, and is not left before it has its answer


def test_what_is_too_large_is_not_sent(
    browser: Browser, made: Path, tmp_path: Path, answered: list[dict[str, Any]]
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(21 * 2**20))
    with served(made) as address, visiting(browser, made, address) as visit:
        visit.page.goto(f"{address}ask")
        visit.page.wait_for_selector("#model option:nth-child(2)", state="attached")
        visit.page.set_input_files("#file", large)
        visit.page.wait_for_selector("#told.bad")
        assert "at most 20 are taken" in visit.page.inner_text("#told")
    assert answered == []


def test_only_a_server_has_the_link(visit: Visit, served_visit: Visit) -> None:
    served_visit.go()
    served_visit.page.wait_for_selector("#bar a[href='/ask']")
    visit.go()
    visit.page.wait_for_timeout(200)
    assert visit.all("#bar a[href='/ask']").count() == 0
