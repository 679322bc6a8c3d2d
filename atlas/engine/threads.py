"""How many threads torch gets where the work is done, in an actor, inline, or in a job that needs no engine."""


def worker_threads(wanted: int | None, device: str) -> int:
    """CPUs of one worker, and torch's threads: as many as the config asks for, or by itself one, and beside a GPU two.

    The same everywhere, so that bytes are. On two cores that others use as well, a dream took 41 and 57 seconds with one
    thread, and 169 and 149 with two.
    """
    if wanted is not None:
        return wanted
    return 2 if device == "cuda" else 1
