"""A shard that two workers have: the copy touches no image of the other's, and gives the same bytes where it is published."""

from pathlib import Path

import pytest
from sweeps import image_bytes, rows_of, small_plan

from atlas.config.compose import compose_model
from atlas.engine.attempt import Attempt, under_way
from atlas.engine.publisher import Publisher
from atlas.generate.job import image_settings
from atlas.generate.maker import Maker
from atlas.records import Receipt
from atlas.store.lock import Lock
from atlas.store.paths import AtlasPaths
from atlas.zoo.load import load


@pytest.mark.parametrize("first_wins", [True, False])
def test_whichever_of_two_is_published_the_atlas_is_the_same(tmp_path: Path, first_wins: bool) -> None:
    config, plan = small_plan(tmp_path / "a", "layers=[conv1]", "channels=0:3")
    paths, (shard,) = AtlasPaths(tmp_path / "a"), plan.shards
    variants = frozenset([shard.variant])
    maker = Maker(
        image_settings(config, plan, paths, variants, nonce=""),
        load("patternnet", compose_model("patternnet"), device="cpu"),
    )

    def made(*, copy: bool) -> Receipt:
        with under_way(Attempt(shard, copy=copy)):
            return maker.make(shard)

    copy = made(copy=True)
    assert not paths.images.exists()
    assert len(copy.files) == 4 and copy.files[-1].endswith(f"{shard.id}.parquet")
    first = made(copy=False)
    kept = image_bytes(paths.root)
    with Lock(paths.lock) as lock:
        publisher = Publisher(paths, lock)
        publisher.commit(first if first_wins else copy, shard)
    assert image_bytes(paths.root) == kept
    assert len(rows_of(paths.root)) == 3
    assert len(list(paths.staging.iterdir())) == 1, "the other's files are swept by the next run"
