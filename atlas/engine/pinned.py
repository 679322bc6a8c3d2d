"""Loads the model that an actor pins, and makes a GPU repeat itself. Only workers import it: it needs torch."""

import torch

from atlas.engine.work import ModelSettings, check_atlas_is_shared
from atlas.zoo.kept_model import take
from atlas.zoo.load import Loaded, load


def pinned(settings: ModelSettings, model: str) -> Loaded:
    """Load a model onto its device.

    RuntimeError: this machine does not see the atlas, or the model's weights here are not those of the plan.
    """
    check_atlas_is_shared(settings)
    config, planned = settings.models[model], settings.cards[model].digest
    loaded = take(model, config, settings.device) or load(model, config, device=settings.device)
    if loaded.digest != planned:
        raise RuntimeError(f"the weights of {model} here are not those of the plan: {loaded.digest}, not {planned}")
    make_repeatable(settings.device)
    return loaded


def make_repeatable(device: str) -> None:
    """Have CUDA choose the same algorithms each time: the same shard must give the same bytes."""
    if device == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)
