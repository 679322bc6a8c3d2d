"""Known answers of neighbor tables, on planted responses (METHODS §5: 1, 2, 3, 7, 8)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int

from atlas.records import MEASURES
from atlas.selftest import oracle
from atlas.selftest.check import Answer
from atlas.selftest.comparison import ALL_FEATURES, Tables, compare, differences, ranks_in
from atlas.selftest.planted import Planted, planted
from atlas.similarity.compare.blocks import Comparison
from atlas.similarity.compare.spans import spans_of

SMALL_LAYERS = {"a/conv1": 12, "a/conv10": 9, "a/conv2": 15, "b net/l": 11}  # as text, conv10 comes before conv2
NORMALISED = tuple(measure for measure in MEASURES if measure != "raw")  # they know no channel's gain or bias
NEAREST = Comparison(MEASURES, ("layer",), top=1, bottom=0)
LOUDER = 5  # the feature that is scaled and shifted
VAGUE_STRENGTH = 3.5  # chosen so that z finds most and not all: over five seeds 92–99%, raw 0–1%, sym 98–100%
SCORE_TOLERANCE = 1e-5  # of a float64 score, relative or absolute: METHODS §5.8


def twins() -> Answer:
    """Each is the other's nearest where images are clear; where they are not, most are, and raw finds hardly any."""
    clear = planted({"net/layer": 96}, twins=12)
    vague = planted({"net/layer": 512}, twins=40, strength=VAGUE_STRENGTH, vague=0.5)
    near, share = twins_found(clear), twins_found(vague)
    exact = all(near[measure] == 1.0 for measure in ("z", "sym", "profile"))
    enough = share["raw"] <= 0.05 and share["z"] >= 0.85 and share["sym"] >= 0.95 and share["profile"] == 1.0
    return Answer(
        exact and enough,
        f"of {len(clear.twins)} at rank 1: {_percent(near)} (wanted: 100% in z, sym and profile); of {len(vague.twins)} "
        f"among 512 with vague images: {_percent(share)} (wanted: raw ≤ 5%, z ≥ 85%, sym ≥ 95%, profile 100%)",
    )


def twins_found(data: Planted) -> dict[str, float]:
    """The share of twins that each measure puts on rank 1."""
    tables = compare(data, NEAREST)
    shares = {}
    for measure in MEASURES:
        nearest = {src: dst for (src, _, _), (dst, _, _) in ranks_in(tables.neighbors["layer", measure]).items()}
        shares[measure] = float(np.mean([nearest.get(twin) == other for twin, other in data.twins.items()]))
    return shares


