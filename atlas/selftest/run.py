"""All known answers in their order: each asked for and compared, one after the other."""

from collections.abc import Iterator, Sequence
from time import perf_counter

from atlas.selftest import images, models, tables
from atlas.selftest.check import Answer, Check, CheckResult

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


def run(checks: Sequence[Check] = CHECKS) -> Iterator[CheckResult]:
    """Yield the outcome of each check as soon as it is known; a check that breaks down has failed."""
    for check in checks:
        began = perf_counter()
        try:
            answer = check.ask()
        except Exception as error:  # whatever is broken here is what a self-test is there to tell
            answer = Answer(False, f"{type(error).__name__}: {error}")
        yield CheckResult(check, answer.passed, answer.found, perf_counter() - began)
