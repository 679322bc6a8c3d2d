"""What `similarity` survives: interruptions, workers that break, full disks and signals;
the next run completes it.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sweeps import SMALL, run_small

import atlas.similarity.comparison
from atlas.cli.job import run_job
from atlas.engine.drive import Ending
from atlas.engine.stage import run_stage
from tests.similarity.small_atlas import compare, computed, neighbors, responses, state, table

pytestmark = [pytest.mark.job, pytest.mark.usefixtures("cards_made_here")]

BOTH = ("probe=[atlas,patterns]", "probes.patterns.count=10")


def before_stage(unit: str, fault: Callable[[], object]) -> Callable[..., Ending]:
    """Stages of which those that count in `unit` have a fault before they begin."""

    def run(work, shards, place, *, count, **others) -> Ending:
        if count.unit == unit:
            fault()
        return run_stage(work, shards, place, count=count, **others)

    return run


def broken_work(unit: str, broken: Callable) -> Callable[..., Ending]:
    """Stages of which those that count in `unit` have their work replaced by `broken(work)`."""

    def run(work, shards, place, *, count, **others) -> Ending:
        return run_stage(broken(work) if count.unit == unit else work, shards, place, count=count, **others)

    return run


def interrupt() -> None:
    raise KeyboardInterrupt


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """A file that cannot be written while this lasts: a folder stands in its place."""
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()
    yield
    path.rmdir()
    aside.rename(path)


def but_responses(out: Path) -> dict[str, int]:
    return {name: when for name, when in computed(out).items() if not name.startswith("responses")}


def test_an_interruption_between_the_halves_touches_nothing_and_is_completed(done: Path) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = but_responses(done)
    with pytest.raises(KeyboardInterrupt):
        compare(done, run_stage=before_stage("blocks", interrupt))
    assert but_responses(done) == before
    completed(done)


def test_a_bank_that_cannot_be_written_touches_nothing_and_is_completed(done: Path) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = but_responses(done)

    def run(*stage, **others) -> Ending:
        ending = run_stage(*stage, **others)
        shutil.rmtree(done / "staging")
        (done / "staging").touch()  # where the bank's folder should be made
        return ending

    with pytest.raises(OSError, match="staging"):
        compare(done, run_stage=run)
    (done / "staging").unlink()
    assert but_responses(done) == before
    completed(done)


def test_a_first_map_that_cannot_be_written_touches_no_table_and_is_completed(done: Path) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = but_responses(done)
    with unwritable(done / "maps/patternnet/conv1/sym.npy"), pytest.raises(IsADirectoryError):
        compare(done)
    after = but_responses(done)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"similarity.json"}
    assert "atlas" not in state(done), "it no longer vouches for tables half replaced"
    completed(done)


def completed(out: Path) -> None:
    """Nothing that was looked at is lost, and the next run compares all 13 features and leaves nothing behind."""
    assert len(responses(out)) == 13 * 2, "what was looked at is kept"
    assert not (out / "lock").exists()
    outcome = compare(out)
    assert (outcome.looked, list(outcome.compared)) == (0, ["atlas"])
    assert len({row["src"] for row in neighbors(out)}) == 13
    assert not banks(out)


def banks(out: Path) -> list[Path]:
    """What comparisons left that are to go on."""
    return list((out / "staging").glob("bank-*"))


def shards_of(stages: list[tuple[str, int]]) -> Callable[..., Ending]:
    """Stages that write down how many shards they are of, by what they count."""

    def run(work, shards, place, *, count, **others) -> Ending:
        stages.append((count.unit, len(shards)))
        return run_stage(work, shards, place, count=count, **others)

    return run


def test_a_comparison_that_was_stopped_goes_on_where_it_was(fresh: Path, tmp_path: Path) -> None:
    """After its first block; the tables are those of one that was not stopped."""
    undisturbed = shutil.copytree(fresh, tmp_path / "undisturbed")
    compare(undisturbed)

    begun: list[str] = []

    def stopping(work):
        def begin(model: str):
            make = work(model)

            def stop_at_the_second(shard):
                begun.append(shard.id)
                return make(shard) if len(begun) == 1 else interrupt()

            return stop_at_the_second

        return begin

    with pytest.raises(KeyboardInterrupt):
        compare(fresh, run_stage=broken_work("blocks", stopping))
    assert len(banks(fresh)) == 1
    stages: list[tuple[str, int]] = []
    assert list(compare(fresh, run_stage=shards_of(stages)).compared) == ["atlas"]
    assert stages == [("blocks", 1)], "of two; both layers were measured before"
    assert not banks(fresh)
    for name in ("neighbors/**/*.parquet", "maps/**/*.npy", "quality.parquet", "moments.parquet", "layers.parquet"):
        files = sorted(path.relative_to(undisturbed) for path in undisturbed.glob(name))
        assert files and all((fresh / file).read_bytes() == (undisturbed / file).read_bytes() for file in files)


def test_what_another_comparison_left_is_of_no_use(fresh: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(fresh, run_stage=before_stage("blocks", interrupt))
    (left,) = banks(fresh)
    stages: list[tuple[str, int]] = []
    with pytest.raises(KeyboardInterrupt):
        compare(fresh, "similarity.top=2", run_stage=before_stage("blocks", interrupt))
    (other,) = banks(fresh)
    assert other != left
    assert list(compare(fresh, run_stage=shards_of(stages)).compared) == ["atlas"]
    assert stages == [("layers", 2), ("blocks", 2)]


def test_a_comparison_that_was_stopped_is_resumed(fresh: Path) -> None:
    """A first signal while the comparison begins: what is under way is finished, and no table is written."""

    def signalled(work):
        def begin(model: str):
            os.kill(os.getpid(), signal.SIGINT)
            return work(model)

        return begin

    words = ("probe=[atlas,patterns]", "probes.patterns.count=20")
    outcome = compare(fresh, *words, run_stage=broken_work("blocks", signalled))
    assert (outcome.stopped, list(outcome.compared), outcome.idle) == ("stopped by SIGINT", [], False)
    assert not (fresh / "neighbors").exists() and not (fresh / "similarity.json").exists()
    assert list(compare(fresh).compared) == ["atlas"]
    assert not banks(fresh)


def test_tables_that_were_cut_off_half_way_are_written_again(done: Path) -> None:
    """The last table fails: similarity.json does not vouch for those before it, so the next run writes all of them."""
    run_small(done, "layers=[conv1]", "channels=0:7")
    with unwritable(done / "quality.parquet"), pytest.raises(IsADirectoryError):
        compare(done)
    assert list(compare(done).compared) == ["atlas"]
    assert len(table(done, "quality")) == 13


def test_tables_that_were_half_replaced_are_not_trusted(done: Path) -> None:
    """Compared with other settings until the last table fails, then with the first ones: all is written again."""
    with unwritable(done / "quality.parquet"), pytest.raises(IsADirectoryError):
        compare(done, "similarity.top=2")
    assert longest(done) == 2, "of the comparison that failed"
    assert list(compare(done).compared) == ["atlas"]
    assert longest(done) == 5


def longest(out: Path) -> int:
    """Neighbors in the longest list of nearest ones."""
    return max(row["rank"] for row in neighbors(out, "layer", "sym") if row["sign"] == 1)


def test_a_picture_that_breaks_the_worker_is_told_of_and_the_others_are_compared(fresh: Path) -> None:
    def breaking(work):
        def begin(model: str):
            probe = work(model)

            def look(shard):
                if any(picture.feature == "patternnet/conv2:3" for picture in shard.items):
                    raise RuntimeError("this one never works")
                return probe(shard)

            return look

        return begin

    run = broken_work("pictures", breaking)
    outcome = compare(fresh, run_stage=run)
    assert outcome.looked == 11
    assert outcome.unread == 1
    assert len(outcome.failures) == 1 and "this one never works" in outcome.failures[0]
    assert list(outcome.compared) == ["atlas"], "the others"
    assert len({row["src"] for row in neighbors(fresh)}) == 11
    again = compare(fresh, run_stage=run)
    assert len(again.failures) == 1 and not again.idle, "told of each time"
    assert list(compare(fresh).compared) == ["atlas"]


def test_a_block_that_cannot_be_compared_is_told_of_and_no_table_is_written(done: Path) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = but_responses(done)

    def damage() -> None:
        """Cut the bank's rows of its first layer, which every block reads."""
        (rows,) = (done / "staging").glob("bank-*/0.rows.npy")
        rows.write_bytes(rows.read_bytes()[:-10])

    outcome = compare(done, *BOTH, run_stage=before_stage("blocks", damage))
    assert list(outcome.compared) == [] and not outcome.idle
    assert len(outcome.failures) == 4, "two layers of two probes, each told of once"
    assert but_responses(done) == before
    assert list(compare(done, *BOTH).compared) == ["atlas", "patterns"]


