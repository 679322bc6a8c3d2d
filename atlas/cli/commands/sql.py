"""`atlas sql`: one reading statement over the views of an atlas."""

import sys

import click

from atlas.cli.options import open_atlas, reading
from atlas.cli.tables import print_table


@click.command()
@click.argument("text")
@reading
def sql(text: str, atlas_name: str | None, form: str) -> None:
    """Ask the atlas in SQL.

    TEXT is one SELECT (DuckDB) over the views; `-` reads it from stdin. `describe features` says what each column of a
    view holds.

    \b
    features         one row per image: score, status, activation, self_rank, image, …
    images           one row per image file, with its absolute path
    tasks            every task and its state: ok, dead, failed or left
    plan, failures   every task that was asked for; what could not be made, and why
    neighbors        who is like whom, by scope and measure, beside the rotated baseline
    neighbors_named  the same with model, layer and channel of both, and an image
    layers, matches  how alike layers are; the best match of each feature in other models
    clusters, layout families and their order within a layer; all features in a plane
    quality          whether an image is the one that drives its channel most
    names            the label whose pictures drive a feature beyond chance, by probe
    moments          mean and deviation of each feature over the pictures of a probe
    responses        what each picture does to every channel of a layer
    examples         the pictures that drive each feature most
    traces           what every channel of a layer did while one was driven (trace=full)
    """
    with open_atlas(atlas_name) as atlas:
        print_table(atlas.sql(sys.stdin.read() if text == "-" else text), form)
