"""An atlas as Python sees it: SQL over its views, and its features one by one. Imports no torch and no Ray."""

import io
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from PIL import Image

from atlas import records
from atlas.config.mistakes import nearest
from atlas.query.guard import Damaged, ask
from atlas.query.views import connect, define, empty_sources, quoted
from atlas.store.manifest import NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths

# what an image is chosen by when not said: the plain target and the lowest seed, of two recipes the one made last
ORDER = "metric, target <> 'channel', target, seed, created DESC"


class UnknownName(LookupError):
    """A name that the atlas does not hold; the message has the nearest that it does."""


class Atlas:
    """An open atlas. `with Atlas(path) as atlas:` closes it; threads may share one."""

    def __init__(self, path: str | Path) -> None:
        """Open the folder `path`; NotAnAtlas when it is none."""
        self.path = Path(path)
        self.paths = AtlasPaths(self.path)
        self.manifest: dict[str, Any] = read_manifest(self.paths.manifest)
        self._root = self.path.resolve()
        self._empty = empty_sources(self._root)
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

    def feature(self, address: str | records.Feature) -> "Feature":
        """A feature by its address `model/layer:channel`; UnknownName says which are near."""
        try:
            name = records.Feature.parse(str(address))
        except ValueError as error:
            first = "model || '/' || layer || ':' || min(channel) AS feature"
            known = self.sql(f"SELECT {first} FROM tasks GROUP BY model, layer ORDER BY ALL")["feature"].to_pylist()
            raise UnknownName(f"{error}; {nearest(address, known)}") from None
        feature = Feature(self, name)
        if not feature.rows("plan") and not feature.rows():
            raise self._unknown(name)
        return feature

    def _unknown(self, name: records.Feature) -> UnknownName:
        """Why no task of the atlas is of this feature: the first wrong part of its address, and what is near."""
        layers = self.sql("SELECT DISTINCT model, layer FROM tasks ORDER BY ALL").to_pylist()
        if not layers:
            return UnknownName(f"{self.path} holds no features yet")
        known = [f"{row['model']}/{row['layer']}" for row in layers]
        models = {row["model"] for row in layers}
        if name.model not in models:
            return UnknownName(f"no model {name.model!r} in {self.path}: {nearest(name.model, sorted(models))}")
        if (layer := f"{name.model}/{name.layer}") not in known:
            mine = [one for one in known if one.startswith(name.model + "/")]
            return UnknownName(f"no layer {layer!r} in {self.path}: {nearest(layer, mine)}")
        where = f"model = {quoted(name.model)} AND layer = {quoted(name.layer)}"
        channels = self.sql(f"SELECT DISTINCT channel FROM tasks WHERE {where}")["channel"].to_pylist()
        near = sorted(sorted(channels, key=lambda channel: abs(channel - name.channel))[:3])
        addresses = ", ".join(f"{layer}:{channel}" for channel in near)
        return UnknownName(f"no feature {str(name)!r} in {self.path}; the nearest are {addresses}")

    def _notice_first_files(self) -> None:
        """A view over a folder that was empty is defined anew once a run has published its first file there."""
        with self._lock:
            found = [source for source in self._empty if source.exists(self._root)]
            if found:
                with self._connection.cursor() as cursor:
                    define(cursor, self._root, found)
                self._empty = [source for source in self._empty if source not in found]


class Feature:
    """A channel of a layer of a model, as the atlas shows it."""

    def __init__(self, atlas: Atlas, name: records.Feature) -> None:
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

    def image(
        self,
        metric: str | None = None,
        *,
        target: str | None = None,
        seed: int | None = None,
        recipe: str | None = None,
    ) -> Image.Image:
        """The first of its images that is as asked; UnknownName when none is, saying which there are."""
        asked = {"metric": metric, "target": target, "seed": seed, "recipe": recipe}
        wanted = {key: value for key, value in asked.items() if value is not None}
        rows = self.rows().select([*asked, "image"]).to_pylist()
        for row in rows:
            if all(row[key] == value for key, value in wanted.items()):
                return self._open(row["image"])
        held = "; ".join(" ".join(f"{key}={row[key]}" for key in asked) for row in rows) or "none yet"
        raise UnknownName(f"{self} has no image with {wanted or 'any metric'}; it has {held}")

    def images(self) -> list[Image.Image]:
        """All its images, in the order of `rows()`."""
        return [self._open(image) for image in self.rows()["image"].to_pylist()]

    def _open(self, image: str) -> Image.Image:
        """Read an image whole, so that no file stays open."""
        try:
            with Image.open(io.BytesIO((self.atlas.path / image).read_bytes())) as opened:
                opened.load()
                return opened.copy()
        except (OSError, SyntaxError) as error:
            raise Damaged(f"{self.atlas.path / image} cannot be read: {error}") from None


def newest(folder: str | Path = "outputs") -> Path:
    """The atlas under `folder` whose manifest was written last; NotAnAtlas when there is none."""
    found = sorted(Path(folder).glob("*/atlas.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise NotAnAtlas(f"there is no atlas under {folder}/: make one with `atlas run`, or name one with --atlas DIR")
    return found[-1].parent
