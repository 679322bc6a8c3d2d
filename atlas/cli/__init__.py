"""The command line: jobs are Hydra apps, the rest are click commands. `lazy_group.py` lists them all."""

FORMATS = ("table", "json", "jsonl", "csv", "parquet")  # how stdout can be written
