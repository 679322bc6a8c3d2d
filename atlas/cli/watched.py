"""A job's command line under signals: they are obeyed from its first moment, before its own module is imported."""

import sys
from collections.abc import Callable

from atlas.cli.messages import say
from atlas.engine.outcome import INTERRUPTED
from atlas.engine.signals import StopNow, job_signals


def watched(run: Callable[[], object]) -> None:
    """Run a job's command line; exit code 75 where a signal ends it before the job itself can."""
    with job_signals():
        try:
            run()
        except StopNow:
            say("stopped; run the same again")
            sys.exit(INTERRUPTED)
