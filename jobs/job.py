"""`atlas` as a script, for what starts files and not commands: `ray job submit`, SLURM, KubeRay.

`python jobs/job.py run experiment=demo` is `atlas run experiment=demo`: the same arguments, the same exit codes.
"""

from atlas.cli.main import main

if __name__ == "__main__":
    main()
