"""What a picture of one's own drives: which features are asked, what they are compared with, and their names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from atlas.ask.answer import Answer, Standard
from atlas.config.mistakes import ConfigError
from atlas.query.names import check, check_models
from atlas.query.reader import Reader
from atlas.query.shell import job
from atlas.query.tables_known import PROBE, comparison_record
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
        ("rank", pa.int32()),  # by z, of all features that were asked
        # the receptive field of the map's highest position: pixels of the picture, x0 ≤ x < x1 and y0 ≤ y < y1
        ("x0", pa.int32()),
        ("y0", pa.int32()),
        ("x1", pa.int32()),
        ("y1", pa.int32()),
        ("name", pa.string()),  # of the feature; NULL: it has none
    ]
)
KINDS = ("natural", "atlas", "patterns")  # of probes: with the first that there is a picture is compared


class CannotAsk(ValueError):
    """A picture that cannot be read, or an atlas that cannot be asked about one; the message says what to do."""


def ask(
    reader: Reader, asker: "Asker", picture: "str | Path | Image.Image", top: int, standards: Sequence[Standard]
) -> pa.Table:
    """ASK_COLUMNS of the `top` features, of those with `standards`, that a picture drives most.

    CannotAsk: the picture cannot be read, or a model cannot be loaded as it was. ValueError for a `top` below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}: ask for 1 feature or more")
    image = picture_at(picture) if isinstance(picture, str | Path) else picture.convert("RGB")
    try:
        own = own_image(reader, image)
        showing = None if own is None else asker.showing(own["model"], min(image.size), own["raw"])
        return _named(reader, asker.ask(image, standards, top, showing=showing))
    except ConfigError as error:
        raise CannotAsk(str(error)) from None


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


def probe_asked(reader: Reader) -> str | None:
    """The probe that pictures are compared with when none is named: natural pictures before the atlas's own images."""

    def kind(probe: str) -> int:
        told = comparison_record(reader, probe).get("probe", {}).get("kind", PROBE if probe == PROBE else None)
        return KINDS.index(told) if told in KINDS else len(KINDS)

    return min(_measured_probes(reader), key=lambda probe: (kind(probe), probe), default=None)


def standards_of(reader: Reader, *, model: str | None, layer: str | None, probe: str | None) -> list[Standard]:
    """What the features that are asked do on the pictures of a probe.

    UnknownName for what the atlas does not hold; CannotAsk when similarity has not been run.
    """
    if model is not None:
        check_models(reader, model)
    if layer is not None:
        of_model = "" if model is None else f"WHERE model = {quoted(model)}"
        layers = reader.sql(f"SELECT DISTINCT layer FROM tasks {of_model} ORDER BY layer")["layer"].to_pylist()
        check(layer, layers, f"layer in {reader.path if model is None else model}")
    known = _measured_probes(reader)
    if not known:
        run = job("similarity", reader.path)
        raise CannotAsk(f"{reader.path} does not know what its features do on other pictures: run `{run}`")
    if probe is not None:
        check(probe, known, f"probe in {reader.path}")
    where = [f"probe = {quoted(str(probe_asked(reader) if probe is None else probe))}"]
    where += [f"{column} = {quoted(name)}" for column, name in (("model", model), ("layer", layer)) if name is not None]
    rows = reader.sql(f"FROM moments WHERE {' AND '.join(where)}").to_pylist()
    if not rows:
        asked = " and ".join(name for name in (model, layer) if name is not None)
        raise CannotAsk(
            f"no feature of {asked} was live when similarity was last run: run `{job('similarity', reader.path)}`"
        )
    return [
        Standard(Address(row["model"], row["layer"], row["channel"]), row["weights"], row["mu"], row["sigma"])
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
    names = dict(_names(reader, [answer.feature for answer in answers]))
    rows = [{**answer._asdict(), "name": names.get(answer.feature)} for answer in answers]
    return pa.Table.from_pylist(rows, schema=ASK_COLUMNS)


def _names(reader: Reader, features: Sequence[str]) -> Iterator[tuple[str, str]]:
    listed = ", ".join(["NULL", *map(quoted, features)])
    text = f"SELECT feature, any_value(name) AS name FROM features WHERE feature IN ({listed}) GROUP BY feature"
    for row in reader.sql(text).to_pylist():
        yield row["feature"], row["name"]


def _measured_probes(reader: Reader) -> list[str]:
    return reader.sql("SELECT DISTINCT probe FROM moments ORDER BY probe")["probe"].to_pylist()
