"""Every page, opened by double click; and all that is loaded, also from `atlas serve`."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from made_atlas import Made, make_atlas
from PIL import Image
from playwright.sync_api import Browser, Route

from atlas.query.atlas import Atlas
from atlas.report.site.lists import APART
from atlas.report.site.write import write_site
from tests.browser.visit import Visit, served, visiting

pytestmark = pytest.mark.job

PAGES = {
    "#/": "made",
    "#/l/alpha/conv1": "conv1",
    "#/l/alpha/conv1?order=cluster": "conv1",
    "#/l/beta%20net/block%2F0": "block/0",
    "#/f/alpha/conv1/2": "conv1:2",
    "#/f/alpha/conv1/3": "conv1:3",
    "#/f/alpha/conv2/5": "conv2:5",
    "#/f/beta%20net/block%2F0/19": "block/0:19",
    "#/map/alpha": "alpha",
    "#/matrix/alpha/conv2": "conv2",
    "#/matrix/alpha/conv2?measure=profile": "conv2",
    "#/compare?a=alpha%2Fconv1%3A1&b=alpha%2Fconv2%3A2": "Two features",
    "#/compare?a=alpha%2Fconv1&b=beta%20net%2Fblock%2F0": "Two layers",
    "#/compare": "Compare",
    "#/bookmarks": "Bookmarks",
}


def test_every_page_is_drawn(either_visit: Visit) -> None:
    drawn = {route: either_visit.go(route).heading.replace("\n", "") for route in PAGES}
    assert drawn == PAGES


def test_the_first_page_tells_what_the_atlas_holds_and_what_is_missing(visit: Visit) -> None:
    visit.go()
    text = visit.page.inner_text("#main")
    assert "40 features of 3 layers in 2 networks" in text
    assert "`" not in visit.page.inner_text(".notes")
    assert "8 images" in visit.page.inner_text(".notes")
    assert "1 dead" in text
    assert "1 failed" in text
    assert "4 not made yet" in text
    closest = " ".join(visit.page.inner_text(".closest").split())
    assert closest.startswith(
        "The two most alike of all, beyond chance: conv1:0 and conv1:1 of alpha. They answer to the"
    )
    assert visit.all(".relationtable .head").count() == 2 * 3


def test_layers_are_compared_from_the_first_page_by_pointer_and_by_keys(visit: Visit) -> None:
    visit.go()
    box = visit.all("canvas.pairs").bounding_box()
    visit.all("canvas.pairs").hover(position={"x": 0.5 * box["width"], "y": 0.2 * box["height"]})
    assert "alpha/conv1 → alpha/conv2" in visit.page.inner_text(".relations .said")
    visit.page.focus("canvas.pairs")
    visit.press("ArrowRight")
    assert "alpha/conv1 → beta net/block/0" in visit.page.inner_text(".relations .said")
    visit.press("Enter").wait("#/compare?a=alpha%2Fconv1&b=beta%20net%2Fblock%2F0")


def test_what_is_compared_is_picked_by_looking(visit: Visit) -> None:
    visit.go("#/f/alpha/conv1/2").page.click("text=Compare with …")
    visit.wait("#/compare?a=alpha%2Fconv1%3A2")
    visit.all(".neighbor a").first.click()
    visit.page.wait_for_function("document.querySelector('h1').textContent === 'Two features'")
    visit.go("#/compare").page.click(".pick:has-text('conv1')")
    visit.wait("#/compare?a=alpha%2Fconv1")
    visit.page.click(".pick:has-text('conv2')")
    visit.wait("#/compare?a=alpha%2Fconv1&b=alpha%2Fconv2")
    assert visit.all(".couple").count() > 0, "pairs, not two walls"
    visit.go("#/compare?a=alpha%2Fconv1%3A2&b=alpha%2Fconv2")
    assert "Two features go together, or two layers" in visit.page.inner_text("#main")
    visit.page.click("main >> text=Search")
    visit.page.keyboard.type("block")
    visit.press("Enter").wait("#/compare?a=alpha%2Fconv2&b=beta%20net%2Fblock%2F0")


def test_a_page_that_is_not_there_says_so_and_names_what_is_near(visit: Visit) -> None:
    visit.go("#/l/alpha/conv3")
    assert visit.heading == "Not in this atlas"
    visit.go("#/f/alpha/conv1/800")
    assert "alpha/conv1:800" in visit.page.inner_text("#main")
    assert "#/l/alpha/conv1" in visit.links()


def test_nothing_is_loaded_before_it_is_looked_at(visit: Visit) -> None:
    visit.go()
    visit.page.wait_for_load_state("networkidle")
    loaded = [url.rpartition("/site/")[2] for url in visit.asked]
    assert [url for url in loaded if url.startswith("data/")] == ["data/atlas.js"]
    assert all("samples" in url for url in loaded if url.startswith("sprites/"))
    visit.go("#/f/alpha/conv2/1")
    data = {re.sub("/[0-9a-f]{8}/", "/", url.rpartition("/site/")[2]) for url in visit.asked if "/data/" in url}
    assert data == {"data/atlas.js", "data/layers/alpha/conv2/layer.js", "data/layers/alpha/conv2/features-0.js"}


def test_a_feature_shows_its_images_its_spectrum_and_its_relatives(visit: Visit) -> None:
    visit.go("#/f/alpha/conv2/1")
    assert (visit.all(".figures figure").count(), visit.all(".otherwise figure").count()) == (1, 2)
    visit.all(".otherwise").scroll_into_view_if_needed()
    visit.page.wait_for_function(
        "[...document.querySelectorAll('.figures img, .otherwise img')].every((one) => one.complete && one.naturalWidth)"
    )
    assert visit.all("canvas.spectrum").count() == 1
    scopes = visit.all(".scope h3").all_inner_texts()
    assert [scope.split("\n")[0] for scope in scopes] == [
        "In its layer",
        "Elsewhere in its network",
        "In other networks",
    ]
    first = visit.all(".scope").first.locator(".neighbor").first
    assert first.locator(".tick").count() == 1
    assert "in the other’s list" in first.locator(".score").get_attribute("title")
    sentence = visit.page.inner_text(".sentence")
    assert sentence.startswith("Its image drives it more than any other image of the layer does, 4.5 deviations above")
    assert "It is in family" in sentence and "beyond chance" in sentence
    assert "answer to it at least as strongly, conv2:11 most." in sentence, "the first of what is orange below"
    assert visit.page.inner_text(".chart").endswith("0.00 → 0.50,  on the finished image 1.50")


def test_relatives_that_are_not_beyond_chance_are_folded(visit: Visit, made: Path) -> None:
    with Atlas(made) as atlas:
        rows = atlas.feature("alpha/conv2:1").similar(30, opposite=True).to_pylist()
    visit.go("#/f/alpha/conv2/1")
    opposed = [row["excess"] > 0 for row in rows]
    scope = visit.all(".scope").first
    assert scope.locator(".opposites .neighbor").count() == sum(opposed)
    scope.locator("details:has-text('not beyond chance') summary").click()
    scope.locator("details[open] .neighbor").first.wait_for()
    assert scope.locator("details[open] .neighbor").count() == len(rows) - sum(opposed) > 0


def test_the_most_driving_picture_stands_beside_the_image_with_its_heat_map_and_its_receptive_field(
    visit: Visit,
) -> None:
    visit.go("#/f/alpha/conv2/1")
    assert visit.all(".examples figure").count() == 4
    first = visit.all(".examples .first")
    assert first.locator("img").evaluate_all("all => all.map((one) => one.alt)") == [
        "1.png, most driving, activation 1, strongest at the bottom left",
        "1.png, its heat map",
    ]
    assert (
        visit.all(".examples figure").nth(1).locator("img").get_attribute("alt")
        == "2.png, 2nd most driving, activation 0.5"
    )
    assert (
        first.locator("[role=img]").get_attribute("aria-label") == "1.png, the receptive field of the strongest place"
    )
    levels = "(one) => [...one.getContext('2d').getImageData(0, 0, 2, 2).data].filter((_, k) => k % 4 === 3)"
    assert first.locator("canvas").evaluate(levels) == [0, 68, 204, 136]
    picture, field = (first.locator(part).first.bounding_box() for part in (".panel", ".field"))
    assert picture is not None and field is not None
    assert field["x"] == pytest.approx(picture["x"], abs=1)
    assert field["y"] == pytest.approx(picture["y"] + picture["height"] / 2, abs=1)
    assert field["width"] == pytest.approx(picture["width"] / 2, abs=1)
    image = visit.all(".figures img").first.bounding_box()
    assert image is not None and abs(image["y"] - picture["y"]) < image["height"], "side by side"


def test_relatives_are_those_of_the_command_line(visit: Visit, made: Path) -> None:
    with Atlas(made) as atlas:
        rows = atlas.feature("alpha/conv2:1").similar(5).to_pylist()
    visit.go("#/f/alpha/conv2/1")
    near = visit.all(".scope").first.locator(".neighborlist").first
    links = near.locator("a.card").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert [f"#/f/{row['dst'].replace(':', '/')}" for row in rows] == links[:5]
    scores = [float(text.replace("−", "-")) for text in near.locator(".number").all_inner_texts()[:5]]
    assert scores == pytest.approx([row["score"] for row in rows], abs=0.006)


def test_on_a_phone_tables_fit(browser: Browser, made: Path) -> None:
    with visiting(browser, made, viewport={"width": 390, "height": 844}) as visit:
        for route in ("#/compare?a=alpha%2Fconv2%3A1&b=alpha%2Fconv2%3A2", "#/l/alpha/conv2"):
            table = visit.go(route).all(".stacks")
            assert table.evaluate("(one) => one.scrollWidth <= one.clientWidth"), route
            assert visit.page.evaluate("document.documentElement.scrollWidth") == 390


def test_links_and_commands_are_copied(browser: Browser, made: Path) -> None:
    with (
        served(made) as address,
        visiting(browser, made, address, permissions=["clipboard-read", "clipboard-write"]) as visit,
    ):
        visit.go("#/f/alpha/conv1/2")
        visit.all(".foot .copy").nth(0).click()
        assert visit.page.evaluate("navigator.clipboard.readText()").endswith("/site/index.html#/f/alpha/conv1/2")
        visit.all(".foot .copy").nth(1).click()
        assert visit.page.evaluate("navigator.clipboard.readText()").startswith("atlas show alpha/conv1:2 --atlas ")


def test_whoever_leaves_before_a_page_is_there_sees_only_the_last_one(browser: Browser, made: Path) -> None:
    with served(made) as address, visiting(browser, made, address) as visit:
        visit.go("#/l/beta%20net/block%2F0")
        visit.go()

        def late(route: Route) -> None:
            visit.page.wait_for_timeout(400)
            route.continue_()

        visit.page.route("**/conv1/**/layer.js", late)
        visit.page.evaluate("location.hash = '#/l/alpha/conv1'")
        visit.page.wait_for_timeout(200)  # long enough for the old page to step back
        visit.page.evaluate("location.hash = '#/l/beta%20net/block%2F0'")
        visit.wait("#/l/beta%20net/block%2F0")
        visit.page.wait_for_load_state("networkidle")
        visit.page.wait_for_timeout(300)
        assert visit.heading == "block/0"
        assert visit.page.evaluate("document.body.className") == ""
        visit.press("ArrowRight", "ArrowRight")
        assert visit.page.evaluate("document.activeElement.getAttribute('href')") == "#/f/beta%20net/block%2F0/1"


def test_best_matches_are_those_of_the_command(visit: Visit, made: Path) -> None:
    with Atlas(made) as atlas:
        rows = atlas.match("alpha", "beta net").to_pylist()
    visit.go("#/compare?a=alpha%2Fconv2&b=beta%20net%2Fblock%2F0")
    route_of = "(link) => decodeURIComponent(link.getAttribute('href').split('?')[0])"
    pairs = visit.all(".couple .two").evaluate_all(
        f"all => all.map((one) => [...one.querySelectorAll('a')].map({route_of}))"
    )
    wanted = {tuple(f"#/f/{row[side].replace(':', '/')}" for side in ("src", "dst")) for row in rows}
    assert {tuple(pair) for pair in pairs} == {pair for pair in wanted if "/conv2/" in pair[0]}


@pytest.mark.parametrize(
    ("route", "card"),
    [
        *(("pairs" + only, ".couple .two a:first-child") for only in ("", *(f"?only={apart}" for apart in APART))),
        ("matches", ".couple .two a:first-child"),
        ("hubs", ".neighbor a"),
    ],
)
def test_the_command_of_a_list_asks_for_what_is_shown(visit: Visit, made: Path, route: str, card: str) -> None:
    visit.go(f"#/lists/{route}")
    route_of = "all => all.map((link) => decodeURIComponent(link.getAttribute('href').split('?')[0]))"
    while (more := visit.all("button.more")).count():
        more.first.click()
    shown = visit.all(card).evaluate_all(route_of)
    (line,) = [text for text in visit.all(".foot .copy").all_inner_texts() if text.startswith("atlas sql")]
    with Atlas(made) as atlas:
        rows = atlas.sql(shlex.split(line)[2])["src"].to_pylist()
    assert [f"#/f/{src.replace(':', '/')}" for src in rows] == shown != []


@pytest.mark.parametrize("name", ["it's", """a "b" $(touch pwned) `c`, (1)=x #1"""])
def test_commands_mean_the_same_to_a_shell(browser: Browser, tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    write_site(make_atlas(root, [Made(name, "l'x", 3, 3)]))
    with visiting(browser, root) as visit:
        for route in ("#/", f"#/f/{quote(name, '')}/l'x/1"):
            visit.go(route)
            commands = [text for text in visit.all("#main .copy").all_inner_texts() if text.startswith("atlas ")]
            assert len(commands) >= 2
            for command in commands:
                words = shlex.split(command)
                assert str(root) in words or "similarity" in words, command
                told = subprocess.run(
                    ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, cwd=tmp_path
                )
                assert told.stdout.split("\0")[:-1] == words
    assert {one.name for one in tmp_path.iterdir()} == {name}


@pytest.mark.slow
def test_pictures_of_all_pages_are_taken(made: Path, tmp_path: Path) -> None:
    """As `make screens` does, in a process of its own: one browser at a time in this one."""
    run = [sys.executable, str(Path(__file__).with_name("screens.py")), str(made)]
    done = subprocess.run(
        run, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert done.returncode == 0, done.stderr
    shots = list((tmp_path / "build/screens").glob("*.png"))
    assert len(shots) == 33 and (tmp_path / "build/screens/montage.jpg").is_file()
    assert all(len(np.unique(np.asarray(Image.open(shot).convert("L")))) > 20 for shot in shots)
