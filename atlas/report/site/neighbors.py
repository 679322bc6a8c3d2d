"""The neighbors of every channel of a layer, from all tables that similarity left, read a table at a time.

Other features are numbers here: that of their layer in a table of partners, and their channel.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.report.site.encoding import Json, numbers, step_of
from atlas.report.site.site_layer import SiteLayer
from atlas.report.site.tasks import runs

SCOPES = ("layer", "model", "other")
MEASURES = ("sym", "profile")  # those that are shown, mapped and clustered
UNKNOWN = np.iinfo(np.int32).min


class AddressRange(NamedTuple):
    """SQL that picks the features of a layer by their addresses `src`: a condition, and the channel."""

    condition: str
    channel: str


class Partners:
    """A table of layers that grows as addresses are read; equal addresses are parsed once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._features: dict[str, tuple[int, int]] = {}

    @property
    def layers(self) -> list[tuple[str, str]]:
        """(model, layer), by number."""
        return list(self._numbers)

    def numbered(self, addresses: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """The layers' numbers and the channels of addresses; -1 and -1 for NULL."""
        encoded = addresses.combine_chunks().dictionary_encode()
        pairs = np.array([*map(self._number, encoded.dictionary.to_pylist()), (-1, -1)], np.int64)
        rows = pairs[encoded.indices.fill_null(len(pairs) - 1).to_numpy()]
        return rows[:, 0], rows[:, 1]

    def _number(self, address: str) -> tuple[int, int]:
        if address not in self._features:
            feature = Address.parse(address)
            number = self._numbers.setdefault(feature[:2], len(self._numbers))
            self._features[address] = number, feature.channel
        return self._features[address]


class Neighbors(NamedTuple):
    """One table of a layer, by position; the nearest of each position first, the most opposite last, both by rank."""

    name: str  # probe/scope/measure
    step: float  # scores are whole multiples of it
    starts: list[int]  # where the rows of each position begin, and where those of the last one end
    near: np.ndarray  # (rows,) whether it is one of the nearest
    layer: np.ndarray  # (rows,) the number of its layer
    channel: np.ndarray  # (rows,)
    reverse: np.ndarray  # (rows,) the place of this feature in its own list; 0: none
    score: np.ndarray  # (rows,) in steps
    excess: (
        np.ndarray
    )  # (rows,) in steps above the baseline, of the same sign as it is exactly; UNKNOWN without a baseline

    def lists(self, first: int, last: int) -> list[list[Any]]:
        """Of positions from first to before last: how many are the nearest, then a column of each field of all its rows.

        [] for one without rows. A layer that is the same in all rows stands once; a score is told by how much lower it
        is than the one before.
        """
        starts = self.starts[first : last + 1]
        rows = slice(starts[0], starts[-1])
        ends = [start - starts[0] for start in starts]
        begins = np.array([start for start, stop in pairwise(ends) if start < stop], int)
        falls = -np.diff(self.score[rows], prepend=0)
        falls[begins] = -self.score[rows][begins]
        near = iter(np.add.reduceat(self.near[rows], begins, dtype=int).tolist() if len(begins) else [])
        changes = np.cumsum(np.diff(self.layer[rows], prepend=-1) != 0).tolist()
        arrays = (self.layer[rows], self.channel[rows], self.reverse[rows], falls)
        columns: list[list[Any]] = [*(array.tolist() for array in arrays), known(self.excess[rows])]
        lists: list[list[Any]] = []
        for start, stop in pairwise(ends):
            if start == stop:
                lists.append([])
                continue
            layer, *others = (column[start:stop] for column in columns)
            lists.append([next(near), layer[0] if changes[start] == changes[stop - 1] else layer, *others])
        return lists


def known(steps: np.ndarray) -> list[int | None]:
    """Whole numbers; None for UNKNOWN."""
    numbers: list[int | None] = steps.tolist()
    return [None if step == UNKNOWN else step for step in numbers] if (steps == UNKNOWN).any() else numbers


def address_range(layer: SiteLayer) -> AddressRange:
    """The features of a layer as a range of addresses.

    `;` comes after `:`, so a range finds them; another layer's name may begin with the same and a `:`.
    """
    prefix = f"{layer.model}/{layer.name}"
    rest = f"src[{len(prefix) + 2} :]"
    condition = f"src >= {quoted(prefix + ':')} AND src < {quoted(prefix + ';')} AND NOT contains({rest}, ':')"
    return AddressRange(condition, f"{rest}::INTEGER")


def read_neighbors(atlas: Atlas, layer: SiteLayer, partners: Partners) -> list[Neighbors]:
    """Every table that holds neighbors of the layer."""
    src = address_range(layer)
    rows = atlas.sql(f"""
        SELECT concat_ws('/', probe, scope, measure) AS name, {src.channel} AS channel,
            sign, dst, score, baseline, coalesce(rank_rev, 0) AS rank_rev
        FROM neighbors WHERE scope IN {SCOPES} AND measure IN {MEASURES} AND isfinite(score) AND {src.condition}
        ORDER BY name, channel, sign DESC, rank, dst""")
    return [_table(layer, part, partners) for part in runs(rows, "name")]


def _table(layer: SiteLayer, rows: pa.Table, partners: Partners) -> Neighbors:
    score, baseline = (numbers(rows[name]) for name in ("score", "baseline"))
    step = step_of(np.concatenate([score, baseline]))
    starts = [*np.searchsorted(rows["channel"].to_numpy(), layer.channels).tolist(), len(rows)]
    layers, channels = partners.numbered(rows["dst"])
    return Neighbors(
        rows["name"][0].as_py(),
        step,
        starts,
        rows["sign"].to_numpy() > 0,
        layers,
        channels,
        rows["rank_rev"].to_numpy(),
        np.rint(score / step).astype(np.int32),
        excess_in_steps(score - baseline, step),
    )


def excess_in_steps(exact: np.ndarray, step: float) -> np.ndarray:
    """In steps, away from zero below one step: whether a score is beyond its baseline is not lost in rounding."""
    steps = np.where(np.abs(exact) < step, np.sign(exact), np.rint(exact / step))
    return np.where(np.isnan(steps), UNKNOWN, steps).astype(np.int32)


def pairs_within(layer: SiteLayer, tables: list[Neighbors], partners: Partners) -> Json:
    """Of each feature the nearest in each other layer of its network, of those that stand in its list.

    {layers, step, rows}: rows are columns, first of the position of the feature, then those of Neighbors.
    """
    table = next((one for one in tables if one.name == f"{PROBE}/model/profile"), None)
    if table is None:
        return {"layers": partners.layers, "step": 1, "rows": [[]] * 6}
    own = [number for number, names in enumerate(partners.layers) if names == (layer.model, layer.name)]
    position = np.repeat(np.arange(len(layer.channels)), np.diff(table.starts))
    wanted = np.flatnonzero(table.near & ~np.isin(table.layer, own))
    _, first = np.unique(np.stack([position[wanted], table.layer[wanted]]), axis=1, return_index=True)
    rows = wanted[first]
    columns = [column[rows].tolist() for column in (position, table.layer, table.channel, table.reverse, table.score)]
    return {"layers": partners.layers, "step": table.step, "rows": [*columns, known(table.excess[rows])]}
