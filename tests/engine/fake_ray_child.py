"""In place of `atlas.engine.ray_child`: does as the first word of its work says, without Ray."""

import os
import sys
import time
from multiprocessing.connection import Connection

from atlas.engine.events import Died, Draining, Joined, Left, Ready
from atlas.engine.ray_messages import Opening, Refusal, Report


def main(pipe: Connection) -> None:
    (what, *words), _, _ = pipe.recv()
    if what == "refuse":
        return pipe.send(Refusal("no such cluster"))
    if what == "break":
        sys.exit("it is broken")
    if what == "sleep":
        time.sleep(100)
    pipe.send(Opening(2, "asked for 2", {"GCS": tuple(words)} if words else {}))
    while True:
        name, actor, words = pipe.recv()
        if name == "start" and what == "nodes":
            # the actor is another by now
            slots = [Joined(2), Draining(1, "spot"), Left(1, "gone"), Died(1, "late")]
            pipe.send(Report([(actor - 1, event) for event in slots], request="asked for 3"))
        elif name == "start":
            # the second is of the actor before this one
            pipe.send(Report([(actor, Ready(words[0])), (actor - 1, Died(words[0], "late"))], {words[0]: "here:1"}))
        if name == "load":
            # the same actor
            pipe.send(Report([(actor, Ready(words[0]))]))
        if name == "kill":
            os._exit(7)
        if name == "close" and what != "freeze":
            return None


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
