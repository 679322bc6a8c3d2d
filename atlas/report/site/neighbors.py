"""The neighbors of every channel of a layer, from all tables that similarity left, read a table at a time.

Other features are numbers here: that of their layer in a table of partners, and their channel.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.report.site.encoding import Json, numbers, packed, spans, stepped
from atlas.report.site.site_layer import SiteLayer
from atlas.report.site.tasks import runs

SCOPES = ("layer", "model", "other")
MEASURES = ("sym", "profile")  # those that are shown, mapped and clustered


class AddressRange(NamedTuple):
    """SQL that picks the features of a layer by their addresses `src`: a condition, and the channel."""

    condition: str
    channel: str


class Partners:
    """A table of layers that grows as addresses are read; equal addresses are parsed once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    @property
    def layers(self) -> list[tuple[str, str]]:
        """(model, layer), by number."""
        return list(self._numbers)

    def numbered(self, addresses: pa.ChunkedArray) -> tuple[list[int], list[int]]:
        """The layers' numbers and the channels of addresses; -1 and -1 for NULL."""
        encoded = addresses.combine_chunks().dictionary_encode()
        pairs = np.array([*map(self._number, encoded.dictionary.to_pylist()), (-1, -1)], np.int64)
        rows = pairs[encoded.indices.fill_null(len(pairs) - 1).to_numpy()]
        return rows[:, 0].tolist(), rows[:, 1].tolist()

    def _number(self, address: str) -> tuple[int, int]:
        feature = Address.parse(address)
        return self._numbers.setdefault(feature[:2], len(self._numbers)), feature.channel


# of a neighbor: the number of its layer, its channel, its place in the list, the place of this feature in its own list
# (0: none), score and baseline in steps between the ends of the table
ROW = np.dtype(
    [("layer", "<u2"), ("channel", "<u4"), ("rank", "<u2"), ("reverse", "<u2"), ("score", "<u2"), ("baseline", "<u2")]
)


PAIR = np.dtype([("position", "<u4"), *ROW.descr])


class Neighbors(NamedTuple):
    """One table of a layer, by position; the nearest of each position first, the most opposite last."""

    name: str  # probe/scope/measure
    ends: tuple[float, float]  # the lowest and the highest of all scores and baselines
    starts: list[int]  # where the rows of each position begin, and where those of the last one end
    near: np.ndarray  # (rows,) whether it is one of the nearest
    rows: np.ndarray  # (rows,) of ROW

    def of(self, position: int) -> list[Any]:
        """How many are the nearest, and all rows of a position in base64; [] where there are none."""
        start, stop = self.starts[position : position + 2]
        return [int(self.near[start:stop].sum()), packed(self.rows[start:stop])] if stop > start else []


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
            sign, rank, dst, score, baseline, coalesce(rank_rev, 0) AS rank_rev
        FROM neighbors WHERE scope IN {SCOPES} AND measure IN {MEASURES} AND {src.condition}
        ORDER BY name, channel, sign DESC, rank, dst""")
    return [_table(layer, part, partners) for part in runs(rows, "name")]


def _table(layer: SiteLayer, rows: pa.Table, partners: Partners) -> Neighbors:
    score, baseline = (numbers(rows[name]) for name in ("score", "baseline"))
    low, high = spans(np.concatenate([score, baseline]))
    packed_rows = np.empty(len(rows), ROW)
    packed_rows["layer"], packed_rows["channel"] = partners.numbered(rows["dst"])
    packed_rows["rank"], packed_rows["reverse"] = rows["rank"].to_numpy(), rows["rank_rev"].to_numpy()
    packed_rows["score"], packed_rows["baseline"] = stepped(score, low, high), stepped(baseline, low, high)
    starts = [*np.searchsorted(rows["channel"].to_numpy(), layer.channels).tolist(), len(rows)]
    return Neighbors(rows["name"][0].as_py(), (low, high), starts, rows["sign"].to_numpy() > 0, packed_rows)


def pairs_within(layer: SiteLayer, tables: list[Neighbors], partners: Partners) -> Json:
    """Of each feature the nearest in each other layer of its network, of those that stand in its list.

    {layers, ends, data}: data has a row of PAIR for each, by the position of the feature.
    """
    table = next((one for one in tables if one.name == f"{PROBE}/model/profile"), None)
    if table is None:
        return {"layers": partners.layers, "ends": (0, 0), "data": ""}
    own = [number for number, names in enumerate(partners.layers) if names == (layer.model, layer.name)]
    position = np.repeat(np.arange(len(layer.channels)), np.diff(table.starts))
    wanted = table.near & ~np.isin(table.rows["layer"], own)
    position, rows = position[wanted], table.rows[wanted]
    _, first = np.unique(np.stack([position, rows["layer"]]), axis=1, return_index=True)
    pairs = np.empty(len(first), PAIR)
    pairs["position"] = position[first]
    for name in ROW.names or ():
        pairs[name] = rows[name][first]
    return {"layers": partners.layers, "ends": table.ends, "data": packed(pairs)}
