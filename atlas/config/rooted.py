"""Configs whose files and folders are named from the root of the file system: a worker elsewhere finds the same ones."""

import os
from dataclasses import replace

from atlas.config.schema import ModelConfig, ProbeConfig


def rooted_model(model: ModelConfig) -> ModelConfig:
    """A model whose files, of weights and of class names, are named from the root, if it has any."""
    weights = model.weights if model.weights in ("default", "none") else _rooted(model.weights)
    return replace(model, weights=weights, classes=None if model.classes is None else _rooted(model.classes))


def rooted_probe(probe: ProbeConfig) -> ProbeConfig:
    """A probe whose folder, if it has one, is named from the root."""
    return probe if probe.folder is None else replace(probe, folder=_rooted(probe.folder))


def _rooted(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
