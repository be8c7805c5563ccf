"""Run one step: its findings, its outcome, and what its validator prints."""

from __future__ import annotations

import contextlib
import contextvars
import io
import itertools
import json
import logging
import math
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TextIO, cast

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.errors import (
    CannotMeasure,
    Defect,
    HookgateError,
    Inconclusive,
    NoAnswer,
    NoData,
)
from hookgate.model import Finding, Metric, Outcome, Reason, Status
from hookgate.plan import Step
from hookgate.redaction import MaskedRecord, Secrets
from hookgate.retry import eventually
from hookgate.validator import Log, Tools, Validator

# Maximum sizes, in characters, of what a validator states.
MAX_SUMMARY = 2000
MAX_CODE = 100
MAX_EVIDENCE = 16 * 1024
MAX_TEXT = 1000  # of one text inside evidence

# Maximum numbers of what a validator states.
MAX_FINDINGS = 1000
MAX_METRICS = 20
MAX_VALUES = 2000  # of evidence
MAX_DEPTH = 20  # of evidence

#: The maximum size of what a step prints and logs.
LIMIT = 64 * 1024

#: The minimum size of a log line, since it has keys around it.
MIN_LINE = 32

#: The message for a step that printed more.
TOO_MUCH = f"the validator printed or logged more than {LIMIT // 1024} KiB"

_CUT = "…"


def plain_finding(stated: Any, secrets: Secrets, use: str) -> Finding:
    """Copy a finding into plain values without secrets.

    Args:
        stated: the finding of the validator.
        secrets: masks secrets in its texts.
        use: the validator's name, which is the code of a finding without one.

    Raises:
        Defect: it is not a finding, whatever its annotation is.
    """
    wanted = _wrong(stated)
    if wanted:
        shown = shortened(secrets.mask(repr(stated)), 200)
        raise Defect(f"the validator stated {shown} instead of {wanted}")
    named = use.upper().replace("_", "-")
    return Finding(
        ok=stated.ok,
        summary=_masked(stated.summary, secrets, MAX_SUMMARY),
        code=_masked(stated.code or named, secrets, MAX_CODE),
        evidence=_evidence(stated.evidence, secrets),
        waiver=_masked(stated.waiver, secrets, MAX_TEXT),
        certain=stated.certain is True,
        metrics=tuple(_plain_metric(each) for each in stated.metrics),
    )


def _plain_metric(metric: Metric) -> Metric:
    """Copy a metric: it is published outside the step, where no code of it may run."""
    name, unit = plain_text(metric.name), plain_text(metric.unit)
    return Metric(name, float(metric.value), unit)


def _wrong(stated: Any) -> str:
    """Describe a finding of the right types if this is none; else return nothing."""
    if not isinstance(stated, Finding) or type(stated.ok) is not bool:
        return "a Finding whose ok is True or False"
    texts: tuple[object, ...] = (stated.summary, stated.waiver, stated.code)
    if not all(isinstance(each, str) for each in texts):
        return "a Finding whose summary, waiver and code are text"
    if not _has_text_keys(stated.evidence):
        return "a Finding whose evidence is a mapping with text keys"
    metrics: object = stated.metrics
    if not isinstance(metrics, tuple) or len(metrics) > MAX_METRICS:
        return f"a Finding whose metrics are a tuple of at most {MAX_METRICS}"
    if not all(type(each) is Metric for each in metrics):
        return "a Finding whose metrics are of the class Metric"
    return ""


def error_with_place(error: BaseException) -> str:
    """An exception in one line, with file and line of the code; never raises."""
    frames = list(traceback.walk_tb(error.__traceback__))
    place = ""
    if frames:
        frame, line = frames[-1]
        place = f" ({frame.f_code.co_filename}:{line})"
    return f"{type(error).__name__}: {error_message(error)}{place}"


def error_message(error: BaseException) -> str:
    """The message of an exception; never raises."""
    try:
        return plain_text(str(error))
    except BaseException as broken:  # noqa: BLE001 - an exception may run any code
        return f"its message cannot be read ({type(broken).__name__})"


def code_of(error: BaseException) -> str:
    """The code of an exception of any class; never raises."""
    try:
        code: object = getattr(error, "code", None)
    except BaseException:  # noqa: BLE001 - as in error_message
        code = None
    if not isinstance(code, str):
        return Code.ERROR
    return shortened(plain_text(code), MAX_CODE)


def plain_text(text: str) -> str:
    """``text`` as a plain str that UTF-8 can encode."""
    return str.__str__(text).encode("utf-8", "backslashreplace").decode()


def _masked(text: str, secrets: Secrets, limit: int) -> str:
    return shortened(secrets.mask(plain_text(text)), limit)


