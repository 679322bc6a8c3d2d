"""How many threads the work has where it is done, in an actor, inline, or in a job that needs no engine."""


def worker_threads(wanted: int | None, device: str) -> int:
    """CPUs of one worker, and torch's threads: as many as the config asks for, or by itself one, and beside a GPU two.

    The same everywhere, so that bytes are. On two cores that others use as well, a dream took 41 and 57 seconds with one
    thread, and 169 and 149 with two.
    """
    if wanted is not None:
        return wanted
    return 2 if device == "cuda" else 1


def writing_threads(device: str) -> int:
    """Threads that encode and write what a worker has made, beside torch's.

    A GPU makes an image in the 11 to 17 ms that its PNG takes a core; on a CPU an image takes seconds, and one thread
    hides its PNG.
    """
    return 4 if device == "cuda" else 1
