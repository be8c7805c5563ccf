"""One step: build its validator, collect its findings, say what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.engine.presentation import (
    MAX_SUMMARY,
    code_of,
    presentable,
    shortened,
    told,
    words,
)
from hookgate.engine.step_output import TOO_MUCH, StepOutput, open_step_output
from hookgate.errors import (
    CannotMeasure,
    Defect,
    HookgateError,
    Inconclusive,
    NoAnswer,
    NoData,
)
from hookgate.model import Finding, Outcome, Reason, Status
from hookgate.patience.attempt import Attempt
from hookgate.patience.attempts import eventually
from hookgate.plan import Step
from hookgate.redaction import Secrets
from hookgate.validator import Log, Tools, Validator

MAX_FINDINGS = 1000
#: What a line of the log counts for at least, in characters: it has keys around it.
MIN_LINE = 32


@dataclass(frozen=True, slots=True)
class BoundedLog:
    """A step's log as its validator gets it: bounded, and no secret passes."""

    log: Log
    secrets: Secrets
    output: StepOutput

    def info(self, message: str) -> None:
        """Write a line at level INFO.

        Raises:
            CannotMeasure: the step has logged more than the limit of its output.
        """
        text = str(message)
        self.output.spend(max(len(text), MIN_LINE))
        self.log.info(self.secrets.mask(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """Everything that one step needs, ready to run in a thread of its own.

    ``findings`` and ``waived`` hold presentable values only, so that anybody may say
    at any time what the step came to so far. ``broken`` holds the last attempt that did
    not hold: what could not be measured afterwards may not pass.
    """

    step: Step
    context: DeploymentContext
    tools: Tools
    substitute: Callable[[str], str]
    secrets: Secrets
    findings: list[Finding] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)
    broken: list[Reason] = field(default_factory=list)

    def __call__(self) -> Outcome:
        """Run the step; never raises."""
        output = open_step_output()
        self.secrets.mask_this_thread()
        clock = self.tools.deadline.clock
        started = clock.now()
        status, reason = self._conclude(output)
        trouble = self._trouble(output)
        if trouble:
            status, reason = Status.ERRORED, Reason(Code.STEP_OUTPUT, trouble)
        return self.outcome(status, reason, clock.now() - started)

    def outcome(self, status: Status, reason: Reason, seconds: float) -> Outcome:
        """The step's outcome, bounded and with secrets masked; runs no foreign code."""
        findings = tuple(self.findings)
        named = [*self.waived, *(each.optout for each in findings if each.optout)]
        return Outcome(
            name=self.step.name,
            use=self.step.use,
            status=status,
            blocking=self.step.blocking,
            reason=shortened(self.secrets.mask(reason.text), MAX_SUMMARY),
            code=reason.code,
            duration_ms=round(seconds * 1000),
            findings=findings,
            optouts=tuple(dict.fromkeys(named)) if status is Status.PASSED else (),
        )

    def _conclude(self, output: StepOutput) -> tuple[Status, Reason]:
        try:
            log = BoundedLog(self.tools.log, self.secrets, output)
            tools = replace(self.tools, log=log)
            validator = self.step.build(self.substitute)
            settled = eventually(
                lambda: self._attempt(validator, tools),
                validator.patience,
                tools.deadline,
            )
            self.findings[:] = settled.findings
        except CannotMeasure as error:
            return self._unmeasured(error)
        except HookgateError as error:
            return Status.ERRORED, Reason(code_of(error), words(error))
        except BaseException as error:  # noqa: BLE001 - even sys.exit() is no consent
            what = f"the validator crashed: {told(error)}"
            return Status.ERRORED, Reason(Code.STEP_CRASHED, what)
        return self._weigh()

    def _attempt(self, validator: Validator, tools: Tools) -> Attempt:
        """Let the validator ask once, and keep what it states."""
        self.findings.clear()
        try:
            for finding in _counted(validator.check(self.context, tools)):
                self.findings.append(presentable(finding, self.secrets, self.step.use))
        except (NoAnswer, Inconclusive) as error:
            holds = all(each.ok for each in self.findings)
            if isinstance(error, Inconclusive) and holds:
                raise
            summary = shortened(self.secrets.mask(words(error)), MAX_SUMMARY)
            self.findings.append(
                Finding(ok=False, code=code_of(error), summary=summary)
            )
        broken = _broken(self.findings)
        self.broken[:] = [broken] if broken else self.broken
        return Attempt(findings=tuple(self.findings))

    def _unmeasured(self, error: CannotMeasure) -> tuple[Status, Reason]:
        """What a step without a measurement comes to, and what was waived."""
        status, word, what = _policy(error)
        reason = words(error)
        if self.broken:
            before = self.broken[0].text
            reason = f"{reason}; an attempt before did not hold: {before}"
            return status, Reason(code_of(error), reason)
        holds = all(each.ok for each in self.findings)
        if getattr(self.step, word) == "pass" and holds:
            self.waived.append(f"passed {what} ({word}: pass)")
            reason = f"{reason}; passed because of {word}: pass"
            return Status.PASSED, Reason(code_of(error), reason)
        return status, Reason(code_of(error), reason)

    def _weigh(self) -> tuple[Status, Reason]:
        broken = _broken(self.findings)
        if broken:
            return Status.FAILED, broken
        passed = "; ".join(each.summary for each in self.findings[:3])
        return Status.PASSED, Reason("", passed)

    def _trouble(self, output: StepOutput) -> str:
        """Log what the step printed; says what was wrong with that."""
        try:
            if output.text:
                self.tools.log.info(self.secrets.mask(output.text))
        except Exception as error:  # noqa: BLE001 - a broken log is no consent either
            return f"what the validator printed could not be logged: {told(error)}"
        if output.overflowed:
            return TOO_MUCH
        return ""


def _broken(findings: Iterable[Finding]) -> Reason | None:
    """What does not hold, with the code of the first of it; None if all does."""
    broken = [each for each in findings if not each.ok]
    if not broken:
        return None
    text = "; ".join(each.summary or "no word" for each in broken)
    return Reason(broken[0].code, text)


def _policy(error: CannotMeasure) -> tuple[Status, str, str]:
    """The status of a step that ``error`` ended, and the word that may waive it."""
    if isinstance(error, NoData):
        return Status.INCONCLUSIVE, "on_no_data", "without data"
    if isinstance(error, Inconclusive):
        return Status.INCONCLUSIVE, "on_inconclusive", "though inconclusive"
    return Status.ERRORED, "on_error", "without a measurement"


def _counted(findings: Iterator[Finding]) -> Iterator[Finding]:
    """What the validator says, if it says anything at all, and not for ever.

    Raises:
        Defect: something else than findings, or too many of them.
    """
    if not isinstance(findings, Iterable):
        raise Defect(
            f"the validator returned {type(findings).__name__} instead of findings"
        )
    for number, finding in enumerate(findings, 1):
        if number > MAX_FINDINGS:
            raise Defect(
                f"the validator stated more than {MAX_FINDINGS} findings",
            )
        yield finding
