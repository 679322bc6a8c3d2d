"""`atlas site` as a script, for `ray job submit`, SLURM and KubeRay: the same arguments, the same exit codes."""

import sys

from atlas.cli.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("site", sys.argv[1:]))
