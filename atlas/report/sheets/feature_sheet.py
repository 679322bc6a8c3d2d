"""The contact sheet of one feature: all its images beside the picture that drives it most, and below them more such
pictures and its neighbors.
"""

from collections.abc import Iterator
from itertools import groupby, product
from pathlib import Path

from PIL import Image

from atlas.query.atlas import Atlas
from atlas.query.feature import Feature
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.report.examples import Example, boxed, cropped, overlaid, read_examples
from atlas.report.marks import save_marked
from atlas.report.sheets.grid import SMALL, Cell, Section, draw_sheet
from atlas.report.sheets.layer_sheets import ORDER, TELLING, VARIANT, Row, cell, summary, tags, varying
from atlas.store.images import read_picture

BIG = 256  # pixels of a feature's own images
MOST_VARIANTS = 128  # on the sheet of one feature, under each metric
BESIDE = 2  # images of its own at most that the most driving picture stands beside, as large as they
NEIGHBORS = 10  # of each kind
LABEL_LETTERS = 18  # of a label, as many as fit under a thumbnail
BASELINE = "in brackets: the same rank among rotated copies"


def feature_sheet(atlas: Atlas, feature: Feature) -> Path:
    """Draw and write one feature under every metric, target, seed and recipe; returns the path.

    There is a row for each metric where other things vary too.
    """
    tasks = f"SELECT *, {VARIANT} AS variant FROM tasks WHERE feature = {quoted(str(feature))} ORDER BY {ORDER}"
    rows = atlas.sql(tasks).to_pylist()
    columns, cells = _own(atlas, rows)
    examples = list(read_examples(atlas, f"feature = {quoted(str(feature))} AND rank <= {NEIGHBORS}"))
    if len(cells) <= BESIDE and examples:
        cells += _panels(atlas, examples[0])
        columns = len(cells)
    sections = [section for section in (*_pictures(atlas, examples), *_sections(atlas, feature)) if section.cells]
    name = feature.name
    title = f"{name}   ·   {feature}" if name else str(feature)
    sheet = draw_sheet(title, summary(rows), cells, thumb=BIG, columns=columns, sections=sections)
    path = atlas.paths.sheet(feature.model, feature.layer, f"feature-{feature.channel}")
    return save_marked(sheet, path, title=str(feature), mark="")


def _own(atlas: Atlas, rows: list[Row]) -> tuple[int, list[Cell]]:
    """The number of columns, and the cells of its own images."""
    telling = varying(rows, TELLING)
    metrics = sorted({row["metric"] for row in rows})
    variants = sorted(
        {_variant(row) for row in rows}, key=lambda variant: (variant[0] != "channel", *map(str, variant))
    )
    by_variant = {(row["metric"], *_variant(row)): row for row in rows}
    cells = [
        cell(atlas, row, "   ".join([row["metric"], *tags(row, telling)])) if row else Cell("", "blank")
        for row in (
            by_variant.get((metric, *variant)) for metric, variant in product(metrics, variants[:MOST_VARIANTS])
        )
    ]
    return min(12, len(variants) if len(variants) > 1 else len(metrics)), cells


def _sections(atlas: Atlas, feature: Feature) -> Iterator[Section]:
    """Yield a section of each kind of neighbors; some are empty."""
    model = feature.model
    near = feature.similar(NEIGHBORS).to_pylist()
    yield Section("Nearest in its layer", f"sym   ·   {BASELINE}", _neighbors(atlas, near))
    near = feature.similar(NEIGHBORS, scope="model").to_pylist()
    yield Section(f"Nearest in {model}", f"all layers   ·   profile   ·   {BASELINE}", _neighbors(atlas, near))
    near = feature.similar(NEIGHBORS, scope="other").to_pylist()
    for other, rows in groupby(sorted(near, key=_model), key=_model):
        yield Section(f"Nearest in {other}", f"profile   ·   {BASELINE}", _neighbors(atlas, list(rows)))
    far = feature.similar(NEIGHBORS, opposite=True).to_pylist()
    yield Section("Opposites in its layer", f"sym   ·   {BASELINE}", _neighbors(atlas, far))


def _neighbors(atlas: Atlas, rows: list[Row]) -> list[Cell]:
    """A cell for each neighbor: its name, or its layer and channel, for the section's title has its model; its score."""
    features = [Address.parse(row["dst"]) for row in rows]
    return [
        Cell(row["name"] or _tail(f"{feature.layer}:{feature.channel}"), "ok", _path(atlas, row["image"]), _score(row))
        for feature, row in zip(features, rows, strict=True)
    ]


def _tail(label: str) -> str:
    """A long label cut at its beginning: the layers of a model begin alike, and the channel stands last."""
    return label if len(label) <= LABEL_LETTERS else "…" + label[-LABEL_LETTERS:]


def _score(row: Row) -> str:
    return f"{row['score']:.2f}" + (f"  ({row['baseline']:.2f})" if row["baseline"] is not None else "")


def _panels(atlas: Atlas, example: Example) -> Iterator[Cell]:
    """The picture with a frame around its receptive field, under its heat map, and the receptive field alone."""
    picture = _copy(atlas, example)
    if picture is None:
        return
    yield Cell(f"{example.name}   {example.mean:.3g}", "ok", picture=boxed(picture, example.box))
    if example.heat is not None:
        yield Cell(f"strongest {example.place}", "ok", picture=overlaid(picture, example.heat))
    if (crop := cropped(picture, example.box, BIG)) is not None:
        yield Cell("its receptive field there", "ok", picture=crop)


def _pictures(atlas: Atlas, examples: list[Example]) -> Iterator[Section]:
    """Yield for each set of pictures those with the highest mean activation, and what the strongest place of each sees."""
    for probe, members in groupby(examples, key=lambda example: example.probe):
        driving = list(members)
        cells = [_heated(atlas, example) for example in driving]
        yield Section("Pictures that drive it most", f"probe {probe}   ·   mean activation", cells)
        crops = [_crop(atlas, example) for example in driving]
        if any(cell.picture for cell in crops):
            yield Section("The receptive field of the strongest place in each", f"probe {probe}", crops)


def _heated(atlas: Atlas, example: Example) -> Cell:
    picture, note = _copy(atlas, example), f"{example.mean:.3g}"
    if picture is None:
        return Cell(_tail(example.name), "ok", note=note)
    drawn = boxed(overlaid(picture, example.heat), example.box)
    return Cell(_tail(example.name), "ok", note=note, picture=drawn)


def _crop(atlas: Atlas, example: Example) -> Cell:
    picture = _copy(atlas, example)
    crop = picture and cropped(picture, example.box, SMALL)
    return Cell("whole picture", "blank") if crop is None else Cell(example.place or "", "ok", picture=crop)


def _copy(atlas: Atlas, example: Example) -> Image.Image | None:
    try:
        return read_picture(atlas.path / example.image)
    except OSError:
        return None


def _path(atlas: Atlas, image: str | None) -> Path | None:
    return atlas.path / image if image else None


def _model(row: Row) -> str:
    return Address.parse(row["dst"]).model


def _variant(row: Row) -> tuple[str, int, str, str]:
    return row["target"], row["seed"], row["variant"] or "", row["recipe"] or ""
