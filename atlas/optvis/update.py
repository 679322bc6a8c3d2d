"""What follows the gradient in a step: its RMS taken out, the step itself, blur, clamp; as one kernel where that is asked for."""

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from atlas.optvis.priors import blur, unit_rms
from atlas.optvis.schedule import Octave, Schedule
from atlas.optvis.steps import Descent, Stepper, Values

# values, gradient, learning rate, sigma of the blur in pixels -> new values; None: no blur
Update = Callable[[Values, Values, float, float | None], Values]
# the same of tensors, since the compiler takes every other number for a constant
Fused = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
ROUNDING = 1e-5  # of values between 0 and 1, in float32


def update_of(schedule: Schedule, octave: Octave, mover: Stepper, *, fused: bool) -> Update:
    """What an octave of a schedule does with a gradient.

    fused: by torch's compiler, which rounds otherwise, where the step is plain descent and gives the same but for that.
    """

    def plain(values: Values, gradient: Values, rate: float, sigma: float | None) -> Values:
        gradient = unit_rms(gradient) if schedule.gradient == "rms" else gradient
        values = mover.step(values, gradient, rate)
        values = values if sigma is None else blur(values, sigma)
        return values.clamp(0.0, 1.0) if schedule.clamp else values

    if not fused or not isinstance(mover, Descent):
        return plain
    kernel = _kernel(schedule.gradient == "rms", octave.sigma is not None, schedule.clamp)

    def whole(values: Values, gradient: Values, rate: float, sigma: float | None) -> Values:
        # filled where they lie: a copy would wait for the GPU
        numbers = (torch.full((), number, device=values.device) for number in (rate, sigma or 0.0))
        return kernel(values, gradient, *numbers)

    return TriedUpdate(whole, plain)


class TriedUpdate:
    """An update that is tried beside a plain one when it first meets a shape, and taken from then on where it gives the same."""

    def __init__(self, tried: Update, plain: Update) -> None:
        self.tried, self.plain = tried, plain
        self.taken: dict[tuple[int, ...], Update] = {}

    def __call__(self, values: Values, gradient: Values, rate: float, sigma: float | None) -> Values:
        """Values, gradient, rate and sigma to new values."""
        shape = tuple(values.shape)
        if shape in self.taken:
            return self.taken[shape](values, gradient, rate, sigma)
        wanted = self.plain(values, gradient, rate, sigma)
        try:
            same = _same(self.tried(values, gradient, rate, sigma), wanted)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # machines without a compiler, and compilers
            same = False
        self.taken[shape] = self.tried if same else self.plain
        return wanted


def _same(given: Values, wanted: Values) -> bool:
    """Whether values are those wanted but for rounding, and lie in memory as they do; NaN is the same as NaN."""
    close = torch.allclose(given, wanted, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)
    return close and given.stride() == wanted.stride()


@cache
def _kernel(rms: bool, blurred: bool, clamped: bool) -> Fused:
    """For images of any size: compiled again for a single image, for what is no square, and where values lie otherwise.

    Torch compiles a function at most eight times a process, all three choices together, and raises beyond that: the rest goes
    the plain way.
    """

    def update(values: Tensor, gradient: Tensor, rate: Tensor, sigma: Tensor) -> Tensor:
        values = values - rate * (unit_rms(gradient) if rms else gradient)
        values = _blur(values, sigma) if blurred else values
        return values.clamp(0.0, 1.0) if clamped else values

    return torch.compile(update, dynamic=True, fullgraph=True)


def _blur(images: Tensor, sigma: Tensor) -> Tensor:
    """As `blur`, by sums of shifted images: no compiler joins a convolution to what is beside it."""
    side = torch.exp(-0.5 / sigma**2)
    middle = 1 / (1 + 2 * side)
    side = side * middle
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    rows = side * (padded[..., :-2, :] + padded[..., 2:, :]) + middle * padded[..., 1:-1, :]
    return side * (rows[..., :-2] + rows[..., 2:]) + middle * rows[..., 1:-1]