def shortened(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters; mask it first, or half a secret stays."""
    return text if len(text) <= limit else f"{text[: limit - 1]}{_CUT}"


def _has_text_keys(evidence: object) -> bool:
    if not isinstance(evidence, Mapping):
        return False
    keys = itertools.islice(evidence, MAX_VALUES)
    return all(isinstance(key, str) for key in keys)


def _evidence(evidence: Mapping[str, object], secrets: Secrets) -> dict[str, Any]:
    plain: dict[str, Any] = _Plain(secrets).value(evidence)
    text = json.dumps(plain, allow_nan=False)
    return plain if len(text) <= MAX_EVIDENCE else {"cut": text[:2000]}


@dataclass(slots=True)
class _Plain:
    """Copies a value; cuts it where it is too large or too deep, as in a cycle."""

    secrets: Secrets
    left: int = MAX_VALUES

    def value(self, value: object, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            return _CUT
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, Mapping):
            items = itertools.islice(value.items(), self.left + 1)
            return {self._text(key): self.value(each, depth + 1) for key, each in items}
        if isinstance(value, list | tuple):
            few = itertools.islice(value, self.left + 1)
            return [self.value(each, depth + 1) for each in few]
        return self._text(value)

    def _text(self, value: object) -> str:
        # Not str(value) for text: a subclass of str may return anything.
        text = value if isinstance(value, str) else str(value)
        return _masked(text, self.secrets, MAX_TEXT)


class StepOutput:
    """The output of one step, up to ``LIMIT`` characters."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._size = 0

    def write(self, text: str) -> None:
        """Add ``text``.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self.spend(len(text))
        self._text.write(text)

    def spend(self, size: int) -> None:
        """Count ``size`` characters that are written elsewhere, such as to the log.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self._size += size
        if self.overflowed:
            raise CannotMeasure(TOO_MUCH, code=Code.STEP_OUTPUT)

    @property
    def overflowed(self) -> bool:
        """Whether the step printed too much, even if it caught the exception."""
        return self._size > LIMIT

    @property
    def text(self) -> str:
        """The text that was printed."""
        return self._text.getvalue()


_current: contextvars.ContextVar[StepOutput | None] = contextvars.ContextVar(
    "hookgate_step_output", default=None
)
#: Threads, not their idents, which later threads can get again.
_trusted: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def _is_trusted() -> bool:
    return threading.current_thread() in _trusted


class _Discard(io.RawIOBase):
    """Accepts bytes and drops them."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes


class _Router(io.TextIOBase):
    """Replaces a standard stream; only Hookgate's own threads reach the real one.

    It is not a terminal, so no live display draws through it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only here, as anywhere
        return self._stream.encoding

    @property
    def buffer(self) -> BinaryIO:
        """The binary stream, for Hookgate's own threads only."""
        if _current.get() is None and _is_trusted():
            return self._stream.buffer
        return cast("BinaryIO", _Discard())

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        output = _current.get()
        if output is not None:
            output.write(text)
        elif _is_trusted():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if _current.get() is None and _is_trusted():
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: no validator may close a standard stream."""


def _router(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _Router) else cast("TextIO", _Router(stream))


@contextlib.contextmanager
def routed_output() -> Iterator[None]:
    """Keep what validators print off the standard streams from now on.

    A Lambda function writes its metrics to standard output, so a line that a validator
    prints could be read as a metric. Only Hookgate's own threads reach the real
    streams. A step's thread prints into the output of its step; what other threads
    print, such as those that a validator starts, is dropped. Code that does not use
    ``sys.stdout`` bypasses this: ``os.write``, ``sys.__stdout__``, code in C and child
    processes that inherit the descriptor.

    Secrets in log records of libraries, for which Lambda may have a descriptor of its
    own, are masked.

    The calling thread may print, and at the first call those that run already. The
    routers stay afterwards, because an abandoned step may print at any time. Code that
    replaces ``sys.stdout`` later bypasses them until the next call.
    """
    _trusted.update({threading.current_thread()} if _trusted else threading.enumerate())
    logging.setLogRecordFactory(MaskedRecord)
    out, err = _router(sys.stdout), _router(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        # An abandoned step may have replaced them.
        sys.stdout, sys.stderr = out, err


def open_step_output() -> StepOutput:
    """Collect what the calling thread prints in a new output."""
    output = StepOutput()
    _current.set(output)
    return output


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step, ready to run in a thread of its own.

    ``findings`` and ``waived`` have plain values only, so that other threads can read
    them at any time. ``failure`` is why the last attempt with findings failed: without
    a measurement after that, the step does not pass.
    """

    step: Step
    context: DeploymentContext
    tools: Tools
    substitute: Callable[[str], str]
    secrets: Secrets
    findings: list[Finding] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)
    failure: list[Reason] = field(default_factory=list)

    def __call__(self) -> Outcome:
        """Run the step; never raises."""
        output = open_step_output()
        self.secrets.mask_this_thread()
        clock = self.tools.deadline.clock
        started = clock.now()
        status, reason = self._conclude(output)
        problem = self._log_output(output)
        if problem:
            status, reason = Status.ERRORED, Reason(Code.STEP_OUTPUT, problem)
        return self.outcome(status, reason, clock.now() - started)

    def outcome(self, status: Status, reason: Reason, seconds: float) -> Outcome:
        """The step's outcome so far; runs no code of the validator."""
        findings = tuple(self.findings)
        waivers = [*self.waived, *(each.waiver for each in findings if each.waiver)]
        return Outcome(
            name=self.step.name,
            use=self.step.use,
            status=status,
            blocking=self.step.blocking,
            reason=shortened(self.secrets.mask(reason.text), MAX_SUMMARY),
            code=reason.code,
            duration_ms=round(seconds * 1000),
            findings=findings,
            waivers=tuple(dict.fromkeys(waivers)) if status is Status.PASSED else (),
        )

    def _conclude(self, output: StepOutput) -> tuple[Status, Reason]:
        try:
            tools = replace(self.tools, log=self._bounded_log(output))
            validator = self.step.build(self.substitute)
            self.findings[:] = eventually(
                lambda: self._attempt(validator, tools),
                validator.retry_policy,
                tools.deadline,
            )
        except (CannotMeasure, Inconclusive) as error:
            return self._undecided(error)
        except HookgateError as error:
            return Status.ERRORED, Reason(code_of(error), error_message(error))
        except BaseException as error:  # noqa: BLE001 - sys.exit() does not pass either
            what = f"the validator crashed: {error_with_place(error)}"
            return Status.ERRORED, Reason(Code.STEP_CRASHED, what)
        failure = _failure(self.findings)
        if failure:
            return Status.FAILED, failure
        passed = "; ".join(each.summary for each in self.findings[:3])
        return Status.PASSED, Reason("", passed)

    def _bounded_log(self, output: StepOutput) -> Log:
        """The log of the step, with secrets masked, within the limit of its output."""

        def write(level: str, message: str) -> None:
            text = str(message)
            output.spend(max(len(text), MIN_LINE))
            self.tools.log.write(level, self.secrets.mask(text))

        return Log(write)

    def _attempt(self, validator: Validator, tools: Tools) -> tuple[Finding, ...]:
        """Call the validator once and keep its findings."""
        self.findings.clear()
        try:
            for finding in _counted(validator.check(self.context, tools)):
                self.findings.append(
                    plain_finding(finding, self.secrets, self.step.use)
                )
        except (NoAnswer, Inconclusive) as error:
            satisfied = all(each.ok for each in self.findings)
            if isinstance(error, Inconclusive) and satisfied:
                raise
            summary = shortened(self.secrets.mask(error_message(error)), MAX_SUMMARY)
            self.findings.append(
                Finding(ok=False, code=code_of(error), summary=summary)
            )
        failure = _failure(self.findings)
        self.failure[:] = [failure] if failure else self.failure
        return tuple(self.findings)

    def _undecided(self, error: CannotMeasure | Inconclusive) -> tuple[Status, Reason]:
        """Decide the outcome of a step without enough evidence; note a waiver."""
        status, option, what = _policy(error)
        reason = error_message(error)
        satisfied = all(each.ok for each in self.findings)
        if self.failure:
            reason = f"{reason}; an earlier attempt failed: {self.failure[0].text}"
        elif getattr(self.step, option) == "pass" and satisfied:
            self.waived.append(f"passed {what} ({option}: pass)")
            reason = f"{reason}; passed because of {option}: pass"
            status = Status.PASSED
        return status, Reason(code_of(error), reason)

    def _log_output(self, output: StepOutput) -> str:
        """Log what the step printed; returns a problem with that, if there is one."""
        try:
            if output.text:
                self.tools.log.info(self.secrets.mask(output.text))
        except Exception as error:  # noqa: BLE001 - a log that fails does not pass
            failed = error_with_place(error)
            return f"what the validator printed could not be logged: {failed}"
        if output.overflowed:
            return TOO_MUCH
        return ""


def _failure(findings: Iterable[Finding]) -> Reason | None:
    """All findings that are not satisfied, with the code of the first."""
    failed = [each for each in findings if not each.ok]
    if not failed:
        return None
    text = "; ".join(each.summary or "no summary" for each in failed)
    return Reason(failed[0].code, text)


def _policy(error: CannotMeasure | Inconclusive) -> tuple[Status, str, str]:
    """The status of a step that ``error`` ended, and the option that can waive it."""
    if isinstance(error, NoData):
        return Status.INCONCLUSIVE, "on_no_data", "without data"
    if isinstance(error, Inconclusive):
        return Status.INCONCLUSIVE, "on_inconclusive", "though inconclusive"
    return Status.ERRORED, "on_error", "without a measurement"


def _counted(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of a validator, up to ``MAX_FINDINGS``.

    Raises:
        Defect: they are something else, or too many.
    """
    if not isinstance(findings, Iterable):
        raise Defect(
            f"the validator returned {type(findings).__name__} instead of findings"
        )
    for number, finding in enumerate(findings, 1):
        if number > MAX_FINDINGS:
            raise Defect(f"the validator stated more than {MAX_FINDINGS} findings")
        yield finding
