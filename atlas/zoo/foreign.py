"""Other people's networks: whatever their code raises becomes one sentence, and what cannot be looked at is told as such."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.zoo.forward import dtype_of


@contextmanager
def foreign(name: str, failure: str) -> Iterator[None]:
    """Turn what the code of `models.<name>` raises into a ConfigError. failure: what it cannot do."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # other people's code: anything can come out of it
        raise ConfigError([f"models.{name} {failure}: {reason(error)}"]) from error


def reason(error: BaseException) -> str:
    """An exception in one line: its type, and the first line of what it says."""
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def frozen(model: nn.Module) -> nn.Module:
    """A model in eval mode, run by Python, with weights that gradients pass and that nobody changes.

    What torch.compile has wrapped is taken out. ValueError: it is of a kind that cannot be looked into.
    """
    model = unwrapped(model)
    wrong = unreadable(model)
    if wrong is not None:
        raise ValueError(wrong)
    for values, name, copy in list(_ordinary(model)):
        values[name] = copy
    return model.eval().requires_grad_(False)


@contextmanager
def ordinary_weights(model: nn.Module) -> Iterator[None]:
    """A model made under torch.inference_mode, whose weights let no gradient pass, with copies that do; then as before."""
    copies = list(_ordinary(model))
    originals = [(values, name, values[name]) for values, name, _ in copies]
    for values, name, copy in copies:
        values[name] = copy
    try:
        yield
    finally:
        for values, name, original in originals:
            values[name] = original


def _ordinary(model: nn.Module) -> Iterator[tuple[dict[str, Any], str, Tensor]]:
    """Where a module keeps each tensor that was made under torch.inference_mode, its name there, and a copy that was not."""
    for module in model.modules():
        stores: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for values in stores:
            for name, value in values.items():
                if isinstance(value, Tensor) and value.is_inference():
                    copy = value.clone()
                    yield values, name, nn.Parameter(copy, False) if isinstance(value, nn.Parameter) else copy


def unwrapped(model: nn.Module) -> nn.Module:
    """The module that torch.compile was given; another model as it is."""
    inner = getattr(model, "_orig_mod", None)
    return inner if isinstance(inner, nn.Module) else model


def unreadable(model: nn.Module) -> str | None:
    """Why a network cannot be looked into; None where it can be."""
    kind = type(model).__name__
    if not isinstance(model, nn.Module):
        return f"{kind} is no torch.nn.Module, which is what can be looked into"
    if isinstance(model, torch.jit.ScriptModule):
        return f"{kind} is TorchScript, whose modules run unseen; give the nn.Module that it was made from"
    if any(value.is_meta for part in (model.parameters(), model.buffers()) for value in part):
        return f"{kind} has weights on the meta device, which have no values; build it on a device, or load its weights"
    return None


def like(model: nn.Module) -> Tensor:
    """No values, on a model's device and in its dtype."""
    device = next(
        (value.device for part in (model.parameters(), model.buffers()) for value in part), torch.device("cpu")
    )
    return torch.empty(0, device=device, dtype=dtype_of(model) or torch.float32)


def training_notes(name: str, model: nn.Module) -> tuple[str, ...]:
    """What to say of a model that was put into eval mode, and is in train mode after a forward pass; else nothing."""
    training = [inner or type(model).__name__ for inner, module in model.named_modules() if module.training]
    if not training:
        return ()
    more = f" and {len(training) - 1} more" if len(training) > 1 else ""
    effects = "an image may depend on those beside it, and on chance (batch norm, dropout)"
    return (f"{name} stays in train mode ({training[0]}{more}) after eval(): {effects}",)
