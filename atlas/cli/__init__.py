"""The command line: jobs are Hydra apps, the rest are click commands."""
