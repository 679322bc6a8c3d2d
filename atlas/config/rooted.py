"""Configs whose files and folders are named from the root of the file system: a worker elsewhere finds the same ones."""

import os
from dataclasses import replace

from atlas.config.choices import INSTALLED
from atlas.config.schema import ModelConfig, ProbeConfig


def rooted_model(model: ModelConfig) -> ModelConfig:
    """A model whose weights file, if it has one, is named from the root."""
    if model.weights in ("default", "none"):
        return model
    return replace(model, weights=_rooted(model.weights))


def rooted_probe(probe: ProbeConfig) -> ProbeConfig:
    """A probe whose folder, if it has one, is named from the root."""
    return probe if probe.folder in (None, INSTALLED) else replace(probe, folder=_rooted(probe.folder))


def _rooted(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
