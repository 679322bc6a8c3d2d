"""The wall of a layer: only what one looks at exists; orders, families, states, what hovering shows."""

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from made_atlas import Made, make_atlas
from made_similarity import write_similarity
from playwright.sync_api import Browser

from atlas.query.atlas import Atlas
from atlas.report.site.write import write_site
from atlas.store.index import INDEX, write_rows
from tests.browser.visit import Visit, visiting

pytestmark = pytest.mark.job

CHANNELS = 900


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("wide") / "wide"
    paths = make_atlas(root, [Made("net", "wide", CHANNELS, CHANNELS, size=8, metrics=("l1",))], shard=CHANNELS)
    write_similarity(paths)
    write_site(paths)
    return root


@pytest.fixture
def wall(browser: Browser, wide: Path) -> Iterator[Visit]:
    with visiting(browser, wide) as found:
        yield found.go("#/l/net/wide?size=medium")


def shown(visit: Visit) -> list[int]:
    captions = visit.all(".wallrow .caption").all_inner_texts()
    return [int(text.split()[0].rpartition(":")[2]) for text in captions]


def test_only_what_is_near_the_window_exists(wall: Visit) -> None:
    first = shown(wall)
    assert len(first) < CHANNELS / 2
    assert first[:3] == [0, 1, 2]
    wall.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    wall.page.wait_for_function(
        "[...document.querySelectorAll('.wallrow .caption')].some((one) => one.textContent.trim() === '899')"
    )
    assert len(shown(wall)) < CHANNELS / 2
    assert 0 not in shown(wall)


def test_by_score_the_highest_comes_first(wall: Visit) -> None:
    wall.page.click("text=Score")
    wall.page.wait_for_function("document.querySelector('.wallrow .caption').textContent.startsWith('899')")
    assert wall.route.endswith("order=score")
    assert shown(wall)[:3] == [899, 898, 897]
    wall.go("#/l/net/wide?order=score&size=small")
    assert wall.all(".wallrow .caption").all_inner_texts()[:2] == ["900", "899"], "the value that it is sorted by"


def test_a_wall_is_narrowed_down(wall: Visit) -> None:
    wall.page.fill("[aria-label='Show only'] [data-key='Score from']", "890")
    wall.press("Enter").wait("#/l/net/wide?size=medium&low=890")
    assert shown(wall) == list(range(890, 900))
    wall.page.fill("[data-key='Name']", "895")
    wall.press("Enter").wait("#/l/net/wide?size=medium&low=890&name=895")
    assert shown(wall) == [895]
    wall.page.click("text=Show all")
    wall.wait("#/l/net/wide?size=medium")
    wall.page.select_option("[data-key='Own image']", "loses")
    wall.wait("#/l/net/wide?size=medium&own=loses")
    assert shown(wall) == []


def test_a_wall_is_narrowed_down_as_one_types_and_its_query_is_the_same(wall: Visit, wide: Path) -> None:
    wall.page.focus("[data-key='Name']")
    wall.page.keyboard.type("89", delay=20)
    wall.wait("#/l/net/wide?size=medium&name=89")
    assert wall.page.inner_text(".lead").startswith("1 of 900 channels")
    wall.page.keyboard.type("5 ")
    wall.wait("#/l/net/wide?size=medium&name=895")
    state = "[document.activeElement.dataset.key, document.activeElement.value, document.activeElement.selectionStart]"
    assert wall.page.evaluate(state) == ["Name", "895 ", 4], "drawn anew, the field is as it was left"
    wall.press("Escape").wait("#/l/net/wide?size=medium")
    assert wall.page.inner_text(".lead").startswith("900 channels")
    assert wall.page.evaluate(state) == ["Name", "", 0]
    wall.press("Escape")
    assert wall.page.evaluate("document.activeElement === document.body")
    with Atlas(wide) as atlas:
        for query in ("name=wide&low=890&order=score", "name=895", "name=wdie&high=3", "own=loses", "state=ok&low=899"):
            wall.go(f"#/l/net/wide?size=medium&{query}")
            (line,) = [text for text in wall.all(".foot .copy").all_inner_texts() if text.startswith("atlas sql")]
            rows = atlas.sql(shlex.split(line)[2])["feature"].to_pylist()
            assert [int(address.rpartition(":")[2]) for address in rows] == shown(wall), query


