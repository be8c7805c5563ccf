"""One step: build its validator, collect its findings, say what it came to."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hookgate.context import DeploymentContext
from hookgate.engine.step_output import LIMIT, open_step_output
from hookgate.errors import CannotMeasure, HookgateError, Inconclusive, NoAnswer
from hookgate.model import Finding, Outcome, Status
from hookgate.plan import Step
from hookgate.redaction import Secrets
from hookgate.validator import Tools

MAX_FINDINGS = 1000
MAX_SUMMARY = 2000
MAX_EVIDENCE = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """Everything that one step needs, ready to run in a thread of its own."""

    step: Step
    context: DeploymentContext
    tools: Tools
    substitute: Callable[[str], str]
    secrets: Secrets
    findings: list[Finding] = field(default_factory=list)

    def __call__(self) -> Outcome:
        """Run the step; never raises."""
        output = open_step_output()
        clock = self.tools.deadline.clock
        started = clock.now()
        status, reason = self._conclude()
        if output.overflowed:
            status = Status.ERRORED
            reason = f"the validator printed more than {LIMIT // 1024} KiB"
        if output.text:
            self.tools.log.info(self.secrets.mask(output.text))
        return self.outcome(status, reason, clock.now() - started)

    def outcome(self, status: Status, reason: str, seconds: float) -> Outcome:
        """The step's outcome, bounded and with secrets masked."""
        return Outcome(
            name=self.step.name,
            use=self.step.use,
            status=status,
            blocking=self.step.blocking,
            reason=_shortened(self.secrets.mask(reason), MAX_SUMMARY),
            duration_ms=round(seconds * 1000),
            findings=tuple(self._presentable(each) for each in list(self.findings)),
        )

    def _conclude(self) -> tuple[Status, str]:
        try:
            validator = self.step.build(self.substitute)
            for finding in _checked(validator.check(self.context, self.tools)):
                self.findings.append(finding)
        except Inconclusive as error:
            return self._without_data(str(error))
        except NoAnswer as error:
            return Status.FAILED, str(error)
        except HookgateError as error:
            return Status.ERRORED, str(error)
        except BaseException as error:  # noqa: BLE001 - even sys.exit() is no consent
            return Status.ERRORED, f"the validator crashed: {_told(error)}"
        return self._weigh()

    def _without_data(self, reason: str) -> tuple[Status, str]:
        holds = all(each.ok for each in self.findings)
        if self.step.on_no_data == "pass" and holds:
            return Status.PASSED, f"{reason}; passed because of on_no_data: pass"
        return (Status.INCONCLUSIVE if holds else Status.FAILED), reason

    def _weigh(self) -> tuple[Status, str]:
        if not self.findings:
            return Status.ERRORED, "the validator stated no finding"
        broken = [each.summary for each in self.findings if not each.ok]
        if broken:
            return Status.FAILED, "; ".join(broken)
        return Status.PASSED, "; ".join(each.summary for each in self.findings[:3])

    def _presentable(self, finding: Finding) -> Finding:
        summary = _shortened(self.secrets.mask(finding.summary), MAX_SUMMARY)
        evidence = self.secrets.mask_all(dict(finding.evidence))
        text = json.dumps(evidence, default=str)
        kept = json.loads(text) if len(text) <= MAX_EVIDENCE else {"cut": text[:2000]}
        return replace(finding, summary=summary, evidence=kept)


def _checked(findings: Iterator[Finding]) -> Iterator[Finding]:
    """What the validator says, if it is of the right kind and number.

    Raises:
        CannotMeasure: something else than findings, or too many of them.
    """
    if not isinstance(findings, Iterable):
        raise CannotMeasure(
            f"the validator returned {type(findings).__name__} instead of findings"
        )
    for number, finding in enumerate(findings, 1):
        if number > MAX_FINDINGS:
            raise CannotMeasure(
                f"the validator stated more than {MAX_FINDINGS} findings"
            )
        # Whatever its type says: a validator may be anybody's code.
        said: object = finding
        if not isinstance(said, Finding) or type(said.ok) is not bool:
            raise CannotMeasure(
                f"the validator stated {finding!r:.200} instead of a Finding whose ok "
                "is True or False"
            )
        yield finding


def _told(error: BaseException) -> str:
    """An exception in one line, with the last place in the code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
