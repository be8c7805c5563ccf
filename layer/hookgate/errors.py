"""The exceptions of Hookgate, by who can act on them.

HookgateError
  InputError       the author of a plan, an event or a command has to correct it
    PlanError      the author of a plan, with file, line and column
  CannotMeasure    nothing was measured; the step is errored
    AccessDenied   the owner of the function's role has to add a permission
    NotFound       the author of the plan names something that does not exist
  Inconclusive     measured, but not enough to decide; the step is inconclusive
    NoData         the measurement has no data
  Defect           the author of the validator has to correct it; no waiver covers it
  NoAnswer         the new version did not respond, or not within the limits
    NotGreen       the response is not from the replacement task set
  ReportError      CodeDeploy did not confirm the report
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hookgate.codes import Code


class HookgateError(Exception):
    """The base class of Hookgate's exceptions; each has a stable ``code``."""

    code: str = Code.ERROR

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        if code:
            self.code = code
        super().__init__(message)


class InputError(HookgateError):
    """The input of a user is not valid; the message says what to do."""

    code = Code.INPUT


class InvalidValue(ValueError):
    """The value of an option or key is not valid; pydantic checks raise it.

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
        """Prefix the message with the option or key; the code stays the same."""
        code = getattr(error, "code", Code.PLAN_VALUE)
        return cls(f"{what}: {error}", code=code)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column start at 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: its place, its code and what to do."""

    place: Place
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrigin:
    """The source and the version of a plan.

    ``source`` is ``ssm:<parameter>``, ``s3://<bucket>/<key>`` or a file's path.
    ``version`` is SSM's parameter version or S3's version id, and None for a file or
    an object without versions. ``sha256`` is the hex digest of the plan's own text.
    """

    source: str
    version: str | None = None
    sha256: str


class PlanError(InputError):
    """A plan is not valid; each problem names its place, the mistake and what to do.

    ``plan`` is the source and version of the plan; ``read_plan`` sets it.
    """

    plan: PlanOrigin | None = None

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        message = "\n".join(str(each) for each in problems)
        super().__init__(message, code=problems[0].code)


class CannotMeasure(HookgateError):
    """Nothing could be measured, for example without access; the step is errored."""

    code = Code.CANNOT_MEASURE


class AccessDenied(CannotMeasure):
    """AWS denied a call; the message names the permission and the resource."""

    code = Code.ACCESS_DENIED


class NotFound(CannotMeasure):
    """AWS has no resource of that name."""

    code = Code.NOT_FOUND


class Inconclusive(HookgateError):
    """Measured, but not enough to decide, such as too few samples."""

    code = Code.INCONCLUSIVE


class NoData(Inconclusive):
    """The measurement has no data; ``on_no_data`` decides the step's outcome."""

    code = Code.NO_DATA


def too_few(count: float, what: str) -> Inconclusive:
    """Return the error for too few samples: ``NoData`` if there are none."""
    return Inconclusive(what) if count else NoData(what)


class Defect(HookgateError):
    """A validator breaks its contract; the step is errored, without any waiver."""

    code = Code.DEFECT


class NoAnswer(HookgateError):
    """The target did not respond, or not within the limits; the step failed."""

    code = Code.NO_RESPONSE


class NotGreen(NoAnswer):
    """The response is not from the replacement task set."""

    code = Code.IDENTITY


class ReportError(HookgateError):
    """CodeDeploy did not confirm the report; Lambda retries the invocation."""

    code = Code.REPORT


def closest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that another tool calls ``word`` or that is most similar."""
    known, lower = tuple(known), word[:64].lower()
    for each, others in _OF_OTHER_TOOLS.items():
        if each in known and lower in others.split():
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


#: Words of other tools for keys and values of a plan, separated by spaces.
_OF_OTHER_TOOLS = {
    "equals": "eq equal is ==",
    "differs": "ne neq not_equals not_equal !=",
    "above": "gt greater greater_than more_than >",
    "at_least": "gte ge min minimum >=",
    "below": "lt less less_than <",
    "at_most": "lte le max maximum <=",
    "between": "range in_range",
    "contains": "includes include has",
    "matches": "match pattern regexp",
    "one_of": "in any_of",
    "has_type": "type is_a",
    "has_length": "length len",
    "jsonpath": "json json_path path",
    "phase": "phases timings",
    "peer": "ip address remote_address",
    "http_version": "version protocol",
    "hash": "md5 sha1 sha256 checksum",
    "duration": "response_time latency time",
    "size": "length content_length body_size",
    "status": "status_code code valid_status_codes",
    "expect": "asserts assert checks conditions valid_http_versions fail_if_ssl "
    "fail_if_not_ssl fail_if_body_matches_regexp "
    "fail_if_body_not_matches_regexp fail_if_body_json_matches_cel "
    "fail_if_body_json_not_matches_cel fail_if_header_matches "
    "fail_if_header_not_matches",
    "capture": "captures save store extract",
    "follow": "follow_redirects location redirects max_redirects",
    "max_body": "body_size_limit",
    "tls": "tls_config encryption insecure insecure_skip_verify",
    "auth": "basic_auth authorization oauth2 bearer",
    "http2": "enable_http2",
    "ip": "preferred_ip_protocol ip_protocol_fallback ip_protocol",
    "within": "eventually retry retries wait",
    "every": "interval retry_interval delay",
    "repeat": "count times",
    "rate": "arrival_rate qps rps",
    "max_in_flight": "max_vus workers concurrency",
    "graphql": "query",
    "cleanup": "teardown finally always",
}
