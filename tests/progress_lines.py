"""What a job has said on stderr, without the lines on how far it is, which begin with the time."""

import re

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  .*\n", re.MULTILINE)


def without_progress(err: str) -> str:
    return LINE.sub("", err)
