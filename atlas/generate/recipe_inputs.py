"""What a recipe takes from files: the picture that images begin as, and the spectrum of a folder of pictures."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from atlas.config.colours import CORRELATION
from atlas.config.mistakes import ConfigError
from atlas.config.schema import RecipeConfig
from atlas.store.images import write_pixels
from atlas.store.paths import AtlasPaths
from atlas.store.picture_files import NamedPicture, find_pictures
from atlas.sweep.recipe_fit import Material

SIDE = 256  # pixels of the squares whose spectrum is taken
BINS = 64  # steps of frequency
DIGITS = 5  # that count of an amplitude: a recipe's identity must not hang on rounding


def read_material(recipe: RecipeConfig) -> Material:
    """What a recipe names, by content; ConfigError where it cannot be read."""
    if recipe.param == "pixels" and recipe.picture is not None:
        picture = read_start(recipe.picture)
        return Material(f"{recipe.picture}@{digest_of(picture)}", (picture.height, picture.width))
    if recipe.param == "phases" and recipe.spectrum != "1/f":
        amplitudes = natural_amplitudes(recipe.spectrum)
        return Material(spectrum=recipe.spectrum, amplitudes=amplitudes)
    return Material()


def read_start(name: str) -> Image.Image:
    """A picture that was asked for; ConfigError where it is none."""
    try:
        return find_pictures(name)[0].read()
    except OSError as error:
        raise ConfigError([f"recipe.picture={name}: {error}"]) from None


def digest_of(picture: Image.Image) -> str:
    """16 hexadecimal digits of its size and pixels."""
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()[:16]


def keep_start(paths: AtlasPaths, picture_name: str) -> None:
    """Lay the picture that was planned with into the atlas, where every worker finds it and where it stays."""
    name, _, digest = picture_name.rpartition("@")
    if paths.start(digest).exists():
        return
    picture = read_start(name)
    if digest_of(picture) != digest:
        raise ConfigError([f"recipe.picture={name}: it has changed since this run was planned; run the same again"])
    write_pixels(paths.start(digest), picture)


def natural_amplitudes(folder: str) -> list[list[float]]:
    """Mean amplitude of each uncorrelated colour of some pictures, at even steps from frequency 0 to the highest.

    Each picture's middle square counts alike, under a Hann window, so that its edges do not.
    """
    spectra, unread = [], []
    for picture in _pictures_in(folder):
        try:
            spectra.append(_amplitudes(picture.read()))
        except OSError as error:
            unread.append(str(error))
    if not spectra:
        raise ConfigError([f"recipe.spectrum={folder}: {unread[0]}"])
    mean = np.mean(spectra, 0)
    return [[float(f"{value:.{DIGITS}g}") for value in curve] for curve in mean / mean.max()]


def _pictures_in(folder: str) -> list[NamedPicture]:
    """All pictures of a folder; ConfigError where there is none."""
    try:
        return find_pictures(folder)
    except ConfigError:
        raise ConfigError([f"recipe.spectrum={folder}: there is no picture in this folder"]) from None


def _amplitudes(picture: Image.Image) -> NDArray[np.float64]:
    """(3, BINS) of one picture."""
    square = np.asarray(ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS), np.float64) / 255
    colours = np.einsum("cr,hwr->chw", np.linalg.inv(np.array(CORRELATION)), square)
    colours -= colours.mean((1, 2), keepdims=True)
    window = np.hanning(SIDE)
    amplitudes = np.abs(np.fft.fft2(colours * np.outer(window, window)))
    down = np.fft.fftfreq(SIDE)
    bins = np.rint(np.hypot(down[:, None], down[None]) / np.sqrt(0.5) * (BINS - 1)).astype(np.intp).ravel()
    counts = np.bincount(bins, minlength=BINS)
    return np.stack([np.bincount(bins, colour.ravel(), BINS) / counts for colour in amplitudes])
