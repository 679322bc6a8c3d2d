"""The command line: jobs are Hydra apps, the rest are click commands. `lazy_group.py` lists them all."""

FORMATS = ("table", "json", "jsonl", "csv", "parquet")  # how stdout can be written
DONE, WRONG, SOME_FAILED, INTERRUPTED = 0, 2, 3, 75  # exit codes
