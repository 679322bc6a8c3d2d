"""Whole jobs with `out=s3://…` on a real S3 server: the same files as in a folder, whoever is killed when."""

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from object_store import bury, images_under, new_place, objects_under
from sweeps import SMALL, image_bytes, rows_of, run_small, small_plan
from whole_jobs import PATIENCE, begin, kill_all

from atlas.cli.main import cli
from atlas.query.atlas import Atlas
from atlas.query.verify.verify import verify
from atlas.records import Part
from atlas.report.sheets.layer_sheets import write_sheets
from atlas.report.site.write import write_site
from atlas.similarity.job import similarity
from atlas.store import bucket as objects
from atlas.store.bucket_path import path_of
from atlas.store.comparisons import read_comparisons
from atlas.store.lock import Locked, read_owner
from atlas.store.paths import AtlasPaths
from atlas.store.writing import Writing

pytestmark = pytest.mark.job
ASK = ("layers=[conv1,conv4]", "channels=0:2", "cluster.shard_seconds=0.01")
KILLS = 6
WRITING = ("put", "create", "replace", "delete")


class Killed(BaseException):
    """What stands for SIGKILL in this process."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, number: int, *, done: bool) -> Iterator[list[str]]:
    """Die at so many-th request that writes, before the store hears of it or (done) after it has done it; none follows."""
    made: list[str] = []

    def dying(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def request(*words: Any) -> Any:
            made.append(f"{name} {words[1]}")
            if len(made) == number and done:
                call(*words)
            if len(made) >= number:
                raise Killed
            return call(*words)

        return request

    with monkeypatch.context() as patch:
        for name in WRITING:
            patch.setattr(objects, name, dying(name, getattr(objects, name)))
        yield made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ASK comes to in a folder."""
    folder = tmp_path_factory.mktemp("whole") / "a"
    run_small(folder, *ASK)
    return folder


@pytest.mark.usefixtures("s3", "cards_made_here")
def test_a_store_holds_what_a_folder_does_and_answers_like_it(whole: Path, tmp_path: Path) -> None:
    url = new_place()
    assert run_small(url, *ASK).made == 4
    assert images_under(url) == image_bytes(whole)
    assert file_names(objects_under(url)) == file_names(p.relative_to(whole).as_posix() for p in whole.rglob("*.*"))
    again = run_small(url, *ASK)
    assert again.idle and verify(AtlasPaths(url)).whole
    differs = ("created", "seconds")
    here, there = (
        [{k: v for k, v in row.items() if k not in differs} for row in rows_of(path_of(root))]
        for root in (str(whole), url)
    )
    assert here == there
    # what is made of the images
    for root in (whole, url):
        config, _ = small_plan(root, *ASK)
        outcome = similarity(config, overrides=[])
        assert (outcome.code, outcome.compared) == (0, {"atlas": 4})
        assert len(write_sheets(AtlasPaths(root))) == 2
        assert write_site(AtlasPaths(root)).written > 10
        assert write_site(AtlasPaths(root)).written == 0
    published = CliRunner().invoke(cli, ["publish", str(tmp_path / "public"), "--atlas", url])
    assert published.exit_code == 0, published.output
    assert len([*tmp_path.rglob("small/images/**/*.webp")]) == 4
    assert not [file for file in tmp_path.rglob("*.js") if url.encode() in file.read_bytes()]
    with Atlas(whole) as folder, Atlas(url) as store:
        for text in ("select dst, score from neighbors order by all", "select state, count(*) from tasks group by all"):
            assert store.sql(text).equals(folder.sql(text))
        feature = store.feature("patternnet/conv4:1")
        assert feature.image().size == (48, 48)
        assert feature.similar(1)["dst"].to_pylist() == ["patternnet/conv4:0"]
        refused = "select * from read_parquet('s3://atlases/others/*.parquet')"
        with pytest.raises(Exception, match="refused: sql only reads this atlas"):
            store.sql(refused)
    assert verify(AtlasPaths(url)).whole
    assert similarity_files(url) == similarity_files(str(whole))


def file_names(paths: Iterable[str]) -> set[str]:
    """What is there, whenever it was made: folders of invocations are called by their time."""
    return {re.sub(r"config/[^/]*", "config", path) for path in paths if not path.startswith("staging")}


def similarity_files(root: str) -> set[str]:
    return set(read_comparisons(AtlasPaths(root))["atlas"]["files"])


