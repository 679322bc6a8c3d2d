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

DREAM = "dream_normalized"  # of the dreams the one that shows something on any network
DREAMS = 2  # channels, where none are named
MOMENTS = 5  # of a dream on a page


def saliency(studio: Studio) -> Iterator[FigurePage]:
    """Pictures, how much each of their pixels matters to a class, and both together."""
    config = studio.config
    device = config.cluster.device
    asked = SaliencyConfig(image=config.image, category=config.category, models=config.models, device=device)
    mistakes = saliency_mistakes(asked)
    if mistakes:
        raise ConfigError(mistakes)
    rows = [
        Row(f"{label or seen.category}\n{name}, logit {seen.score:.2f}", _three(seen, asked.overlay))
        for name, seen, label in look_at_all(asked)
    ]
    names = ", ".join(config.models)
    title = f"{names}: which pixels a class hangs on"
    own = [f"weights of {card.name}: {card.weights}" for card in studio.cards.values() if card.weights != "default"]
    of_picture, of_map = asked.overlay
    note = "Saliency: the largest |∂logit/∂pixel| over the colours, from 0 (black) to 1; "
    note += f"overlay: {of_picture:g} of the picture + {of_map:g} of it."
    figure = draw_panels(
        rows, title=title, subtitle=", ".join(own), columns=("picture", "saliency", "overlay"), note=note, panel=1.9
    )
    yield FigurePage("-".join(config.models), title, figure)


def _three(seen: PictureMap, shares: list[float]) -> list[Panel]:
    pixels, gray = Image.fromarray(seen.pixels), Image.fromarray(seen.map)
    return [Panel(pixels), Panel(gray), Panel(Image.fromarray(overlay(seen.pixels, seen.map, shares)))]


def filter_vs_dream(studio: Studio) -> Iterator[FigurePage]:
    """What a channel looks like from gray noise, beside what it makes of a picture."""
    card, layer = studio.card, studio.layer(studio.card)
    channels, metric = studio.channels(layer), {"mean": MetricConfig()}
    dreaming = dream_recipe(studio)
    filters = studio.shown(card, layer, channels, recipe=read_recipe("filter"), metrics=metric)
    dreams = studio.shown(card, layer, channels, recipe=dreaming, metrics=metric)
    rows = [
        Row("from noise\nrecipe filter", [panel(one) for one in filters]),
        Row(f"from {studio.config.image}\nrecipe {dreaming.name}", [panel(one) for one in dreams]),
    ]
    title = f"{card.name} / {layer.name}: filters and dreams"
    figure = draw_panels(rows, title=title, subtitle=studio.told(f"filter and {dreaming.name}", "mean"), panel=1.5)
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)


def dream(studio: Studio) -> Iterator[FigurePage]:
    """A picture on its way to what drives a channel: some frames on a page, all of them as an animation."""
    config, card, layer = studio.config, studio.card, studio.layer(studio.card)
    channels = studio.channels(layer)
    recipe = dream_recipe(studio)
    steps = studio.steps(card, recipe)
    asked = DreamConfig(
        image=config.image,
        layers=[layer.name],
        channels=channels[:DREAMS] if config.channels == "all" else channels,
        size=config.size,
        frames=max(1, steps // config.frames),
        out=str(studio.folder / "dreams"),
        models={card.name: config.models[card.name]},
        metrics={"mean": MetricConfig()},
        recipe=replace(recipe, octaves=[replace(octave, size=None) for octave in recipe.octaves]),
        device=config.cluster.device,
    )
    made: list[tuple[int, list[Image.Image]]] = []
    outcome = dream_job(asked, [], lambda row, frames: made.append((row.channel, frames)))
    if not made:
        raise NothingToShow("; ".join([*outcome.failures, *outcome.notes]))
    studio.failures += outcome.failures
    last = len(made[0][1]) - 1  # the picture itself is the first frame
    moments = sorted({round(last * part / MOMENTS) for part in range(MOMENTS + 1)})
    ends = [min(steps, moment * asked.frames) for moment in moments]
    title = f"{card.name} / {layer.name}: a picture that dreams of a channel"
    rows = [Row(f"{layer.name}:{channel}", [Panel(frames[moment]) for moment in moments]) for channel, frames in made]
    columns = ["picture", *(f"step {end}" for end in ends[1:])]
    figure = draw_panels(rows, title=title, subtitle=studio.told(recipe.name, "mean"), columns=columns, panel=1.5)
    yield FigurePage(f"{card.name}-{layer.name}", title, figure)
    for channel, frames in made:
        yield FigurePage(f"{card.name}-{layer.name}-{channel}", title, frames=frames)


def dream_recipe(studio: Studio) -> RecipeConfig:
    """The dream that was asked for, or the one that needs no tuning; of the picture that was asked for."""
    asked = studio.config.recipe
    recipe = asked if asked.picture is not None else read_recipe(DREAM)
    octaves = [replace(octave, size=octave.size or studio.config.size) for octave in recipe.octaves]
    picture = studio.config.image
    if not isinstance(picture, str):
        raise ConfigError([f"image={picture}: a dream begins as one picture"])
    return replace(recipe, picture=picture, octaves=octaves)
