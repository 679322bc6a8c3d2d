"""Known answers across models, measured on PatternNet and what is made of it (METHODS §5: 4, 5, 6, 9)."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from atlas.config.recipe_files import read_recipe
from atlas.generate.visualize import visualize
from atlas.records import Address
from atlas.selftest.check import Answer
from atlas.selftest.comparison import Tables, compare
from atlas.selftest.planted import Planted
from atlas.selftest.variants import (
    Responses,
    as_planted,
    permuted,
    responses,
    rotation,
    shipped,
    shipped_responses,
    untrained,
)
from atlas.similarity.compare.blocks import Comparison
from atlas.zoo.patternnet import MEAN, STD

PERMUTED = "conv3"  # the layer whose channels change places, and whose images are made
SHUFFLES = 10
CKA_TOLERANCE = 1e-4  # it is summed in float64 from products in float32
ACROSS_MODELS = Comparison(("profile",), ("other",), top=1, bottom=0)
WITHIN_LAYERS = Comparison(("profile",), ("layer",), top=1, bottom=0)

# How far from 0 a mean excess may be. A net and its copy have 0.21. Measured in eight draws each: rotated copies up to
# 0.016, the same net on other pictures up to 0.009. An untrained net sees the pictures that a trained one sees, and with
# them their colours and brightness: it has 0.015 to 0.046, always above 0, so near 0 can mean no more than this.
NOTHING, LITTLE, MUCH = 0.03, 0.06, 0.1


def copied_model() -> Answer:
    """Each feature finds itself in a copy, and where its channel went in a copy whose channels were permuted."""
    net, here = shipped(), shipped_responses()
    order = np.random.default_rng(0).permutation(here[PERMUTED].shape[1])
    copies = {"copy": net.model, "permuted": permuted(net.model, PERMUTED, order)}
    copied = {name: responses(replace(net, model=deepcopy(model))) for name, model in copies.items()}
    tables = _between({"net": here} | copied)
    rows = _rows(tables.matches)
    lost = sum(row["dst"] != _copy_of(row["src"], row["model_b"], order) for row in rows)
    apart = sum(row["partner"] != _copy_of(row["src"], row["model_b"], order) for row in rows)
    features = sum(values.shape[1] for values in here.values())
    r, cka = min(row["score"] for row in rows), max(abs(row["cka"] - 1) for row in _same_layers(tables))
    excess = float(np.mean([row["excess"] for row in rows]))
    passed = (
        lost == apart == 0 and len(rows) == 2 * features and r >= 0.9999 and cka <= CKA_TOLERANCE and excess >= MUCH
    )
    return Answer(
        passed,
        f"{features} features in 2 copies: {2 * features - len(rows)} without a match, {lost} matched with another, "
        f"{apart} partnered with another (wanted: 0 each); least r {r:.5f} (wanted: ≥ 0.9999), CKA off 1 by {cka:.0e} "
        f"(wanted: ≤ {CKA_TOLERANCE:g}), mean excess {excess:.2f} (wanted: ≥ {MUCH})",
    )


def rotated_layers() -> Answer:
    """A rotation keeps all that a layer knows, and none of its channels."""
    here, random = shipped_responses(), np.random.default_rng(0)
    turned = {layer: values @ rotation(random, values.shape[1]) for layer, values in here.items()}
    rows = _same_layers(_between({"net": here, "rotated": turned}))
    cka = max(abs(row["cka"] - 1) for row in rows)
    best, baseline = (float(np.mean([row[name] for row in rows])) for name in ("best_match", "best_match_baseline"))
    return Answer(
        cka <= CKA_TOLERANCE and abs(best - baseline) <= NOTHING,
        f"CKA off 1 by {cka:.0e} (wanted: ≤ {CKA_TOLERANCE:g}), mean best match {best:.3f}, baseline {baseline:.3f} "
        f"(wanted: within {NOTHING}; a copy that is not rotated has 1)",
    )


def independent_net() -> Answer:
    """What has nothing in common has no excess; an untrained net, which has the pictures in common, has little."""
    here = shipped_responses()
    nothing = _excess({"net": here, "elsewhere": shipped_responses(seed=1)})
    little = _excess({"net": here, "untrained": responses(untrained(seed=1))})
    return Answer(
        abs(nothing) <= NOTHING and abs(little) <= LITTLE,
        f"mean excess of the net over itself on other pictures {nothing:.3f} (wanted: 0 ± {NOTHING}), over an untrained "
        f"net {little:.3f} (wanted: 0 ± {LITTLE}; both see the same pictures)",
    )


def shuffled_images() -> Answer:
    """Images made for features win their channels; with their names mixed they stand anywhere."""
    net: Any = shipped()
    channels = list(range(0, net.model.get_submodule(PERMUTED).norm.num_features, 2))
    recipe = read_recipe("normalized", octaves=[{"size": 48, "steps": 12, "lr": [0.1, 0.05], "sigma": [1.5, 0.5]}])
    images = visualize(net.model, PERMUTED, channels, recipe=recipe, mean=MEAN, std=STD)
    data = as_planted(
        {"net": {PERMUTED: images.activations.numpy()}}, [f"net/{PERMUTED}:{channel}" for channel in channels]
    )
    random = np.random.default_rng(0)
    own = _mean_rank(data)
    mixed = np.mean([_mean_rank(replace(data, made_for=random.permutation(data.made_for))) for _ in range(SHUFFLES)])
    n = len(channels)
    chance, error = (n + 1) / 2, np.sqrt((n * n - 1) / 12 / (n * SHUFFLES))
    return Answer(
        bool(own <= n / 8 and abs(mixed - chance) <= 4 * error),
        f"mean self_rank of {n} images {own:.1f} (wanted: ≤ {n / 8:g}), with their names mixed {mixed:.1f} "
        f"(wanted: {chance} ± {4 * error:.1f})",
    )


def _between(models: Mapping[str, Responses]) -> Tables:
    """Features of several models, compared by profile over pictures made for none of them."""
    return compare(as_planted(models), ACROSS_MODELS)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows from `net` to other models."""
    return [row for row in table.to_pylist() if row["model_a"] == "net" != row["model_b"]]


def _same_layers(tables: Tables) -> list[dict[str, Any]]:
    return [row for row in _rows(tables.layers) if row["layer_a"] == row["layer_b"]]


def _copy_of(address: str, model: str, order: Int[np.ndarray, "c"]) -> str:
    """Where a channel of `net` is in one of its copies; order: the old channel of each new one."""
    _, layer, channel = Address.parse(address)
    moved = model == "permuted" and layer == PERMUTED
    return str(Address(model, layer, int(np.argsort(order)[channel]) if moved else channel))


def _excess(models: Mapping[str, Responses]) -> float:
    return float(np.mean([row["excess"] for row in _rows(_between(models).matches)]))


def _mean_rank(data: Planted) -> float:
    (marks,) = compare(data, WITHIN_LAYERS).marks.values()
    return float(marks.rank.mean())
