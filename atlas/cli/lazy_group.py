"""Every command by name: where it is, and its line in `atlas --help`. Its module is imported only when it is called.

A new command is a module in commands/, a new job one in jobs/, and a line here.
"""

from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "ask": ("atlas.cli.commands.ask:ask", "The features that PICTURE drives most."),
    "export": ("atlas.cli.commands.export:export", "Write the atlas for other tools."),
    "layers": ("atlas.cli.commands.layers:layers", "List the layers of MODEL."),
    "match": ("atlas.cli.commands.match:match", "Best matches of MODEL_A's features in MODEL_B."),
    "names": ("atlas.cli.commands.names:names", "The label whose pictures drive a feature most."),
    "pairs": ("atlas.cli.commands.pairs:pairs", "The closest pairs of the atlas."),
    "publish": ("atlas.cli.commands.publish:publish", "Write the site as a folder for any static host."),
    "selftest": ("atlas.cli.commands.selftest:selftest", "Check on this machine that known answers come out."),
    "serve": ("atlas.cli.commands.serve:serve", "Files and answers of an atlas on 127.0.0.1."),
    "show": ("atlas.cli.commands.show:show", "Rows and contact sheet of one FEATURE."),
    "similar": ("atlas.cli.commands.similar:similar", "The nearest features to FEATURE."),
    "sql": ("atlas.cli.commands.sql:sql", "Ask the atlas in SQL."),
    "status": ("atlas.cli.commands.status:status", "How a run stands, also while it runs."),
    "verify": ("atlas.cli.commands.verify:verify", "Check every file and every image's hash."),
}
# a job's function takes config, overrides and the mistakes of the command line, and returns an Outcome
JOBS = {
    "run": ("atlas.cli.jobs.run:run_body", "The main job: generate, and all made from it."),
    "generate": ("atlas.cli.jobs.generate:generate_body", "Make the images and index of a sweep."),
    "similarity": (
        "atlas.cli.jobs.similarity:similarity_body",
        "Compare all features of an atlas: responses, neighbors, layers, maps.",
    ),
    "site": ("atlas.cli.jobs.site:site_body", "Write the atlas as pages that a browser opens."),
    "saliency": ("atlas.cli.jobs.saliency:saliency_body", "Show which pixels of a picture matter to a class."),
    "dream": (
        "atlas.cli.jobs.dream:dream_body",
        "Change a picture until it drives a channel: DeepDream, with its frames.",
    ),
    "figure": ("atlas.cli.jobs.figure:figure_body", "Draw one of the sources' figures: atlas figure NAME."),
}


def load(place: str) -> Any:
    """The object at `module:name`; its module is imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


class LazyCommand(click.Command):
    """A command as `atlas --help` lists it; the real one takes its place as soon as there are arguments to parse."""

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name, help=line)
        self.place = place

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real command, so that click goes on with that one."""
        return load(self.place).make_context(info_name, args, parent, **extra)


def lazy_commands() -> list[click.Command]:
    """All commands and jobs; Hydra takes the arguments of every job."""
    jobs = [LazyCommand(name, "atlas.cli.job:job", line) for name, (_, line) in JOBS.items()]
    return [*jobs, *(LazyCommand(name, place, line) for name, (place, line) in COMMANDS.items())]