@pytest.mark.usefixtures("s3")
def test_commands_read_an_atlas_by_its_url() -> None:
    url = new_place()
    run_small(url, *ASK)
    for words, shows in (
        (["status", url], "4 of 4 images"),
        (["verify", "--atlas", url], "whole: 4 images planned"),
        (["sql", "--atlas", url, "select count(*) as n from features"], "4"),
        (["show", "--atlas", url, "patternnet/conv1:1"], f"contact sheet: {url}/sheets/"),
        (["similar", "--atlas", url, "patternnet/conv1:1"], "features have not been compared"),
    ):
        result = CliRunner().invoke(cli, words)
        assert (result.exit_code, shows in result.output) == (0, True), result.output
    result = CliRunner().invoke(cli, ["status", f"{url}-not"])
    assert result.exit_code == 2 and "is no atlas: it has no atlas.json" in result.output


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What below which the objects were listed."""
    folders: list[str] = []

    def under(bucket: str, key: str, listed: Callable[..., Any] = objects.under) -> Any:
        folders.append(key.partition("/a/")[2])
        return listed(bucket, key)

    monkeypatch.setattr(objects, "under", under)
    return folders


@pytest.mark.usefixtures("s3")
def test_files_are_found_by_one_listing_a_layer_and_one_a_question(listings: list[str]) -> None:
    url = new_place()
    run_small(url, *ASK)
    made = list(listings)
    listings.clear()
    assert run_small(url, *ASK).idle
    layers = [folder for folder in listings if folder.startswith("index/")]
    assert layers == [f"index/model=patternnet/layer={layer}" for layer in ("conv1", "conv4")]
    assert sum(folder.startswith("index/") for folder in made) == 2, "however many shards"
    with Atlas(url) as atlas:
        listings.clear()
        # which of its tables bind the same files eleven times
        atlas.sql("select * from tasks join features using (task)")
        assert listings.count("index") <= 1


@pytest.mark.usefixtures("s3")
def test_what_is_lost_there_is_made_again(whole: Path) -> None:
    url = new_place()
    run_small(url, *ASK, "trace=full")
    images = list((path_of(url) / "images").rglob("*.png"))
    images[0].unlink()
    images[1].write_bytes(b"changed")
    next((path_of(url) / "index").rglob("*.parquet")).write_bytes(b"PAR1")
    assert verify(AtlasPaths(url)).exit_code == 1
    assert run_small(url, *ASK, "trace=full", "retry=broken").left == 0
    assert images_under(url) == image_bytes(whole)
    assert verify(AtlasPaths(url)).whole


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("done", [False, True])
def test_whichever_request_is_the_last_of_a_killed_run_the_next_one_ends_it(
    whole: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    with killed_at(monkeypatch, 10**9, done=False) as requests:
        run_small(new_place(), *ASK)
    for number in sorted(random.sample(range(1, len(requests)), 2)):
        url = new_place()
        with killed_at(monkeypatch, number, done=done) as made:
            with pytest.raises(Killed):
                run_small(url, *ASK)
            last = made[number - 1]
        bury(url)
        outcome = run_small(url, *ASK)
        assert outcome.left == 0, last
        assert images_under(url) == image_bytes(whole), last
        report = verify(AtlasPaths(url))
        assert report.whole, (last, report.problems)


@pytest.mark.usefixtures("s3")
def test_parts_make_one_atlas_there(whole: Path) -> None:
    url = new_place()
    first = run_small(url, *ASK, "cluster.part=1/2")
    with pytest.raises(Locked), other_part(url):
        run_small(url, *ASK)
    second = run_small(url, *ASK, "cluster.part=2/2")
    assert (first.made + second.made, second.last) == (4, True)
    assert images_under(url) == image_bytes(whole)
    assert verify(AtlasPaths(url)).whole


@contextmanager
def other_part(url: str) -> Iterator[None]:
    with Writing(AtlasPaths(url), Part(2, 2), "plan") as writing:
        writing.opened()
        yield


@pytest.mark.slow
@pytest.mark.timeout(3 * PATIENCE)
@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("cluster", ["local", "inline"])
def test_kill_9_at_any_moment_loses_nothing_that_was_done(tmp_path: Path, cluster: str) -> None:
    url = new_place()
    ask = ["layers=[conv1,conv2,conv4]", "channels=0:16", "cluster.shard_seconds=0.02"]
    run_small(tmp_path / "undisturbed", *ask)
    words = [*SMALL[1:], *ask, f"cluster={cluster}", *(["cluster.actors=2"] if cluster == "local" else [])]
    for _ in range(KILLS):
        before = count_done(url)
        job = begin("generate", f"out={url}", *words, cwd=tmp_path)
        end = time.monotonic() + PATIENCE
        try:
            while count_done(url) == before and job.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.05)
            time.sleep(random.random() / 4)
        finally:
            kill_all(job)
        assert verify(AtlasPaths(url)).exit_code in (0, 3), "nothing is broken"
    left_its_lock = read_owner(AtlasPaths(url).lock) is not None  # not when it was killed after it had let go
    last = run_small(url, *ask)
    assert (last.left, last.failed) == (0, 0)
    assert any("took over the lock of process" in note for note in last.notes) == left_its_lock
    assert images_under(url) == image_bytes(tmp_path / "undisturbed")
    assert verify(AtlasPaths(url)).whole


def count_done(url: str) -> int:
    return sum(1 for _ in (path_of(url) / "index").rglob("*.parquet"))