def test_where_no_worker_can_compare_it_is_told_of(fresh: Path) -> None:
    def hide() -> None:
        """Remove the file by which a worker knows that it sees the atlas."""
        (nonce,) = (fresh / "staging").glob("nonce-*")
        nonce.unlink()

    outcome = compare(fresh, run_stage=before_stage("blocks", hide))
    assert list(outcome.compared) == [] and not outcome.idle
    assert ["every node must see the same one" in message for message in outcome.abandoned.values()] == [True]
    assert not (fresh / "neighbors").exists()
    assert list(compare(fresh).compared) == ["atlas"]


def test_a_full_disk_stops_the_run_resumably(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(work):
        def begin(model: str):
            def look(shard):
                raise OSError(28, "No space left on device", "responses.parquet")

            return look

        return begin

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    outcome = compare(fresh, run_stage=broken_work("pictures", full))
    assert "No space left" in (outcome.stopped or "")
    assert (outcome.looked, list(outcome.compared)) == (0, [])
    assert compare(fresh).looked == 12


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGUSR1, signal.SIGINT))]
)
def test_a_signal_while_tables_are_written_ends_the_job_resumably(
    done: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def signalled(*tables) -> None:
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr(atlas.similarity.comparison, "write_results", signalled)
    assert run_job("similarity", [*SMALL, f"out={done}", "similarity.top=2"]) == 75
    assert "run the same again" in capsys.readouterr().err
    assert not (done / "lock").exists()
    monkeypatch.undo()
    assert list(compare(done).compared) == ["atlas"]
    assert not banks(done)
