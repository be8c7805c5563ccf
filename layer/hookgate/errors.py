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

from collections.abc import Iterable, Mapping
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
    """The value of an option or key is not valid; what a check of pydantic raises.

    ``expected`` is set if the message is only "expected …": with it, the branches of a
    union become one message.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str = Code.PLAN_VALUE,
        expected: str | None = None,
    ) -> None:
        self.code = code
        self.expected = expected
        super().__init__(message or f"expected {expected}")

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


def closest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that another tool calls ``word`` or that is most similar."""
    known, lower = tuple(known), word[:64].lower()
    for each, others in _OF_OTHER_TOOLS.items():
        if each in known and lower in others:
            return each
    from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(lower, by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], there_are: str = "there are") -> str:
    """End a message about an unknown word with the closest and all known words.

    Args:
        word: the unknown word.
        known: the known words.
        there_are: the words before the list.
    """
    known = tuple(known)
    listed = f"{there_are}: {', '.join(known)}" if known else f"{there_are} none"
    close = closest(word, known)
    if close is None:
        return f"; {listed}"
    return f"; did you mean {close!r}? {listed[0].upper()}{listed[1:]}"


#: Words of other tools for keys and values of a plan.
_OF_OTHER_TOOLS: Mapping[str, tuple[str, ...]] = {
    "equals": ("eq", "equal", "is", "=="),
    "differs": ("ne", "neq", "not_equals", "not_equal", "!="),
    "above": ("gt", "greater", "greater_than", "more_than", ">"),
    "at_least": ("gte", "ge", "min", "minimum", ">="),
    "below": ("lt", "less", "less_than", "<"),
    "at_most": ("lte", "le", "max", "maximum", "<="),
    "between": ("range", "in_range"),
    "contains": ("includes", "include", "has"),
    "matches": ("match", "pattern", "regexp"),
    "one_of": ("in", "any_of"),
    "has_type": ("type", "is_a"),
    "has_length": ("length", "len"),
    "jsonpath": ("json", "json_path", "path"),
    "phase": ("phases", "timings"),
    "peer": ("ip", "address", "remote_address"),
    "http_version": ("version", "protocol"),
    "hash": ("md5", "sha1", "sha256", "checksum"),
    "duration": ("response_time", "latency", "time"),
    "size": ("length", "content_length", "body_size"),
    "status": ("status_code", "code", "valid_status_codes"),
    "expect": (
        "asserts",
        "assert",
        "checks",
        "conditions",
        "valid_http_versions",
        "fail_if_ssl",
        "fail_if_not_ssl",
        "fail_if_body_matches_regexp",
        "fail_if_body_not_matches_regexp",
        "fail_if_body_json_matches_cel",
        "fail_if_body_json_not_matches_cel",
        "fail_if_header_matches",
        "fail_if_header_not_matches",
    ),
    "capture": ("captures", "save", "store", "extract"),
    "follow": ("follow_redirects", "location", "redirects", "max_redirects"),
    "max_body": ("body_size_limit",),
    "tls": ("tls_config", "encryption", "insecure", "insecure_skip_verify"),
    "auth": ("basic_auth", "authorization", "oauth2", "bearer"),
    "http2": ("enable_http2",),
    "ip": ("preferred_ip_protocol", "ip_protocol_fallback", "ip_protocol"),
    "within": ("eventually", "retry", "retries", "wait"),
    "every": ("interval", "retry_interval", "delay"),
    "repeat": ("count", "times"),
    "rate": ("arrival_rate", "qps", "rps"),
    "max_in_flight": ("max_vus", "workers", "concurrency"),
    "graphql": ("query",),
    "cleanup": ("teardown", "finally", "always"),
}
