"""What a picture of one's own drives: which features are asked, what they are compared with, and their names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from atlas.ask.answer import Answer, Standard
from atlas.config.mistakes import ConfigError
from atlas.query.names import check, check_layer, check_models, names_of
from atlas.query.reader import Reader
from atlas.query.shell import job
from atlas.query.tables_known import comparison_record
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.store.index import Row
from atlas.store.raw_variants import RawVariants

if TYPE_CHECKING:
    from PIL import Image

    from atlas.ask.asker import Asker

ASK_COLUMNS = pa.schema(
    [
        ("feature", pa.string()),
        ("z", pa.float32()),  # (response - mean) / deviation, over the pictures of a probe
        ("response", pa.float32()),  # mean activation over the map
        ("rank", pa.int32()),  # from 1, of all features that were asked
        # the receptive field of the map's highest position: pixels of the picture, x0 ≤ x < x1 and y0 ≤ y < y1
        ("x0", pa.int32()),
        ("y0", pa.int32()),
        ("x1", pa.int32()),
        ("y1", pa.int32()),
        ("name", pa.string()),  # of the feature; NULL: it has none
    ]
)
KINDS = ("natural", "photographs", "atlas", "patterns")  # of probes: with the first that there is a picture is compared


class CannotAsk(ValueError):
    """A picture that cannot be read, or an atlas that cannot be asked about one; the message says what to do."""


@dataclass(frozen=True)
class Scope:
    """Which features are asked, and what the picture is compared with; None: all, and what `probe_of` says."""

    model: str | None = None
    layer: str | None = None
    probe: str | None = None


def ask(
    reader: Reader, models: Callable[[], "Asker"], picture: "str | Path | Image.Image", top: int, scope: Scope
) -> pa.Table:
    """ASK_COLUMNS of the `top` features of a scope that a picture drives most; the schema's metadata have the probe.

    models: called once all else is known to be right, since it loads torch.

    UnknownName for what the atlas does not hold. CannotAsk: the picture cannot be read, a model cannot be loaded as it
    was, similarity has not been run. ValueError for a `top` below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}: ask for 1 feature or more")
    check_scope(reader, scope)
    image = picture_at(picture) if isinstance(picture, str | Path) else picture.convert("RGB")
    own = own_image(reader, image)
    probe = str(probe_of(reader, own is not None)) if scope.probe is None else scope.probe
    standards = _standards(reader, scope, probe)
    try:
        asker = models()
        showing = None if own is None else asker.showing(own["model"], min(image.size), own["raw"])
        rows = _named(reader, asker.ask(image, standards, top, own=showing))
        return rows.replace_schema_metadata({"probe": probe})
    except ConfigError as error:
        raise CannotAsk(str(error)) from None


def check_scope(reader: Reader, scope: Scope) -> None:
    """UnknownName for what the atlas does not hold; CannotAsk before similarity ran."""
    if scope.model is not None:
        check_models(reader, scope.model)
    if scope.layer is not None:
        check_layer(reader, scope.layer, scope.model)
    probes = _measured_probes(reader)
    if not probes:
        run = job("similarity", reader.path)
        raise CannotAsk(f"{reader.path} does not know what its features do on other pictures: run `{run}`")
    if scope.probe is not None:
        check(scope.probe, probes, f"probe in {reader.path}")


def picture_at(request: str | Path) -> "Image.Image":
    """The picture at a path, or `sklearn:china.jpg`, as upright RGB; CannotAsk when there is none."""
    from atlas.store.picture_files import find_pictures  # it loads PIL, which most questions do not need

    try:
        pictures = find_pictures(str(request))
        if not pictures[0].named:
            raise CannotAsk(f"{request} is a folder: name one picture")
        return pictures[0].read()
    except ConfigError as error:
        raise CannotAsk(str(error).removeprefix("image=")) from None
    except OSError as error:
        raise CannotAsk(str(error)) from None


def probe_of(reader: Reader, own: bool = False) -> str | None:
    """The probe that a picture is compared with when none is named; None before similarity ran.

    Natural pictures before the atlas's own images; these for a picture that is one of them (`own`).
    """
    kinds = ("atlas", *KINDS) if own else KINDS

    def kind(probe: str) -> int:
        record = comparison_record(reader, probe).get("probe", {})
        named = record.get("kind", probe)
        return kinds.index(named) if named in kinds else len(kinds)

    return min(_measured_probes(reader), key=lambda probe: (kind(probe), probe), default=None)


def _standards(reader: Reader, scope: Scope, probe: str) -> list[Standard]:
    """What the features of a scope do on the pictures of a probe."""
    keys = {"probe": probe, "model": scope.model, "layer": scope.layer}
    where = " AND ".join(f"{column} = {quoted(name)}" for column, name in keys.items() if name is not None)
    rows = reader.sql(f"FROM moments WHERE {where}").to_pylist()
    if not rows:
        asked = " and ".join(name for name in (scope.model, scope.layer) if name is not None)
        run = job("similarity", reader.path)
        raise CannotAsk(f"no feature of {asked} was live when similarity was last run: run `{run}`")
    return [
        Standard(
            feature=Address(row["model"], row["layer"], row["channel"]),
            **{name: row[name] for name in ("weights", "mu", "sigma")},
            highest=tuple(row["highest"]),
        )
        for row in rows
    ]


def own_image(reader: Reader, picture: "Image.Image") -> Row | None:
    """The row of the image of the atlas that a picture is, to the byte, with whether it was made `raw`; else None."""
    size = f"width = {picture.width} AND height = {picture.height}"
    if not reader.sql(f"SELECT 1 FROM features WHERE {size} LIMIT 1").num_rows:
        return None
    from atlas.store.images import png_sha256  # it loads PIL, which most questions do not need

    digest = quoted(png_sha256(picture))
    rows = reader.sql(
        f"SELECT model, metric, image, width, height FROM features WHERE {size} AND image_sha256 = {digest}"
    )
    row = next(iter(rows.to_pylist()), None)
    return None if row is None else {**row, "raw": RawVariants(reader.manifest).holds(row)}


def _named(reader: Reader, answers: Sequence[Answer]) -> pa.Table:
    """Answers as a table of ASK_COLUMNS."""
    names = names_of(reader, [answer.feature for answer in answers])
    rows = [{**answer._asdict(), "name": names.get(answer.feature)} for answer in answers]
    return pa.Table.from_pylist(rows, schema=ASK_COLUMNS)


def _measured_probes(reader: Reader) -> list[str]:
    return reader.sql("SELECT DISTINCT probe FROM moments ORDER BY probe")["probe"].to_pylist()
