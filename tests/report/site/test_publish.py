"""A published site: complete, small, whole or not at all, and nothing of the machine that it was made on."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.site import publish as publishing
from atlas.report.site.publish import NotNew, TooLarge, plan, publish
from atlas.store.paths import AtlasPaths
from tests.report.site_files import put, value

pytestmark = pytest.mark.usefixtures("page")


@pytest.fixture(scope="module")
def published(compared: AtlasPaths, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    """The folder, its size, and the size told before."""
    folder = tmp_path_factory.mktemp("public") / "site"
    with Atlas(compared.root) as atlas:
        planned = plan(atlas, 10**9)
        return folder, publish(planned, folder, "https://example.org/a/"), planned.size


def test_it_is_the_site_with_small_pictures(published: tuple[Path, int, int], compared: AtlasPaths) -> None:
    folder, size, told = published
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    site = {file.relative_to(compared.site).as_posix() for file in compared.site.rglob("*") if file.is_file()}
    assert site - files == {"made.json"}
    with Atlas(compared.root) as atlas:
        images = atlas.sql("SELECT DISTINCT image FROM features WHERE image IS NOT NULL")["image"].to_pylist()
    assert files - site == {".nojekyll", "cover.jpg", *(f"small/{image}.webp" for image in images)}
    assert size == sum((folder / name).stat().st_size for name in files)
    assert abs(told - size) < 0.5 * size + 4e5
    with Image.open(folder / f"small/{images[0]}.webp") as small, Image.open(compared.root / images[0]) as image:
        assert small.size == image.size, "none is enlarged"


def test_its_overview_says_where_pictures_lie_and_not_where_the_atlas_does(
    published: tuple[Path, int, int], compared: AtlasPaths
) -> None:
    folder, _, _ = published
    key, overview = put(folder / "data/atlas.js")
    before = value(compared, "atlas")
    assert (key, overview["images"]) == ("atlas", {"root": "small/", "ending": ".webp"})
    assert (overview["models"], overview["lists"]) == (before["models"], before["lists"])
    machine = str(compared.root).encode()
    assert not [file for file in folder.rglob("*") if file.is_file() and machine in file.read_bytes()]


def test_a_link_to_it_has_a_title_a_sentence_and_a_picture(published: tuple[Path, int, int]) -> None:
    folder, _, _ = published
    found: dict[str, str] = {}

    class Metas(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            words = dict(attrs)
            if tag == "meta" and "content" in words:
                found[str(words.get("property") or words.get("name"))] = str(words["content"])

    Metas().feed((folder / "index.html").read_text())
    assert found["og:title"] == "a"
    assert (
        found["description"] == found["og:description"] == "What 40 features of alpha, beta net answer to, in pictures."
    )
    assert found["og:image"] == "https://example.org/a/cover.jpg"
    with Image.open(folder / "cover.jpg") as cover:
        assert cover.size == (1200, 630)


def test_pictures_are_as_small_as_the_size_asks(compared: AtlasPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SIDES", (96, 24))
    monkeypatch.setattr(publishing, "SAMPLE", 8)
    with Atlas(compared.root) as atlas:
        largest = plan(atlas, 10**9)
        smaller = plan(atlas, largest.size - 1)
        assert (largest.side, smaller.side) == (96, 24)
        with pytest.raises(
            TooLarge, match=r"with pictures of 24 px, of which .* are data and thumbnails; --max allows"
        ):
            plan(atlas, smaller.size - 1)


def test_a_folder_that_holds_something_is_left_alone(compared: AtlasPaths, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with Atlas(compared.root) as atlas:
        planned = plan(atlas, 10**9)
        with pytest.raises(NotNew, match="full exists and is not an empty folder"):
            publish(planned, tmp_path / "full")
    assert [file.name for file in tmp_path.rglob("*")] == ["full", "mine.txt"]
