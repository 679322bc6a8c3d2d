"""The time, as the engine reads it and passes it; a test has its own."""

import time


class Clock:
    """The machine's."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