def test_the_query_of_the_wall_of_all_has_a_row_for_each_feature(visit: Visit, made: Path) -> None:
    with Atlas(made) as atlas:
        for query in (
            "",
            "?state=dead",
            "?state=failed",
            "?own=loses&order=rank&turned=1",
            "?in=alpha&order=score",
            "?order=score&turned=1",
        ):
            rows = asked(visit.go(f"#/all{query}"), atlas)
            assert [row["feature"] for row in rows] == addresses(visit) != [], query


def asked(visit: Visit, atlas: Atlas) -> list[dict[str, Any]]:
    """The rows that the wall's own command asks for."""
    (line,) = [text for text in visit.all(".foot .copy").all_inner_texts() if text.startswith("atlas sql")]
    return atlas.sql(shlex.split(line)[2]).to_pylist()


def addresses(visit: Visit) -> list[str]:
    links = visit.all(".wallrow a").evaluate_all("all => all.map((one) => one.getAttribute('href').split('?')[0])")
    return [":".join(unquote(link)[4:].rsplit("/", 1)) for link in links]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas with several images of a feature: one is dead in the first metric only, one failed in the second and was never
    asked for in the first; conv2 has the second metric first, conv3 images of two weights.
    """
    root = tmp_path_factory.mktemp("several") / "several"
    conv1, conv2, conv3 = (Made("net", f"conv{k}", 6, 6, index=k, metrics=("l1",)) for k in (1, 2, 3))
    layers = [
        replace(conv1, channels=5, done=5, dead=(2,)),
        replace(conv1, failed=(5,), metrics=("l2",)),
        replace(conv2, channels=2, done=2),
        replace(conv2, metrics=("l2",)),
        conv3,
    ]
    paths = make_atlas(root, layers)
    with Atlas(root) as atlas:
        made = atlas.sql("SELECT * EXCLUDE (self_rank, self_z, name) FROM features WHERE layer = 'conv3'").to_pylist()
    for row in made:
        image = row["image"].replace(".png", "-vabcdef.png")
        shutil.copy(root / row["image"], root / image)
        row |= {"weights": "other", "task": f"{row['task'][:-2]}zz", "image": image, "score": row["score"] + 100}
    write_rows(paths.shard_index("net", "conv3", "other"), made, INDEX)
    write_site(paths)
    return root


def test_the_query_of_a_wall_picks_the_images_that_it_shows(browser: Browser, several: Path) -> None:
    with visiting(browser, several) as visit, Atlas(several) as atlas:
        rows = asked(visit.go("#/all"), atlas)
        assert [row["feature"] for row in rows] == addresses(visit)
        assert " ".join(row["metric"] for row in rows) == "l1 l1 l2 l1 l1 l2 l2 l2 l2 l2 l2 l2 l1 l1 l1 l1 l1 l1"
        for query in ("?state=dead", "?state=failed", "?order=score", "?order=score&turned=1", "?high=50", "?low=50"):
            rows = asked(visit.go(f"#/all{query}"), atlas)
            assert [row["feature"] for row in rows] == addresses(visit), query
        for query in ("", "?state=dead", "?set=l2"):
            rows = asked(visit.go(f"#/l/net/conv1{query}"), atlas)
            made = [f"net/conv1:{k}" for k in shown(visit) if query or k < 5]  # 5 was not asked for in l1
            assert [row["feature"] for row in rows] == made, query
        for key, scores in {"l1": [0.5, 1.5], "l1-vabcdef": [100.5, 101.5]}.items():
            rows = asked(visit.go(f"#/l/net/conv3?set={key}"), atlas)
            assert [row["score"] for row in rows][:2] == scores
            assert len(rows) == 6


def test_who_wins_where_an_image_loses_is_named(visit: Visit) -> None:
    visit.go("#/all?own=loses&order=rank&turned=1")
    assert visit.all(".wallrow .caption").all_inner_texts() == ["conv2:8\n3rd, 4 wins", "conv2:7\n2nd, 9 wins"]
    visit.all(".wallrow a").first.hover()
    visit.page.wait_for_selector(".peek:not([hidden])")
    assert "that of conv2:4 drives it most" in visit.page.inner_text(".peek")
    visit.go("#/f/alpha/conv2/8")
    said = "2 images of other features drive it more than its own does, that of conv2:4 most; its own lies 4.5"
    assert visit.page.inner_text(".sentence").startswith(said)
    assert visit.all(".sentence a").first.get_attribute("href") == "#/f/alpha/conv2/4"
    visit.go("#/f/alpha/conv2/7")
    assert visit.page.inner_text(".sentence").startswith("The image of conv2:9 drives it more than its own does;")


def test_by_family_headings_part_them(wall: Visit) -> None:
    wall.page.click("text=Family")
    wall.page.wait_for_selector(".wallhead")
    heads = wall.all(".wallhead").all_inner_texts()
    assert heads[0].startswith("Family 1")
    assert "4 features" in heads[0]
    assert shown(wall)[:4] == [0, 1, 2, 3]


def test_pointing_shows_the_image_itself(wall: Visit) -> None:
    wall.all(".wallrow a").nth(5).hover()
    wall.page.wait_for_selector(".peek:not([hidden]) img")
    assert wall.page.get_attribute(".peek img", "src").endswith("/images/net/wide/l1/5.png")
    assert "score 5.50" in wall.page.inner_text(".peek")


def test_states_are_told_apart(visit: Visit) -> None:
    told = visit.go().page.inner_text(".title .states").split("\n")
    assert told == ["1 dead", "1 failed", "4 not made yet", "2 images lose"]
    visit.page.click(".title a.tally:has-text('1 dead')")
    visit.wait("#/all?state=dead")
    visit.go().page.click(".layerrow a.tally:has-text('1 dead')")
    visit.wait("#/l/alpha/conv1?state=dead")
    assert shown(visit) == [3]
    visit.go("#/all?state=failed")
    assert visit.heading == "Features that failed" and shown(visit) == [5]
    visit.go("#/l/alpha/conv1")
    assert visit.all(".wallrow .thumb.dead").count() == 1
    visit.go("#/l/alpha/conv2")
    assert visit.all(".wallrow .thumb.failed").count() == 1
    assert "NonFinite" in visit.page.inner_text("#main")
    visit.go("#/l/beta%20net/block%2F0")
    assert visit.all(".wallrow .thumb.left").count() == 4


@pytest.mark.parametrize(
    ("route", "typed", "near"),
    [
        ("#/all?name=", "blxxk 3", "block 3"),
        ("#/l/beta%20net/block%2F0?name=", "blxxk", "block"),
        ("#/map/alpha?find=", "cxxv2", "conv2"),
    ],
)
def test_a_name_that_nothing_has_is_answered_by_the_nearest(visit: Visit, route: str, typed: str, near: str) -> None:
    """Of more than the one wrong letter that is forgiven."""
    visit.go(route + quote(typed))
    link = visit.all("#main p:has-text('Did you mean') a")
    assert link.all_inner_texts() == [near]
    link.click()
    visit.wait(route + quote(near))
    assert visit.all("text=Did you mean").count() == 0


@pytest.mark.parametrize(
    "route",
    [
        "#/all?name=blxck&state=dead",  # means block already, and no feature of it is dead
        "#/all?in=alpha/conv1&name=blxxk",  # which stands in another layer only
        "#/l/alpha/conv1?name=blxxk",
    ],
)
def test_no_name_is_offered_that_leads_to_none_either(visit: Visit, route: str) -> None:
    assert visit.go(route).page.inner_text("p.empty") == "No feature is like that."


def test_a_value_of_the_route_that_is_not_known_is_told_with_those_that_are(visit: Visit) -> None:
    visit.go("#/all?low=abc&state=sick&order=foo&name=conv1&in=alpah")
    told = visit.all("header [role='status']").all_inner_texts()
    assert told == [
        "low=abc is left out: low may be a number.",
        "state=sick is left out: state may be ok, dead, failed, left.",
        "order=foo is left out: order may be index, cluster, score, rank.",
        "in=alpah is left out: in may be alpha, beta net, alpha/conv1, alpha/conv2, beta net/block/0.",
    ]
    assert visit.page.input_value("[data-key='Score from']") == "abc"
    assert visit.page.inner_text(".lead").startswith("8 of ")
    visit.all("header [role='status'] a:has-text('dead')").click()
    visit.wait("#/all?name=conv1&state=dead")
    assert visit.all("header [role='status']").count() == 0 and shown(visit) == [3]
    visit.go("#/lists/pairs?only=layrs")
    assert (
        visit.page.inner_text("header [role='status']")
        == "only=layrs is left out: only may be layer, layers, networks."
    )
    assert visit.all(".couple").count() > 0


def test_a_list_without_kinds_shows_all_of_it_whatever_kind_is_asked_for(visit: Visit) -> None:
    all_of_it = visit.go("#/lists/matches").all(".couple").count()
    command = visit.all(".foot .copy").all_inner_texts()
    visit.go("#/lists/matches?only=layers")
    assert visit.all(".couple").count() == all_of_it > 0
    assert visit.all(".foot .copy").all_inner_texts() == command and "undefined" not in command[0]
