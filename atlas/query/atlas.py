"""An atlas as Python users see it: SQL over its views, features, names, matches, questions. Imports no torch and no Ray."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from atlas.query.asking import Scope, ask
from atlas.query.feature import Feature
from atlas.query.label_names import names
from atlas.query.matches import match
from atlas.query.names import find_feature, model_names
from atlas.query.pairs import pairs
from atlas.query.reader import Reader
from atlas.query.tables_known import PROBE
from atlas.records import Address
from atlas.store.manifest import NotAnAtlas

if TYPE_CHECKING:
    from PIL import Image

    from atlas.ask.asker import Asker


class Atlas(Reader):
    """An open atlas. `with Atlas(path) as atlas:` closes it; threads may share one.

    `models` and `layers` say what it holds, `feature` opens one feature, `match` compares two models, and `sql` asks
    anything else: `sql("show tables")` lists the views, and `sql("from features")` has a row for each image.
    """

    @property
    def models(self) -> list[str]:
        """The names of its models, also of those whose images are not made yet."""
        return model_names(self)

    @property
    def layers(self) -> pa.Table:
        """Its layers in order of execution: columns `model`, `layer` and `features`, how many were asked for."""
        return self.sql("""
            SELECT model, layer, count(DISTINCT channel) AS features
            FROM tasks GROUP BY model, layer ORDER BY model, min(layer_index), layer""")

    def feature(self, address: str | Address) -> Feature:
        """A feature by its address `model/layer:channel`, as `googlenet/inception4a:12`.

        Where that is one feature only, `layer:channel` will do, or its name, as `zebra` or `conv5:zebra`. UnknownName, with
        the nearest names, when the atlas was never asked for it; with all addresses, when there are several.
        """
        return Feature(self, find_feature(self, address))

    def match(
        self, model_a: str, model_b: str, top: int | None = None, *, mutual: bool = False, probe: str = PROBE
    ) -> pa.Table:
        """The best match in `model_b` of each live feature of `model_a`, by measure `profile`, best first.

        `top` keeps only the best so many, `mutual` only pairs that are each other's best match; `probe` names the set
        of pictures they were compared on. Columns: `src` and `dst` (addresses), `score` (Pearson's r),
        `baseline` (the best score in rotated copies of `model_b`'s layers), `excess` (score - baseline), `mutual`, `partner` (a
        match one to one, in the layer that is most alike; NULL: none was left) and `partner_score`.
        Empty before similarity ran. UnknownName for a model or probe that the atlas does not hold.
        """
        return match(self, model_a, model_b, top=top, mutual=mutual, probe=probe)

    def pairs(
        self,
        top: int = 20,
        *,
        scope: str = "layer",
        measure: str | None = None,
        model: str | None = None,
        probe: str = PROBE,
    ) -> pa.Table:
        """The `top` closest pairs of features, those furthest beyond their baseline first; each pair once.

        scope: whom features are paired with, `layer`, `model`, `other` or `all`; measure: as `Feature.similar` has it; model:
        only features of this one. Columns: `src`, `dst`, `measure`, `score`, `baseline` (of the same rank among rotated
        copies of the layers), `excess` (score less baseline), `mutual` (each stands in the other's list), `src_name` and
        `dst_name` (a class, or the label whose pictures drive it). Empty before similarity ran. UnknownName for what the
        atlas does not hold; ValueError for a `top` below 1.
        """
        return pairs(self, top, scope=scope, measure=measure, model=model, probe=probe)

    def names(
        self,
        feature: str | Address | None = None,
        *,
        model: str | None = None,
        layer: str | None = None,
        probe: str | None = None,
    ) -> pa.Table:
        """The label whose pictures drive each live feature beyond chance, in the order of layers and channels.

        `feature`, `model` and `layer` keep only their own; `probe` names the set of labelled pictures, None the
        photographs if there are any, else the drawings. Columns: `feature`, `name` (NULL: no label has p < 0.01),
        `auc` (of the name against all other labels), `p` (by permutation, over all labels) and `runner_up`.
        Empty before `atlas similarity` ran with such pictures. UnknownName for what the atlas does not hold.
        """
        return names(self, feature, model=model, layer=layer, probe=probe)

    def ask(
        self,
        picture: "str | Path | Image.Image",
        top: int = 20,
        *,
        model: str | None = None,
        layer: str | None = None,
        probe: str | None = None,
    ) -> pa.Table:
        """The `top` features that a picture drives most beyond what pictures do, and where: one forward pass a model.

        picture: a path, `sklearn:china.jpg`, or an image. Of it the models are shown the largest square in the middle
            at their own input size; an image of this atlas is shown as it was made. Models are loaded when they are
            first asked, onto a GPU if there is one, and kept.
        model, layer: only their features.
        probe: the pictures that it is compared with. None: natural ones where there are any, else (and for an image of
            this atlas) the atlas's own images.

        Columns: `feature`, `z` (by how many deviations the response exceeds its mean over the probe), `response` (mean
        activation over the map), `rank` (from 1, by z, of all that were asked; for an image of this atlas those come
        first of which it is the most driving one of all, the second or the third), `x0`, `y0`, `x1`, `y1` (the pixels
        of the picture, x0 ≤ x < x1, that reach the highest position of the map) and `name`.
        CannotAsk for a picture that cannot be read, weights that are not those of the atlas, or before similarity ran;
        UnknownName for what the atlas does not hold; ValueError for a `top` below 1.
        """
        return ask(self, lambda: self._asker, picture, top, Scope(model, layer, probe))

    @cached_property
    def _asker(self) -> "Asker":
        """The models, once they are asked."""
        # Here, since torch comes with it, which all other questions do without.
        from atlas.ask.asker import Asker

        return Asker(self.paths)

    def _repr_html_(self) -> str:
        """What a notebook shows: models, layers, counts, and some images, at most about 100 KB."""
        from atlas.query.html import atlas_html  # it loads PIL, which most questions do not need

        return atlas_html(self)


def newest(folder: str | Path = "outputs") -> Path:
    """The atlas under `folder` whose manifest was written last; NotAnAtlas when there is none."""
    atlases = all_atlases(folder)
    if not atlases:
        raise NotAnAtlas(f"there is no atlas under {folder}/: make one with `atlas run`, or name one with --atlas DIR")
    return atlases[0]


def all_atlases(folder: str | Path = "outputs") -> list[Path]:
    """The folder of every atlas under `folder`, the one whose manifest was written last first."""
    manifests = sorted(Path(folder).glob("*/atlas.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in manifests]
