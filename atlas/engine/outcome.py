"""What any job came to, and the exit code that says so."""

from dataclasses import dataclass, field

DONE, FAULT, WRONG, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 75


@dataclass(kw_only=True)
class Outcome:
    """What a job came to. A job has its own kind, with what it made."""

    notes: list[str] = field(default_factory=list)  # what a person should hear of
    failures: list[str] = field(default_factory=list)  # what could not be done, a sentence each
    abandoned: dict[str, str] = field(default_factory=dict)  # model: why it could not be loaded where the work runs
    stopped: str | None = None  # why the job ended before its work did

    @property
    def incomplete(self) -> bool:
        """Whether something that was asked for could not be done."""
        return bool(self.failures or self.abandoned)

    @property
    def code(self) -> int:
        """The exit code: 0 all done, 3 finished but incomplete, 75 stopped: the same again resumes it."""
        return INTERRUPTED if self.stopped else SOME_FAILED if self.incomplete else DONE
