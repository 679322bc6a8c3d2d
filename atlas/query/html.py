"""An atlas and a feature as HTML for a notebook: what there is in words and numbers, with thumbnails inside the page.

Every name is escaped: it comes from a file that somebody else may have written.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from atlas.query.image_files import thumbnail_uri
from atlas.query.names import condition
from atlas.query.neighbors import neighbors
from atlas.query.question import Question
from atlas.query.reader import Reader
from atlas.query.state import count
from atlas.query.views import IMAGE_ORDER, STANDS
from atlas.records import Address
from atlas.store.index import Row

# so many and so large that all thumbnails of a page are at most about 100 KB, even of images that are all noise
STRIP, STRIP_SIDE = 12, 72
OWN, OWN_SIDE = 3, 128
NEAR, NEAR_SIDE = 8, 72
SHOWN_COUNTS = ("done", "dead", "failed", "left")
CELL = "display:inline-block;vertical-align:top;margin:0 8px 8px 0;font-size:11px;line-height:1.3;max-width:160px"


def atlas_html(reader: Reader) -> str:
    """Name, models and layers of an atlas, how many images are done, dead, failed and left, and some of them."""
    layers = count(reader).to_pylist()
    models = list(dict.fromkeys(row["model"] for row in layers))
    rows = [_model_row(model, [row for row in layers if row["model"] == model]) for model in models]
    images = reader.sql(f"""
        SELECT feature, first(image ORDER BY {STANDS}) AS image, first(name ORDER BY {STANDS}) AS name FROM features
        WHERE status = 'ok' AND image IS NOT NULL GROUP BY model, layer, layer_index, channel, feature
        QUALIFY (row_number() OVER (ORDER BY model, layer_index, layer, channel) - 1)
            % greatest(1, count(*) OVER () // {STRIP}) = 0
        ORDER BY model, layer_index, layer, channel LIMIT {STRIP}""").to_pylist()
    cells = [_cell(reader.path / row["image"], STRIP_SIDE, _titles(row["feature"], row)) for row in images]
    name = str(reader.manifest.get("name") or reader.path.name)
    return _page(f"Atlas {name}", str(reader.path), [_table(["model", "layers", *SHOWN_COUNTS], rows), _strip(cells)])


def feature_html(reader: Reader, feature: Address) -> str:
    """Address, first images, scores and self_rank of a feature, and its nearest in its layer beside the baseline."""
    rows = reader.sql(f"SELECT * FROM features WHERE {condition(feature)} ORDER BY {IMAGE_ORDER}").to_pylist()
    own = [_cell(_path(reader, row), OWN_SIDE, _image_lines(row)) for row in rows[:OWN]]
    parts = [_strip(own) if own else "<div>no image yet</div>"]
    if len(rows) > OWN:
        parts.append(f"<div>{len(rows) - OWN:,} more images</div>")
    near = neighbors(reader, Question.complete(feature), NEAR).to_pylist()
    if near:
        parts.append("<div>nearest in its layer, by measure sym: score (that of rotated copies)</div>")
        parts.append(
            _strip(_cell(_path(reader, row), NEAR_SIDE, [*_titles(row["dst"], row), _score(row)]) for row in near)
        )
    name = next((row["name"] for row in rows if row["name"]), None)
    return _page(" · ".join([str(feature), *([name] if name else [])]), str(reader.path), parts)


def _page(title: str, subtitle: str, parts: Iterable[str]) -> str:
    return f"<div><div><b>{escape(title)}</b> <code>{escape(subtitle)}</code></div>{''.join(parts)}</div>"


def _strip(cells: Iterable[str]) -> str:
    return f'<div style="margin-top:8px">{"".join(cells)}</div>'


def _table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _model_row(model: str, layers: list[Row]) -> list[str]:
    """A row of the table: the model, its layers, and the sums over them of what was counted."""
    return [model, str(len(layers)), *(f"{sum(row[name] for row in layers):,}" for name in SHOWN_COUNTS)]


def _cell(path: Path | None, side: int, lines: Iterable[str]) -> str:
    """A thumbnail with lines of text below; an empty frame where there is no image, or none that can be read."""
    uri = thumbnail_uri(path, side) if path is not None else None
    frame = f'<img src="{uri}">' if uri else f'<div style="width:{side}px;height:{side}px;border:1px dotted"></div>'
    return f'<div style="{CELL}">{frame}<br>{"<br>".join(map(escape, lines))}</div>'


def _path(reader: Reader, row: Row) -> Path | None:
    return reader.path / row["image"] if row["image"] else None


def _image_lines(row: Row) -> list[str]:
    """Below an image of the feature: how it was made, its score, and its rank for its own channel."""
    score = "dead" if row["status"] == "dead" else f"score {row['score']:.3g}" if row["score"] is not None else ""
    rank = f"self_rank {row['self_rank']}" if row["self_rank"] is not None else ""
    made = [row["metric"], row["target"], f"seed {row['seed']}", row["recipe"]]
    return [line for line in (" ".join(str(word) for word in made if word is not None), score, rank) if line]


def _titles(feature: str, row: Row) -> list[str]:
    """The name of a feature, where it has one, and its address."""
    return [*([row["name"]] if row["name"] else []), feature]


def _score(row: Row) -> str:
    return f"{row['score']:.2f}" + (f" ({row['baseline']:.2f})" if row["baseline"] is not None else "")