def _percent(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{measure} {share:.0%}" for measure, share in shares.items())


def scaled_channel() -> Answer:
    """A channel's gain and bias change nothing but raw."""
    data = planted(SMALL_LAYERS, extra=7)
    values = data.values.copy()
    values[:, LOUDER] = 37.0 * values[:, LOUDER] - 250.0
    before, after = compare(data), compare(replace(data, values=values))
    moved, raw = _changed(before, after, NORMALISED), _changed(before, after, ["raw"])
    return Answer(
        moved == 0 < raw,
        f"{data.addresses[LOUDER]} × 37 − 250: {moved} places differ in {', '.join(NORMALISED)} (wanted: 0), "
        f"{raw} in raw (wanted: some)",
    )


def permuted_channels() -> Answer:
    """Channels in another order have the same tables under their new names."""
    data = planted(SMALL_LAYERS, extra=7)
    order = _shuffled(data)
    new_number = np.append(np.argsort(order), -1)  # of each feature in the new order; none stays none
    moved = replace(data, values=data.values[:, order], made_for=new_number[data.made_for])
    names = {data.addresses[new]: data.addresses[old] for new, old in enumerate(order)}
    different = _changed(compare(data), compare(moved), MEASURES, names)
    away = sum(new != old for new, old in names.items())
    return Answer(
        different == 0 and away > len(names) / 2,
        f"{away} of {len(names)} channels moved: {different} places differ (wanted: 0)",
    )


def dead_channels() -> Answer:
    """Dead, constant, infinite and missing ones, and a layer with no other."""
    data = planted({"a/l": 10, "a/m": 6, "b/dead": 3})
    values = data.values.copy()
    values[:, [2, 16, 17, 18]] = 0.0
    values[:, 4] = 17.25 + 1e-7 * np.arange(len(values))
    values[3, 7], values[5, 12] = np.inf, np.nan
    dead = {data.addresses[g] for g in (2, 4, 7, 12, 16, 17, 18)}
    comparison = compare(replace(data, values=values), replace(ALL_FEATURES, top=len(data.addresses)))
    tables = [comparison.neighbors["all", measure] for measure in MEASURES]
    names_by_table = [set(table["src"].to_pylist()) | set(table["dst"].to_pylist()) for table in tables]
    present = sum(len(dead & names) for names in names_by_table)
    missing = sum(len(set(data.addresses) - dead - names) for names in names_by_table)
    infinite = sum(int((~np.isfinite(table["score"].to_numpy())).sum()) for table in tables)
    is_dead = np.array([address in dead for address in data.addresses])
    rank, z = (np.concatenate([getattr(m, part) for m in comparison.marks.values()]) for part in ("rank", "z"))
    wrong = int((((rank == 0) & np.isnan(z)) != is_dead).sum())
    layers = {row["layer_a"]: row["features_a"] for row in comparison.layers.to_pylist()}
    passed = present == missing == infinite == wrong == 0 and layers == {"l": 7, "m": 5}
    return Answer(
        passed,
        f"of {len(dead)} such channels {present} stand in a table, {missing} others are missing, {infinite} scores are "
        f"not finite, {wrong} marks are wrong (wanted: 0 each); live features by layer: {layers} (wanted: l 7, m 5)",
    )


def reference() -> Answer:
    """The same however it is cut, whoever does it and however the pictures lie; and what the definitions give."""
    data = planted(SMALL_LAYERS, extra=7)
    whole = compare(data)
    order = np.random.default_rng(0).permutation(len(data.made_for))
    turned = replace(data, values=data.values[order], made_for=data.made_for[order], source=data.source[order])
    others = [compare(data, most=1), compare(data, most=4, workers=3), compare(turned, most=7, workers=2)]
    moved = sum(_changed(whole, other, MEASURES) for other in others)
    wrong, error = 0, 0.0
    for measure in MEASURES:
        known, table = oracle.scores(data, measure), whole.neighbors["all", measure]
        wrong += differences(
            ranks_in(table), oracle.ranks(data, known, top=ALL_FEATURES.top, bottom=ALL_FEATURES.bottom)
        )
        error = max(error, _error(data, table, known))
    return Answer(
        moved == wrong == 0 and error <= SCORE_TOLERANCE,
        f"cut into blocks of 1, 4 and 7 for 1, 3 and 2 workers: {moved} places differ; from float64: {wrong} places "
        f"(wanted: 0 each), largest error {error:.1e} (wanted: ≤ {SCORE_TOLERANCE:g})",
    )


def _changed(tables: Tables, others: Tables, measures: Sequence[str], names: Mapping[str, str] | None = None) -> int:
    """At how many ranks the tables of all features differ."""
    pairs = [(tables.neighbors["all", measure], others.neighbors["all", measure]) for measure in measures]
    return sum(differences(ranks_in(table), ranks_in(other, names)) for table, other in pairs)


def _shuffled(data: Planted) -> Int[np.ndarray, "c"]:
    """The features, mixed within each layer."""
    random = np.random.default_rng(1)
    return np.concatenate([span.start + random.permutation(len(span)) for span in spans_of(data.addresses)])


def _error(data: Planted, table: pa.Table, known: Float64[np.ndarray, "f g"]) -> float:
    """The largest error of a score, relative where the score is above 1."""
    numbers = {address: number for number, address in enumerate(data.addresses)}
    wanted = np.array([known[numbers[row["src"]], numbers[row["dst"]]] for row in table.to_pylist()])
    return float((np.abs(table["score"].to_numpy() - wanted) / np.maximum(1.0, np.abs(wanted))).max())
