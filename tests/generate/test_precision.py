"""precision=auto: what an atlas already holds, else what the device has; a task's identity never says auto."""

from dataclasses import replace
from pathlib import Path

from sweeps import SMALL, patternnet_card, run_small, sweep

import atlas.generate.job
from atlas.generate.job import prepare
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan, make_plan

WORDS = ("layers=[conv1]", "channels=0:1")


def plan(*words: str, gpus: int = 0) -> Plan:
    return make_plan(sweep(*SMALL, *WORDS, *words), {"patternnet": replace(patternnet_card(), gpus=gpus)})


def test_auto_is_the_default_and_each_device_has_its_own_tasks() -> None:
    assert sweep(*SMALL).recipe.precision == "auto"
    (on_cpu,), (on_cuda,) = plan().shards, plan(gpus=1).shards
    assert on_cpu.variant == plan("recipe.precision=float32").shards[0].variant
    assert on_cuda.variant == plan("recipe.precision=bfloat16").shards[0].variant != on_cpu.variant
    assert plan(gpus=1).recipes["patternnet"].precision == "bfloat16"
    assert plan("cluster.device=cpu", gpus=1).shards[0].variant == on_cpu.variant


def test_what_an_atlas_holds_comes_before_the_device(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(atlas.generate.job, "read_cards", lambda models, **_: ({"patternnet": patternnet_card()}, []))
    run_small(tmp_path / "a", *WORDS, "recipe.precision=bfloat16")
    paths = AtlasPaths(tmp_path / "a")
    for _ in range(2):
        config, held = prepare(sweep(*SMALL, *WORDS, out=paths.root))
        assert config.recipe.precision == held.recipes["patternnet"].precision == "bfloat16"
        asked, own = prepare(sweep(*SMALL, *WORDS, "recipe.precision=float32", out=paths.root))
        assert asked.recipe.precision == own.recipes["patternnet"].precision == "float32"
        # a copy lies beside each request
        paths.manifest.unlink(missing_ok=True)
    _, fresh = prepare(sweep(*SMALL, *WORDS, out=tmp_path / "b"))
    assert fresh.recipes["patternnet"].precision == "float32"
