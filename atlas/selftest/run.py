"""All known answers in their order: each asked for and compared, one after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from atlas.selftest import images, models, tables


@dataclass(frozen=True)
class Check:
    """One known answer of METHODS §5."""

    number: int
    name: str  # what is so, in one plain sentence
    ask: Callable[[], tuple[bool, str]]  # whether it is so; what was found, against what is wanted


@dataclass(frozen=True)
class Outcome:
    """What became of a check."""

    check: Check
    passed: bool
    found: str
    seconds: float


CHECKS = (
    Check(1, "a copied channel and its original are each other's nearest", tables.twins),
    Check(2, "scaling and shifting a channel changes no ranking", tables.scaled_channel),
    Check(3, "permuting the channels permutes the tables", tables.permuted_channels),
    Check(4, "every feature finds itself in a copy of its model", models.copied_model),
    Check(5, "in a rotated copy CKA stays 1 and matches fall to the baseline", models.rotated_layers),
    Check(
        6,
        "what shares nothing with a net has no excess over the baseline, an untrained net little",
        models.independent_net,
    ),
    Check(7, "dead and constant channels have no scores and are nobody's neighbors", tables.dead_channels),
    Check(8, "however the work is cut the tables are the same, and those of a float64 reference", tables.reference),
    Check(9, "with image labels shuffled self_rank falls to chance", models.shuffled_images),
    Check(10, "the image for a linear layer is the one known in closed form", images.linear_layer),
    Check(11, "images made in a batch are those of the sources' loop, one by one", images.naive_loop),
)


def run(checks: Sequence[Check] = CHECKS) -> Iterator[Outcome]:
    """Each outcome as soon as it is known; a check that breaks down has failed."""
    for check in checks:
        began = perf_counter()
        try:
            passed, found = check.ask()
        except Exception as error:  # whatever is broken here is what a self-test is there to tell
            passed, found = False, f"{type(error).__name__}: {error}"
        yield Outcome(check, bool(passed), found, perf_counter() - began)
