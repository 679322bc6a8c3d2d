"""What `atlas.visualize` returns: images of some features, what the network says of them, and how a notebook shows them."""

import base64
import io
from dataclasses import dataclass
from html import escape

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from atlas.store.images import to_pil

# pixels of an image's longer side in a notebook
SHOWN = 160


@dataclass(frozen=True)
class Visualization:
    """Images of some features of one network; a notebook shows them with their scores."""

    images: Float[Tensor, "b colours h w"]  # RGB, or gray, as optimised, unclamped
    scores: Float[Tensor, " b"]  # mean activation of the target on the finished image
    activations: Float[Tensor, "b c"]  # mean activation of every channel of the (first) layer on the finished image
    losses: Float[Tensor, " b"]
    status: list[str]  # ok or dead; nonfinite where the image diverged
    # score before the first step, and then after every `trace_every` steps of the recipe, 10 unless it says otherwise
    trace: list[list[float]]
    labels: list[str]  # what each image drives: layer:channel, or the objective's layers

    def pil(self) -> list[Image.Image]:
        """The images as 8-bit RGB, or gray, clipped to [0, 1]."""
        return [to_pil(image) for image in self.images.float().cpu().numpy()]

    def __repr__(self) -> str:
        count, _, height, width = self.images.shape
        return f"Visualization({count} x {height} x {width}: {', '.join(self._captions())})"

    def _captions(self) -> list[str]:
        """Each image's label and score, or why it has none."""
        scores = self.scores.tolist()
        return [
            f"{label} {score:.3g}" if status == "ok" else f"{label} {status}"
            for label, score, status in zip(self.labels, scores, self.status, strict=True)
        ]

    def _repr_html_(self) -> str:
        """The images side by side, each above its caption."""
        figures = [
            f'<figure style="display:inline-block;margin:4px;text-align:center"><img src="{_data_uri(picture)}" '
            f'alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'
            for picture, caption in zip(self.pil(), self._captions(), strict=True)
        ]
        return f"<div>{''.join(figures)}</div>"


def _data_uri(picture: Image.Image) -> str:
    shown = picture.copy()
    shown.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
