"""The neighbors of every channel of a layer, from all tables that similarity left, read a table at a time.

Other features are numbers here: that of their layer in a table of partners, and their channel.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.report.site.encoding import listed, numbers
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


class Neighbors(NamedTuple):
    """One table of a layer, by position; the nearest of each position first, the most opposite last."""

    name: str  # probe/scope/measure
    starts: list[int]  # where the rows of each position begin, and where those of the last one end
    columns: list[list[Any]]

    def of(self, position: int) -> list[tuple[Any, ...]]:
        start, stop = self.starts[position : position + 2]
        return list(zip(*(column[start:stop] for column in self.columns), strict=True))


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
            sign, rank, dst, score, baseline, coalesce(rank_rev, 0) AS rank_rev, mutual
        FROM neighbors WHERE scope IN {SCOPES} AND measure IN {MEASURES} AND {src.condition}
        ORDER BY name, channel, sign DESC, rank, dst""")
    return [_table(layer, part, partners) for part in runs(rows, "name")]


def _table(layer: SiteLayer, rows: pa.Table, partners: Partners) -> Neighbors:
    plain = [rows[name].to_pylist() for name in ("sign", "rank")]
    values = [listed(numbers(rows[name])) for name in ("score", "baseline")]
    back = [rows["rank_rev"].to_pylist(), rows["mutual"].cast(pa.int8()).to_pylist()]
    columns = [*plain, *partners.numbered(rows["dst"]), *values, *back]
    starts = [*np.searchsorted(rows["channel"].to_numpy(), layer.channels).tolist(), len(rows)]
    return Neighbors(rows["name"][0].as_py(), starts, columns)
