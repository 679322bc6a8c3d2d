"""An atlas as Python sees it: SQL over its views, and its features one by one. Imports no torch and no Ray."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from atlas import records
from atlas.query.guard import Damaged, ask, ask_by_batches, explaining
from atlas.query.matches import match
from atlas.query.names import UnknownName, parse_address, unknown_feature
from atlas.query.neighbors import similar
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.query.views import connect, define, empty_sources
from atlas.store.manifest import NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths

if TYPE_CHECKING:
    from PIL import Image

# what an image is chosen by when not said: the plain target and the lowest seed, of two recipes the one made last
ORDER = "metric, target <> 'channel', target, seed, created DESC"


class Atlas:
    """An open atlas. `with Atlas(path) as atlas:` closes it; threads may share one."""

    def __init__(self, path: str | Path) -> None:
        """Open the folder `path`; NotAnAtlas when it is none, Damaged with the file that cannot be read."""
        self.path = Path(path)
        self.paths = AtlasPaths(self.path)
        self.manifest: dict[str, Any] = read_manifest(self.paths.manifest)
        self._root = self.path.resolve()
        self._empty = empty_sources(self._root)
        with explaining(self._root):
            self._connection = connect(self.paths)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Atlas({str(self.path)!r})"

    def close(self) -> None:
        self._connection.close()

    def sql(self, text: str) -> pa.Table:
        """Answer one reading statement over the views; QueryError with DuckDB's message, Damaged with the file."""
        self._notice_first_files()
        with self._connection.cursor() as cursor:
            return ask(cursor, text, self._root)

    def batches(self, text: str, rows: int) -> Iterator[pa.RecordBatch]:
        """The same, at most so many rows at a time: for answers that are larger than the memory."""
        self._notice_first_files()
        with self._connection.cursor() as cursor:
            yield from ask_by_batches(cursor, text, self._root, rows)

    def feature(self, address: str | records.Address) -> "Feature":
        """A feature by its address `model/layer:channel`; UnknownName says which are near."""
        name = parse_address(self, address)
        feature = Feature(self, name)
        if not feature.rows("plan") and not feature.rows():
            raise unknown_feature(self, name)
        return feature

    def match(
        self, model_a: str, model_b: str, top: int | None = None, mutual: bool = False, probe: str = PROBE
    ) -> pa.Table:
        """For each feature of `model_a` its best match in `model_b`, beside that in rotated copies (query/matches.py)."""
        return match(self, model_a, model_b, top=top, mutual=mutual, probe=probe)

    def _notice_first_files(self) -> None:
        """A view over a folder that was empty is defined anew once a run has published its first file there."""
        with self._lock:
            found = [source for source in self._empty if source.exists(self._root)]
            if found:
                with explaining(self._root), self._connection.cursor() as cursor:
                    define(cursor, self._root)
                self._empty = [source for source in self._empty if source not in found]


class Feature:
    """A channel of a layer of a model, as the atlas shows it."""

    def __init__(self, atlas: Atlas, name: records.Address) -> None:
        self.atlas, self.name = atlas, name

    def __str__(self) -> str:
        return str(self.name)

    def __repr__(self) -> str:
        return f"Feature({str(self.name)!r})"

    @property
    def model(self) -> str:
        return self.name.model

    @property
    def layer(self) -> str:
        return self.name.layer

    @property
    def channel(self) -> int:
        return self.name.channel

    def rows(self, view: str = "features") -> pa.Table:
        """Its rows of a view: one per image, by metric, target and seed."""
        order = ORDER if view == "features" else "ALL"
        where = f"model = {quoted(self.model)} AND layer = {quoted(self.layer)} AND channel = {self.channel}"
        return self.atlas.sql(f"SELECT * FROM {view} WHERE {where} ORDER BY {order}")

    def similar(self, top: int = 10, **options: Any) -> pa.Table:
        """Its nearest features. Options: measure, scope, to, mutual, opposite, probe (query/similar.py)."""
        return similar(self.atlas, self.name, top, **options)

    def image(
        self,
        metric: str | None = None,
        *,
        target: str | None = None,
        seed: int | None = None,
        recipe: str | None = None,
    ) -> "Image.Image":
        """The first of its images that is as asked; UnknownName when none is, saying which there are."""
        asked = {"metric": metric, "target": target, "seed": seed, "recipe": recipe}
        wanted = {key: value for key, value in asked.items() if value is not None}
        rows = self.rows().select([*asked, "image"]).to_pylist()
        for row in rows:
            if all(row[key] == value for key, value in wanted.items()):
                return self._open(row["image"])
        held = "; ".join(" ".join(f"{key}={row[key]}" for key in asked) for row in rows) or "none yet"
        raise UnknownName(f"{self} has no image with {wanted or 'any metric'}; it has {held}")

    def images(self) -> "list[Image.Image]":
        """All its images, in the order of `rows()`."""
        return [self._open(image) for image in self.rows()["image"].to_pylist()]

    def _open(self, image: str) -> "Image.Image":
        """Read an image whole, so that no file stays open."""
        from PIL import Image  # not before: most questions are not for pictures

        try:
            with Image.open(io.BytesIO((self.atlas.path / image).read_bytes())) as opened:
                opened.load()
                return opened.copy()
        except (OSError, SyntaxError) as error:
            raise Damaged(f"{self.atlas.path / image} cannot be read: {error}") from None


def newest(folder: str | Path = "outputs") -> Path:
    """The atlas under `folder` whose manifest was written last; NotAnAtlas when there is none."""
    found = all_atlases(folder)
    if not found:
        raise NotAnAtlas(f"there is no atlas under {folder}/: make one with `atlas run`, or name one with --atlas DIR")
    return found[0]


def all_atlases(folder: str | Path = "outputs") -> list[Path]:
    """Every atlas under `folder`, the one whose manifest was written last first."""
    found = sorted(Path(folder).glob("*/atlas.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in found]
