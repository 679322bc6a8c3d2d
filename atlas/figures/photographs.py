"""Figures that begin with a picture: saliency, dream, filter-vs-dream."""

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from atlas.config.look_checks import saliency_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import DreamConfig, MetricConfig, RecipeConfig, SaliencyConfig
from atlas.dream.job import dream_job
from atlas.figures.figure_page import FigurePage, panel
from atlas.figures.studio import NothingToShow, Studio
from atlas.report.page.panels import Panel, Row, draw_panels
from atlas.saliency.job import look_at_all
from atlas.saliency.look import PictureMap
from atlas.saliency.maps import overlay

DREAM = "dream_normalized"  # the one recipe of dreams that shows something on any network
DREAMS = 2  # channels, where none are named
MOMENTS = 5  # of a dream on a page


def saliency(studio: Studio) -> Iterator[FigurePage]:
    """Pictures, how much each of their pixels matters to a class, and both together. ConfigError: all mistakes at once."""
    config = studio.config
    device = config.cluster.device
    job = SaliencyConfig(image=config.image, category=config.category, models=config.models, device=device)
    mistakes = saliency_mistakes(job)
    if mistakes:
        raise ConfigError(mistakes)
    rows = [
        Row(f"{label or saliency.category}\n{name}, logit {saliency.score:.2f}", _three(saliency, job.overlay))
        for name, saliency, label in look_at_all(job)
    ]
    names = ", ".join(config.models)
    title = f"{names}: which pixels a class hangs on"
    weights = [f"weights of {card.name}: {card.weights}" for card in studio.cards.values() if card.weights != "default"]
    of_picture, of_map = job.overlay
    note = "Saliency: the largest |∂logit/∂pixel| over the colours, from 0 (black) to 1; "
    note += f"overlay: {of_picture:g} of the picture + {of_map:g} of it."
    figure = draw_panels(
        rows,
        heading=studio.heading(title, ", ".join(weights)),
        columns=("picture", "saliency", "overlay"),
        note=note,
        panel=1.9,
    )
    yield FigurePage("-".join(config.models), title, figure)


def _three(saliency: PictureMap, shares: list[float]) -> list[Panel]:
    pixels, gray = Image.fromarray(saliency.pixels), Image.fromarray(saliency.map)
    return [Panel(pixels), Panel(gray), Panel(Image.fromarray(overlay(saliency.pixels, saliency.map, shares)))]


def filter_vs_dream(studio: Studio) -> Iterator[FigurePage]:
    """What a channel looks like from gray noise, beside what it makes of a picture."""
    card, layer = studio.card, studio.layer(studio.card)
    channels, metric = studio.channels(card, layer), {"mean": MetricConfig()}
    dreaming = dream_recipe(studio)
    filters = studio.images(card, layer, channels, recipe=read_recipe("filter"), metrics=metric)
    dreams = studio.images(card, layer, channels, recipe=dreaming, metrics=metric)
    rows = [
        Row("from noise\nrecipe filter", [panel(image) for image in filters]),
        Row(f"from {studio.config.image}\nrecipe {dreaming.name}", [panel(image) for image in dreams]),
    ]
    title = f"{card.name} / {layer.name}: filters and dreams"
    figure = draw_panels(
        rows, heading=studio.heading(title, studio.subtitle(f"filter and {dreaming.name}", "mean")), panel=1.5
    )
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def dream(studio: Studio) -> Iterator[FigurePage]:
    """A picture on its way to what drives a channel: some frames on a page, all of them as an animation."""
    config, card, layer = studio.config, studio.card, studio.layer(studio.card)
    channels = studio.channels(card, layer)
    recipe = dream_recipe(studio)
    steps = studio.steps(card, recipe)
    job = DreamConfig(
        image=config.image,
        layers=[layer.name],
        channels=channels if studio.names_channels else channels[:DREAMS],
        size=config.size,
        frames=max(1, steps // config.frames),
        out=str(studio.folder / "dreams"),
        models={card.name: config.models[card.name]},
        metrics={"mean": MetricConfig()},
        recipe=replace(recipe, octaves=[replace(octave, size=None) for octave in recipe.octaves]),
        device=config.cluster.device,
        threads=config.cluster.cpus_per_actor,
    )
    dreams: list[tuple[int, list[Image.Image]]] = []
    outcome = dream_job(job, [], lambda row, frames: dreams.append((row.channel, frames)))
    if not dreams:
        raise NothingToShow("; ".join([*outcome.failures, *outcome.notes]))
    studio.failures += outcome.failures
    last = len(dreams[0][1]) - 1  # the picture itself is the first frame
    moments = sorted({round(last * part / MOMENTS) for part in range(MOMENTS + 1)})
    ends = [min(steps, moment * job.frames) for moment in moments]
    title = f"{card.name} / {layer.name}: a picture that dreams of a channel"
    rows = [Row(f"{layer.name}:{channel}", [Panel(frames[moment]) for moment in moments]) for channel, frames in dreams]
    columns = ["picture", *(f"step {end}" for end in ends[1:])]
    figure = draw_panels(
        rows, heading=studio.heading(title, studio.subtitle(recipe.name, "mean")), columns=columns, panel=1.5
    )
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)
    for channel, frames in dreams:
        yield FigurePage(f"{card.name}-{layer.name}-{channel}", title, frames=frames)


def dream_recipe(studio: Studio) -> RecipeConfig:
    """The recipe of a dream that was asked for, or the one that needs no tuning, with the picture that was asked for.

    ConfigError: there are several pictures.
    """
    recipe = studio.config.recipe if studio.config.recipe.picture is not None else read_recipe(DREAM)
    octaves = [replace(octave, size=octave.size or studio.config.size) for octave in recipe.octaves]
    picture = studio.config.image
    if not isinstance(picture, str):
        raise ConfigError([f"image={picture}: a dream begins as one picture"])
    return replace(recipe, picture=picture, octaves=octaves)
