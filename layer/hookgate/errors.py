"""Everything that can go wrong, by who can act on it.

HookgateError
  InputError             the person who wrote the plan, the event or the command
    PlanError            a plan, with file, line and column
  CannotMeasure          nobody yet: the question could not be asked
    AccessDenied         whoever owns the function's role
    NotFound             whoever named what is not there
    Inconclusive         measured, but it cannot carry a decision
      NoData             there was nothing to measure
  Defect                 whoever wrote the validator: no opt-out covers it
  NoAnswer               whoever owns the new version: it did not answer as it must
    NotGreen             somebody else answered
  ReportError            whoever is on call: CodeDeploy was not told
"""

from __future__ import annotations

from dataclasses import dataclass

from hookgate.codes import Code


class HookgateError(Exception):
    """The root of Hookgate's own exceptions; each has a stable ``code``."""

    code: str = Code.ERROR

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        if code:
            self.code = code
        super().__init__(message)


class InputError(HookgateError):
    """What a person gave is wrong; the message says what to do."""

    code = Code.INPUT


class InvalidValue(ValueError):
    """The value of an option or key is not valid; what a check of pydantic raises."""

    def __init__(self, message: str, *, code: str = Code.PLAN_VALUE) -> None:
        self.code = code
        super().__init__(message)

    @classmethod
    def within(cls, what: str, error: ValueError) -> InvalidValue:
        """The same error with what it is about; it keeps its code."""
        code = getattr(error, "code", Code.PLAN_VALUE)
        return cls(f"{what}: {error}", code=code)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands: both counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, of which kind, and what to do."""

    place: Place
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrigin:
    """Which plan it is: where its text was read, and which text that was.

    ``source`` is ``ssm:<parameter>``, ``s3://<bucket>/<key>`` or a file's path.
    ``version`` is SSM's parameter version or S3's version id, and None for a file or
    an object without versions. ``sha256`` is the hex digest of the plan's own text.
    """

    source: str
    version: str | None = None
    sha256: str


class PlanError(InputError):
    """A plan is wrong; each problem names its place, what was wrong and what to do.

    ``plan`` tells which version of the plan it was, once ``read_plan`` has raised it.
    """

    plan: PlanOrigin | None = None

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        message = "\n".join(str(each) for each in problems)
        super().__init__(message, code=problems[0].code)


class CannotMeasure(HookgateError):
    """A question could not be asked; the step is errored."""

    code = Code.CANNOT_MEASURE


class AccessDenied(CannotMeasure):
    """AWS denied a call; the message names the permission and the resource."""

    code = Code.ACCESS_DENIED


class NotFound(CannotMeasure):
    """AWS says that what was asked about is not there."""

    code = Code.NOT_FOUND


class Inconclusive(CannotMeasure):
    """Measured, but it cannot carry a decision, as too few samples cannot."""

    code = Code.INCONCLUSIVE


class NoData(Inconclusive):
    """There was nothing to measure; ``on_no_data`` says what that comes to."""

    code = Code.NO_DATA


def too_few(count: float, what: str) -> Inconclusive:
    """What to raise of too few samples: of none at all, that there is no data."""
    return Inconclusive(what) if count else NoData(what)


class Defect(HookgateError):
    """A validator does not do what one must; the step is errored, whatever it says."""

    code = Code.DEFECT


class NoAnswer(HookgateError):
    """The target did not answer, or not within its bounds; the step failed."""

    code = Code.NO_RESPONSE


class NotGreen(NoAnswer):
    """An answer came from something that is not the replacement task set."""

    code = Code.IDENTITY


class ReportError(HookgateError):
    """CodeDeploy could not be told the status; Lambda's retry is the next chance."""

    code = Code.REPORT
