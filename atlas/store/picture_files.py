"""Pictures that somebody asks for: paths, folders and photographs at hand in; what to call each, and how to read it, out."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha1
from pathlib import Path, PurePath

from PIL import Image

from atlas.config.mistakes import ConfigError, nearest
from atlas.config.recipe_checks import AT_HAND
from atlas.store.images import read_picture
from atlas.store.paths import safe

SKLEARN = "sklearn:"
LONGEST_NAME = 150  # characters of a file's name that tell of its picture (file systems end at 255)


@dataclass(frozen=True)
class NamedPicture:
    """A picture that is there, though it may turn out to be none that can be read."""

    name: str  # for people: its path, or what it was asked for as
    label: PurePath  # what tells it from the others that were asked for: its name, without suffix where that suffices
    named: bool  # by itself; else it was found in a folder
    read: Callable[[], Image.Image]  # upright RGB; OSError with the reason where it is no picture


def find_pictures(asked: object, out: Path | None = None) -> list[NamedPicture]:
    """The pictures of a path, a folder with its subfolders, `sklearn:china.jpg`, or a list of such, in a fixed order.

    In folders, files with a suffix that no picture has, hidden ones, and those under `out` are passed over.
    ConfigError with every mistake: what is not there, and a folder without pictures.
    """
    found: list[_Found] = []
    mistakes: list[str] = []
    for one in asked if isinstance(asked, list) else [asked]:
        try:
            found += _found(one, out)
        except ConfigError as error:
            mistakes += error.mistakes
    if not found and not mistakes:
        mistakes.append("image=[]: name a picture, a folder of pictures, or a list of such")
    if mistakes:
        raise ConfigError(mistakes)
    once: dict[Path, _Found] = {}
    for one in found:
        once.setdefault(one.place, one)
    return _named(list(once.values()))


def path_for(label: PurePath, ending: str) -> Path:
    """Where a file made of a picture lies: its folders and name as they may stand in a path, and the ending."""
    *folders, last = (_short(safe(part)) for part in label.parts)
    return Path(*folders, f"{last}-{ending}")


@dataclass(frozen=True)
class _Found:
    """A picture before it is known what the others are called."""

    name: str
    place: Path  # the file, absolute: the same picture has the same
    label: PurePath  # its path from where it was searched
    named: bool
    read: Callable[[], Image.Image]


def _found(asked: object, out: Path | None) -> Iterable[_Found]:
    if isinstance(asked, bool) or not isinstance(asked, str | int) or asked == "":
        raise ConfigError([f"image={asked}: the path of a picture or folder is wanted, as image=cat.jpg"])
    text = str(asked)
    if text.startswith(SKLEARN):
        return [_at_hand(text)]
    path = Path(text).expanduser()
    if os.path.isdir(path):  # which, unlike Path's, does not raise where a folder above may not be read
        return _inside(path, out)
    if not os.path.isfile(path):
        raise ConfigError([f"image={text}: there is no such file or folder{_near(path)}"])
    return [_Found(text, path.resolve(), PurePath(path.name), True, partial(read_picture, path))]


def _at_hand(text: str) -> _Found:
    name = text.removeprefix(SKLEARN)
    if text not in AT_HAND:
        raise ConfigError([f"image={text}: no such photograph; {nearest(text, AT_HAND)}"])
    return _Found(text, Path(text), PurePath(name), True, partial(_photograph, name))


def _photograph(name: str) -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


def _inside(folder: Path, out: Path | None) -> list[_Found]:
    files = [path for path in folder.rglob("*") if _may_be_picture(path, folder) and path.is_file()]
    made = out.expanduser().resolve() if out is not None else None
    if made is not None and made != folder.resolve() and made.is_relative_to(folder.resolve()):
        files = [path for path in files if not path.resolve().is_relative_to(made)]
    if not files:
        raise ConfigError([f"image={folder}: there is no picture in this folder"])
    ordered = sorted(files, key=lambda path: path.relative_to(folder).parts)
    return [_Found(str(p), p.resolve(), p.relative_to(folder), False, partial(read_picture, p)) for p in ordered]


def _may_be_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and Image.registered_extensions().get(path.suffix.lower()) in Image.OPEN


def _near(path: Path) -> str:
    """Names in the same folder that look like it."""
    if not os.access(path.parent, os.R_OK | os.X_OK):
        return ""
    phrase = nearest(path.name, (one.name for one in path.parent.iterdir()))
    return f"; {phrase}" if phrase.startswith("did you mean") else ""


def _named(found: list[_Found]) -> list[NamedPicture]:
    """Labels that differ also where the file system takes `Cat` for `cat`: from the names, or else from whole paths."""
    labels = [one.label for one in found]
    if not _differ(labels):
        top = os.path.commonpath([one.place.absolute().parent for one in found])
        labels = [PurePath(os.path.relpath(one.place.absolute(), top)) for one in found]
    plain = [label.with_suffix("") for label in labels]
    chosen = plain if _differ(plain) else labels
    return [NamedPicture(one.name, label, one.named, one.read) for one, label in zip(found, chosen, strict=True)]


def _differ(labels: list[PurePath]) -> bool:
    return len({str(label).casefold() for label in labels}) == len(labels)


def _short(name: str) -> str:
    """A name that a file system takes: the end of a long one is replaced by the hash of it all."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 11]}-{sha1(name.encode()).hexdigest()[:10]}"
