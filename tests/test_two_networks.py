"""Two PatternNets, trained apart: what they have in common is found, and stands above what chance would give."""

from pathlib import Path

import pytest
from sweeps import sweep

import atlas
from atlas.generate.job import generate, prepare
from atlas.similarity.job import similarity
from jobs.train_patternnet import main as train

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OTHER = (
    "model=[patternnet,custom]",
    "model.factory=atlas.zoo.patternnet:patternnet",
    "model.input_size=64",
    "model.mean=[0.5,0.5,0.5]",
    "model.std=[0.25,0.25,0.25]",
    "models.custom.sizes=[48,64,96]",
    "models.custom.steps=[28,18,14]",
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas of some layers of the network that is shipped, and of one trained from another seed."""
    folder = tmp_path_factory.mktemp("pair")
    train(["--seed", "1", "--steps", "400", "--out", str(folder / "other.safetensors")])
    words = (
        *OTHER,
        f"model.weights={folder / 'other.safetensors'}",
        "layers=[conv1,conv3,logits]",
        f"out={folder / 'a'}",
    )
    config = sweep(*words, "name=pair", "probe=[atlas,patterns]", "cluster=inline")
    config, plan = prepare(config)
    assert generate(config, plan, list(words)).left == 0
    assert set(similarity(config, plan.cards).compared) == {"atlas", "patterns"}
    return folder / "a"


@pytest.mark.parametrize("probe", ["atlas", "patterns"])
def test_early_layers_match_above_their_baseline(pair: Path, probe: str) -> None:
    with atlas.open(pair) as opened:
        rows = opened.sql(f"""
            SELECT layer_a, best_match - best_match_baseline AS excess FROM layers
            WHERE probe = '{probe}' AND model_a <> model_b AND layer_a = layer_b AND layer_a <> 'logits'
        """).to_pylist()
    assert len(rows) == 4
    assert all(row["excess"] > 0.02 for row in rows), rows


@pytest.mark.parametrize("probe", ["atlas", "patterns"])
def test_the_logits_of_both_match_class_by_class(pair: Path, probe: str) -> None:
    with atlas.open(pair) as opened:
        rows = opened.match("patternnet", "custom", probe=probe).to_pylist()
    logits = [row for row in rows if row["src"].startswith("patternnet/logits:")]
    assert len(logits) == 16
    assert all(row["partner"] == row["src"].replace("patternnet", "custom") for row in logits), logits
    assert sum(row["score"] > row["baseline"] for row in logits) >= 15, logits  # a baseline is the best of hundreds
