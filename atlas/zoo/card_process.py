"""The process that makes one card: a model's name and config in on stdin, its card or ConfigError out on stdout."""

import os
import pickle
import signal
import sys

from atlas.zoo.card import card_or_mistake


def main() -> None:
    """Leave Ctrl-C to the parent, and stdout to the answer: torch.hub prints about its downloads there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    name, config = pickle.load(sys.stdin.buffer)
    answer = card_or_mistake(name, config)
    with answers:
        pickle.dump(answer, answers)


if __name__ == "__main__":
    main()
