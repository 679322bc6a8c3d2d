"""The command line: jobs are Hydra apps, the rest are click commands."""

FORMATS = ("table", "json", "jsonl", "csv", "parquet")  # how stdout can be written
