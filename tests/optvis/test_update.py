"""What follows the gradient, as one kernel of torch's compiler: the same values but for rounding, or else the plain way."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from atlas.optvis import update as module
from atlas.optvis.schedule import Octave, Schedule
from atlas.optvis.steps import stepper
from atlas.optvis.update import TriedUpdate, update_of

ROOT = Path(__file__).parents[2]
BLURRED = Octave(steps=3, lr=(0.1, 0.05), sigma=(2.4, 0.8))
WALK = [(0.1, 2.4), (0.08, 1.6), (0.05, 0.3)]


def values_and_gradient(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The last image without a gradient."""
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(shape, generator=generator)
    values = values.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else values
    gradient = torch.randn(shape, generator=generator).to(values)
    gradient[-1] *= shape[0] == 1
    return values, gradient


def walk(
    schedule: Schedule, octave: Octave, *shape: int, fused: bool, taken: bool = True, diverged: bool = False
) -> torch.Tensor:
    """The values after three steps; taken: whether a fused update is to take over."""
    values, gradient = values_and_gradient(*shape)
    if diverged:
        gradient[0] = torch.nan
    update = update_of(schedule, octave, stepper(schedule.optimizer), fused=fused)
    for rate, sigma in WALK:
        values = update(values, gradient, rate, None if octave.sigma is None else sigma)
    if isinstance(update, TriedUpdate):
        assert (update.taken[shape] is update.tried) == taken
    return values


def compare_at_every_size(rms: bool) -> None:
    schedule = Schedule(octaves=(), gradient="rms" if rms else "raw", clamp=rms)
    for octave, shapes in (
        (BLURRED, [(2, 3, 16, 16), (1, 3, 9, 21), (4, 1, 32, 32)]),
        (Octave(steps=3, lr=(0.1, 0.05)), [(2, 3, 8, 5, 2), (1, 3, 7, 7)]),
    ):
        for shape in shapes:
            plain, fused = (walk(schedule, octave, *shape, fused=fused) for fused in (False, True))
            assert fused.stride() == plain.stride()
            torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rms", [True, False])
def test_one_kernel_gives_the_same_at_every_size(rms: bool) -> None:
    # in a process whose functions are not wrapped by checks of shapes, which the compiler does not follow
    text = f"from tests.optvis.test_update import compare_at_every_size as compare; compare({rms})"
    subprocess.run(
        [sys.executable, "-c", text], check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/tests"}
    )


def compiled_as(monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., Any]) -> list[int]:
    """Have the compiler give a kernel, and count its calls."""
    calls = []

    def counted(*arguments: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return kernel(*arguments)

    monkeypatch.setattr(module, "_kernel", lambda *choices: counted)
    return calls


def test_a_kernel_that_gives_the_same_takes_over_after_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = walk(Schedule(octaves=()), Octave(3, (0.1, 0.1)), 2, 3, 8, 8, fused=False)
    calls = compiled_as(monkeypatch, lambda values, gradient, rate, sigma: values - rate * gradient)
    assert torch.equal(walk(Schedule(octaves=()), Octave(3, (0.1, 0.1)), 2, 3, 8, 8, fused=True), plain)
    assert len(calls) == 3


def test_an_image_that_has_diverged_changes_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_as(monkeypatch, lambda values, gradient, rate, sigma: values - rate * gradient)
    schedule, octave = Schedule(octaves=()), Octave(3, (0.1, 0.1))
    with_it = walk(schedule, octave, 3, 3, 8, 8, fused=True, diverged=True)
    assert torch.equal(with_it[1:], walk(schedule, octave, 3, 3, 8, 8, fused=True)[1:])


@pytest.mark.parametrize("wrong", [lambda values, *rest: values, lambda values, *rest: 1 / 0])
def test_a_kernel_that_gives_something_else_or_fails_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[..., Any]
) -> None:
    calls = compiled_as(monkeypatch, wrong)
    schedule = Schedule(octaves=(), gradient="rms", clamp=True)
    fused = walk(schedule, BLURRED, 2, 3, 8, 8, fused=True, taken=False)
    assert torch.equal(fused, walk(schedule, BLURRED, 2, 3, 8, 8, fused=False))
    assert len(calls) == 1


def test_where_images_have_left_it_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_two(values: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        assert len(values) == 2
        return values - rate * gradient

    compiled_as(monkeypatch, of_two)
    schedule = Schedule(octaves=())
    update = update_of(schedule, Octave(3, (0.1, 0.1)), stepper(schedule.optimizer), fused=True)
    values, gradient = values_and_gradient(2, 3, 8, 8)
    for count in (2, 2, 1, 1):
        wanted = values[:count] - 0.1 * gradient[:count]
        torch.testing.assert_close(update(values[:count], gradient[:count], 0.1, None), wanted)


def test_out_of_memory_is_no_fault_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*arguments: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError

    compiled_as(monkeypatch, short)
    with pytest.raises(torch.OutOfMemoryError):
        walk(Schedule(octaves=()), BLURRED, 2, 3, 8, 8, fused=True)


def test_an_optimizer_of_torch_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = compiled_as(monkeypatch, lambda *arguments: 1 / 0)
    schedule = Schedule(octaves=(), optimizer="adam")
    walk(schedule, BLURRED, 2, 3, 8, 8, fused=True)
    assert not calls
