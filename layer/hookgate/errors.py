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


class HookgateError(Exception):
    """The root of Hookgate's own exceptions."""


class InputError(HookgateError):
    """What a person gave is wrong; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands: both counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class PlanError(InputError):
    """A plan is wrong; each problem names its place, what was wrong and what to do."""

    def __init__(self, problems: tuple[tuple[Place, str], ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{place}: {what}" for place, what in problems))


class CannotMeasure(HookgateError):
    """A question could not be asked; the step is errored."""


class AccessDenied(CannotMeasure):
    """AWS denied a call; the message names the permission and the resource."""


class NotFound(CannotMeasure):
    """AWS says that what was asked about is not there."""


class Inconclusive(CannotMeasure):
    """Measured, but it cannot carry a decision, as too few samples cannot."""


class NoData(Inconclusive):
    """There was nothing to measure; ``on_no_data`` says what that comes to."""


def too_few(count: float, what: str) -> Inconclusive:
    """What to raise of too few samples: of none at all, that there is no data."""
    return Inconclusive(what) if count else NoData(what)


class Defect(HookgateError):
    """A validator does not do what one must; the step is errored, whatever it says."""


class NoAnswer(HookgateError):
    """The target did not answer, or not within its bounds; the step failed."""


class NotGreen(NoAnswer):
    """An answer came from something that is not the replacement task set."""


class ReportError(HookgateError):
    """CodeDeploy could not be told the status; Lambda's retry is the next chance."""
