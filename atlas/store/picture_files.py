"""Finds the pictures that `image=` means: paths and folders in; a label and a reader for each out."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from PIL import Image

from atlas.config.mistakes import ConfigError, guess, nearest
from atlas.config.recipe_checks import AT_HAND
from atlas.store.images import read_picture
from atlas.store.paths import safe
from atlas.store.photographs import photographs

SKLEARN = "sklearn:"
LONGEST_NAME = 150  # characters of a file's name that are its picture's name (file systems allow 255)


@dataclass(frozen=True)
class NamedPicture:
    """A file that exists and should be a picture; whether it is one shows when it is read."""

    name: str  # for people: its path, or the name of a photograph at hand
    label: PurePath  # unique among the pictures of one request: its name, without suffix where that suffices
    named: bool  # asked for by itself, not found in a folder
    read: Callable[[], Image.Image]  # upright RGB; OSError with the reason where it is no picture


def find_pictures(request: object, out: Path | None = None) -> list[NamedPicture]:
    """The pictures of a path, a folder with its subfolders, `sklearn:china.jpg`, or a list of such, in a fixed order.

    In folders, files with a suffix that no picture has, hidden ones, and those under `out` are passed over.
    ConfigError with every mistake: what is not there, and a folder without pictures.
    """
    pictures: list[_PictureFile] = []
    mistakes: list[str] = []
    for part in request if isinstance(request, list) else [request]:
        try:
            pictures += _pictures_of(part, out)
        except ConfigError as error:
            mistakes += error.mistakes
    if not pictures and not mistakes:
        mistakes.append("image=[]: name a picture, a folder of pictures, or a list of such")
    if mistakes:
        raise ConfigError(mistakes)
    by_path: dict[Path, _PictureFile] = {}
    for picture in pictures:
        by_path.setdefault(picture.path, picture)
    return _labelled(list(by_path.values()))


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder and its subfolders that may be pictures by their suffix, hidden ones left out, in order."""
    files = [path for path in folder.rglob("*") if _may_be_picture(path, folder) and path.is_file()]
    return sorted(files, key=lambda path: path.relative_to(folder).parts)


def path_for(label: PurePath, ending: str) -> Path:
    """The path of a file that is made of a picture: the label's folders and name, made safe, and the ending."""
    *folders, last = (safe(part, LONGEST_NAME) for part in label.parts)
    return Path(*folders, f"{last}-{ending}")


@dataclass(frozen=True)
class _PictureFile:
    """A picture before its label is made to differ from the others'."""

    name: str
    path: Path  # absolute: the same picture has the same
    label: PurePath  # its path from the folder that was searched
    named: bool
    read: Callable[[], Image.Image]


def _pictures_of(request: object, out: Path | None) -> Iterable[_PictureFile]:
    if isinstance(request, bool) or not isinstance(request, str | int) or request == "":
        raise ConfigError([f"image={request}: the path of a picture or folder is wanted, as image=cat.jpg"])
    text = str(request)
    if text.startswith(SKLEARN):
        return [_at_hand(text)]
    path = Path(text).expanduser()
    if os.path.isdir(path):  # which, unlike Path's, does not raise where a folder above may not be read
        return _inside(path, out)
    if not os.path.isfile(path):
        raise ConfigError([f"image={text}: there is no such file or folder{_similar_names(path)}"])
    return [_PictureFile(text, path.resolve(), PurePath(path.name), True, partial(read_picture, path))]


def _at_hand(text: str) -> _PictureFile:
    name = text.removeprefix(SKLEARN)
    if text not in AT_HAND:
        raise ConfigError([f"image={text}: no such photograph; {nearest(text, AT_HAND)}"])
    file = photographs()[f"sklearn/{name}"]
    return _PictureFile(text, Path(text), PurePath(name), True, partial(read_picture, file))


def _inside(folder: Path, out: Path | None) -> list[_PictureFile]:
    files = pictures_in(folder)
    results = out.expanduser().resolve() if out is not None else None
    if results is not None and results != folder.resolve() and results.is_relative_to(folder.resolve()):
        files = [path for path in files if not path.resolve().is_relative_to(results)]
    if not files:
        raise ConfigError([f"image={folder}: there is no picture in this folder"])
    return [_PictureFile(str(p), p.resolve(), p.relative_to(folder), False, partial(read_picture, p)) for p in files]


def _may_be_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and Image.registered_extensions().get(path.suffix.lower()) in Image.OPEN


def _similar_names(path: Path) -> str:
    """The end of an error that names files of the same folder whose names are close; empty where there are none."""
    if not os.access(path.parent, os.R_OK | os.X_OK):
        return ""
    question = guess(path.name, (neighbor.name for neighbor in path.parent.iterdir()))
    return f"; {question}" if question is not None else ""


def _labelled(pictures: list[_PictureFile]) -> list[NamedPicture]:
    """Give labels that differ also where the file system takes `Cat` for `cat`: the names, or else the whole paths."""
    labels = [picture.label for picture in pictures]
    if not _differ(labels):
        top = os.path.commonpath([picture.path.absolute().parent for picture in pictures])
        labels = [PurePath(os.path.relpath(picture.path.absolute(), top)) for picture in pictures]
    plain = [label.with_suffix("") for label in labels]
    chosen = plain if _differ(plain) else labels
    return [
        NamedPicture(picture.name, label, picture.named, picture.read)
        for picture, label in zip(pictures, chosen, strict=True)
    ]


def _differ(labels: list[PurePath]) -> bool:
    return len({str(label).casefold() for label in labels}) == len(labels)
