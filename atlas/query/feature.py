"""A feature of an atlas as Python users see it: its images, its rows, and what is like it. Imports no torch."""

from typing import TYPE_CHECKING

import pyarrow as pa

from atlas.query.names import UnknownName, condition, names_of
from atlas.query.neighbors import neighbors
from atlas.query.question import Question
from atlas.query.reader import Reader
from atlas.query.tables_known import PROBE
from atlas.query.views import IMAGE_ORDER
from atlas.records import Address

if TYPE_CHECKING:
    from PIL import Image


class Feature:
    """A channel of a layer of a model, as an atlas holds it."""

    def __init__(self, atlas: Reader, address: Address) -> None:
        """A feature whose address is known to be in the atlas: `Atlas.feature` checks one."""
        self.atlas, self.address = atlas, address

    def __str__(self) -> str:
        return str(self.address)

    def __repr__(self) -> str:
        return f"Feature({str(self.address)!r})"

    @property
    def model(self) -> str:
        """The model's name."""
        return self.address.model

    @property
    def layer(self) -> str:
        """The layer's dotted module name."""
        return self.address.layer

    @property
    def channel(self) -> int:
        """The channel's number, from 0."""
        return self.address.channel

    @property
    def name(self) -> str | None:
        """The class that it stands for in a classifier's output, or else the label whose pictures drive it; None: neither."""
        return names_of(self.atlas, [str(self)]).get(str(self))

    def rows(self, view: str = "features") -> pa.Table:
        """Its rows of a view with columns model, layer and channel: of `features`, one for each image.

        Those of `features` are ordered by metric, the plain target first, then seed, and the newest first.
        """
        order = IMAGE_ORDER if view == "features" else "ALL"
        return self.atlas.sql(f"SELECT * FROM {view} WHERE {condition(self.address)} ORDER BY {order}")

    def similar(
        self,
        top: int = 10,
        *,
        measure: str | None = None,
        scope: str | None = None,
        to: str | None = None,
        mutual: bool = False,
        opposite: bool = False,
        probe: str = PROBE,
    ) -> pa.Table:
        """Its `top` nearest features, nearest first.

        measure: `raw`, `z`, `drive`, `sym` or `profile` (docs/similarity.md defines them). None: `sym` within a layer,
            else `profile`.
        scope: whom it is compared with: `layer`, `model`, `all`, or `other`, which gives the `top` of each other model.
            None: `layer`; with `to`, `model` when that is its own model, else `other`.
        to: only features of this model.
        mutual: only features that have this one in their own list.
        opposite: the most opposite features instead, most opposite first.
        probe: the set of pictures they were compared on; `atlas` is the atlas's own images.

        Columns: `rank` (from 1), `dst` (the neighbor's address), `score` (mean activation for `raw`, standard
        deviations for `z` and `sym`, a share of what its own image does for `drive`, Pearson's r for `profile`),
        `score_rev` (the same from `dst` to this feature), `rank_rev` (this feature's rank in the list of `dst`; NULL:
        not in it), `mutual`, `baseline` (the score of the same rank among rotated copies of the layers), `excess`
        (how far the score goes beyond that; at 0 or below, chance does as well), `scope`, `measure`, `probe`, and the
        `name` of `dst` and its `image` (a path, relative to the atlas).
        Empty for a feature that was not compared, as before similarity ran, or that is dead.
        UnknownName, with the nearest names, for what the atlas does not hold; ValueError for a `top` below 1.
        """
        question = Question.complete(
            self.address, measure=measure, scope=scope, to=to, mutual=mutual, opposite=opposite, probe=probe
        )
        return neighbors(self.atlas, question, top)

    def image(
        self,
        metric: str | None = None,
        *,
        target: str | None = None,
        seed: int | None = None,
        recipe: str | None = None,
    ) -> "Image.Image":
        """The first image, in the order of `rows()`, that has the given metric, target, seed and recipe.

        None stands for any. UnknownName, with those that there are, when no image has them; Damaged when the file
        cannot be read.
        """
        options = {"metric": metric, "target": target, "seed": seed, "recipe": recipe}
        wanted = {name: value for name, value in options.items() if value is not None}
        rows = self.rows().select([*options, "image"]).to_pylist()
        for row in rows:
            if all(row[name] == value for name, value in wanted.items()):
                return self._open(row["image"])
        there = "; ".join(" ".join(f"{name}={row[name]}" for name in options) for row in rows) or "none yet"
        raise UnknownName(f"{self} has no image with {wanted or 'any metric'}; it has {there}")

    def images(self) -> "list[Image.Image]":
        """All its images, in the order of `rows()`; Damaged when a file cannot be read."""
        return [self._open(image) for image in self.rows()["image"].to_pylist()]

    def _open(self, image: str) -> "Image.Image":
        from atlas.query.image_files import read_image  # it loads PIL, which most questions do not need

        return read_image(self.atlas.path / image)

    def _repr_html_(self) -> str:
        """What a notebook shows: its images, scores and nearest features, at most about 100 KB."""
        from atlas.query.html import feature_html  # it loads PIL, which most questions do not need

        return feature_html(self.atlas, self.address)
