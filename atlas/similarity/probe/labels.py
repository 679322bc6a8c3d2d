"""What the pictures of a probe show, where that is known: the pattern of a drawing, the subfolder of a photograph."""

from collections.abc import Sequence

from atlas.config.schema import ProbeConfig
from atlas.similarity.atlas_images import Picture
from atlas.similarity.probe.pictures import STREAM_PICTURES, position_of, random_stream


def labels_of(probe: ProbeConfig, pictures: Sequence[Picture]) -> list[str | None]:
    """The label of each picture; None for one that has none, as a photograph that lies in no subfolder."""
    if probe.kind == "patterns":
        return _patterns(probe, pictures)
    if probe.kind == "natural":
        return [_subfolder(picture) for picture in pictures]
    return [None] * len(pictures)


def _subfolder(picture: Picture) -> str | None:
    """The first part of a path, as torchvision's ImageFolder has it."""
    first, separator, _ = picture.image.partition("/")
    return first if separator else None


def _patterns(probe: ProbeConfig, pictures: Sequence[Picture]) -> list[str | None]:
    # Here, since torch comes with it, which folders do without.
    from atlas.zoo.drawings import CLASSES, sample_labels

    places = [position_of(picture) for picture in pictures]
    streams = {
        group: sample_labels(STREAM_PICTURES, random_stream(probe.seed, group)).tolist()
        for group in {group for group, _ in places}
    }
    return [CLASSES[streams[group][position]] for group, position in places]
