"""The base class of validators: its tools and its retry options."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.context import Aws, DeploymentContext
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, InvalidValue
from hookgate.http.request import HttpClient, as_list, statuses
from hookgate.model import Finding
from hookgate.units import Duration, demand

if TYPE_CHECKING:
    from hookgate.http.connection import Destination
    from hookgate.traffic.options import Load
    from hookgate.traffic.results import LoadResult, StopCondition


class Connect(Protocol):
    """Leads to what may be connected to."""

    def __call__(self, where: str) -> Destination:
        """The destination called ``test``, ``production`` or ``host:port``.

        Raises:
            CannotMeasure: there is no such listener, or the plan does not allow the
                address.
        """
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """The log of a step: masked, bounded, and never part of the verdict.

    Args:
        write: writes a line; takes the level, such as ``info``, and the message.
    """

    write: Callable[[str, str], None]

    def debug(self, message: str) -> None:
        """Write a line at level DEBUG."""
        self.write("debug", message)

    def info(self, message: str) -> None:
        """Write a line at level INFO."""
        self.write("info", message)

    def warning(self, message: str) -> None:
        """Write a line at level WARNING."""
        self.write("warning", message)

    def error(self, message: str) -> None:
        """Write a line at level ERROR."""
        self.write("error", message)


class Traffic(Protocol):
    """Loads the test listener, and the production listener beside it when asked to."""

    def __call__(self, load: Load, should_stop: StopCondition, /) -> LoadResult:
        """Send ``load`` until it has ended, its outcome is certain or time is over.

        Raises:
            CannotMeasure: there is no such listener, or it may not be asked.
            NoAnswer: its name does not resolve.
        """
        ...


def no_traffic(_load: Load, _should_stop: StopCondition, /) -> LoadResult:
    """Say that there is nothing to load.

    Raises:
        CannotMeasure: always.
    """
    raise CannotMeasure(
        "there is no listener here that may be loaded", code=Code.HTTP_NO_LISTENER
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a validator works with.

    Args:
        http: sends requests to the test listener; a response of another than the
            replacement task set raises ``NotGreen``.
        production: does the same with the production listener.
        connect: opens connections of other protocols.
        aws: calls AWS.
        deadline: the deadline of the step; wait with ``deadline.sleep``.
        log: the log of the step.
        traffic: sends load to a listener.
    """

    http: HttpClient
    production: HttpClient
    connect: Connect
    aws: Aws
    deadline: Deadline
    log: Log
    traffic: Traffic = no_traffic


_LIKE_A_STATUS = re.compile(r"\d+|\d+[xX]+")

_LIKE_A_CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")

_STATUS_OR_CODE = [{"type": "integer"}, {"type": "string"}]

_MOST = 1000


def _pace(seconds: float) -> float:
    if seconds < 0.05:
        raise InvalidValue(
            "write at least 50ms; for a load test, write use: traffic",
            code=Code.OPTION_RETRY,
        )
    return seconds


def _stop_on(value: object) -> tuple[str, ...]:
    many = as_list(value)
    for each in many:
        if isinstance(each, bool) or not isinstance(each, int | str) or each == "":
            raise InvalidValue(
                f"write statuses such as 501, or codes such as {Code.HTTP_STATUS}",
                code=Code.OPTION_STOP_ON,
            )
        if _LIKE_A_STATUS.fullmatch(str(each)):
            statuses(each)
        else:
            _check_code(str(each))
    return tuple(map(str, many))


def _check_code(text: str) -> None:
    """Check a code; only Hookgate's own codes are known, not those of plugins."""
    if not _LIKE_A_CODE.fullmatch(text):
        raise InvalidValue(
            f"{text[:64]!r} is neither a status nor a code; write codes such as "
            f"{Code.HTTP_STATUS}, not parts of a message",
            code=Code.OPTION_STOP_ON,
        )
    if text.startswith("HG-") and text not in set(Code):
        from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

        close = get_close_matches(text[:64], list(Code), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InvalidValue(f"unknown code {text[:64]}{hint}", code=Code.OPTION_STOP_ON)


# A validator that has another default repeats the type.
Within = Annotated[
    Duration,
    Field(
        description="Retry until the check passes, for at most this time. Without it, "
        "the first attempt that fails decides."
    ),
]

Every = Annotated[
    Duration,
    AfterValidator(_pace),
    Field(description="The time from the end of one attempt to the start of the next."),
]

StableFor = Annotated[
    Duration, Field(description="How long the check must pass without a failure.")
]


class Repeat(BaseModel):
    """A fixed number of attempts, of which some may fail."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    count: int = Field(ge=1, le=_MOST, description="Number of attempts.")
    failures: int = Field(
        0,
        ge=0,
        description="Maximum number of attempts that may fail; the verdict lists a "
        "waiver if any did.",
    )
    errors: int = Field(
        0,
        ge=0,
        description="Maximum number of attempts that may not be able to measure; the "
        "verdict lists a waiver if any did.",
    )

    @model_validator(mode="after")
    def _requires_a_success(self) -> Repeat:
        if self.failures + self.errors >= self.count:
            raise InvalidValue(
                "no attempt would have to pass: failures and errors together must be "
                "less than count",
                code=Code.OPTION_RETRY,
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to retry and when the result counts; times are in seconds.

    With ``repeat``, ``within``, ``consecutive`` and ``stable_for`` are not used.
    """

    within: float = 0.0
    every: float = 1.0
    consecutive: int = 1
    stable_for: float = 0.0
    stop_on: tuple[str, ...] = ()
    repeat: Repeat | None = None

    @property
    def once(self) -> bool:
        """Whether a single attempt decides."""
        return self == RetryPolicy(every=self.every, stop_on=self.stop_on)

    def worst_case(self, attempt: float) -> float:
        """The longest that all attempts take if one takes ``attempt`` seconds."""
        if self.repeat:
            return self.repeat.count * (attempt + self.every) - self.every
        if self.within:
            return self.within + attempt
        in_a_row = self.consecutive * attempt + (self.consecutive - 1) * self.every
        if not self.stable_for:
            return in_a_row
        return max(in_a_row, self.stable_for + self.every + 2 * attempt)


class RetryOptions(BaseModel):
    """The options that say when to retry, and when the result counts."""

    model_config = ConfigDict(defer_build=True)

    within: Within = 0.0
    every: Every = 1.0
    consecutive: int = Field(
        1, ge=1, le=_MOST, description="Number of consecutive attempts that must pass."
    )
    stable_for: StableFor = 0.0
    stop_on: Annotated[
        tuple[str, ...],
        BeforeValidator(_stop_on),
        WithJsonSchema({"type": "array", "items": {"anyOf": _STATUS_OR_CODE}}),
    ] = Field(
        (),
        description="Stop retrying when a finding that is not satisfied has one of "
        "these HTTP statuses, such as 501 or 4xx, or codes.",
    )
    repeat: Repeat | None = Field(
        None,
        description="Make a fixed number of attempts, of which some may fail.",
    )

    @model_validator(mode="after")
    def _retry_options_fit(self) -> Self:
        until = {"within", "consecutive", "stable_for"} & self.model_fields_set
        if self.repeat and until:
            raise InvalidValue(
                "repeat makes a fixed number of attempts: leave out "
                f"{' and '.join(sorted(until))}",
                code=Code.OPTION_TOGETHER,
            )
        if self.within and self.stable_for >= self.within and not self.repeat:
            raise InvalidValue(
                "stable_for does not fit into within: make within longer",
                code=Code.OPTION_RETRY,
            )
        return self

    @property
    def retry_policy(self) -> RetryPolicy:
        """When to retry, and when the result counts."""
        return RetryPolicy(
            **{each.name: getattr(self, each.name) for each in fields(RetryPolicy)}
        )


class Validator(RetryOptions, ABC):
    """Checks one thing; its pydantic fields are its options.

    A subclass named ``TargetHealth`` in ``validators/target_health.py`` is used in a
    plan as ``use: target_health``. The fields below are the options of every
    validator; the engine retries ``check`` as they specify.
    """

    # Built when options are first read: what no plan uses costs a cold start nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    #: Whether it uses the test listener, which reaches green only from
    #: AfterAllowTestTraffic on.
    asks_listener: ClassVar[bool] = False
    #: Whether it needs AWS, so that ``hookgate run`` alone cannot use it.
    needs_aws: ClassVar[bool] = False
    #: Whether only ``hookgate run`` may use it: a deployed plan with it is refused.
    only_run: ClassVar[bool] = False
    #: The IAM actions of its calls to AWS, such as ``cloudwatch:GetMetricData``. The
    #: role of the hooks must allow them; ``hookgate.testing`` refuses other calls.
    permissions: ClassVar[tuple[str, ...]] = ()
    #: Modules it needs that only the second layer holds, such as ``grpc``. Without
    #: them its options are refused; so it imports them no earlier than in ``check``.
    second_layer: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _installed(cls, options: Any) -> Any:
        demand(f"the validator {cls.__name__}", *cls.second_layer)
        return options

    @abstractmethod
    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Run once, and yield at least one finding.

        Raises:
            CannotMeasure: the check could not run.
            Inconclusive: it ran, but measured not enough to decide.
            NoData: it ran, and there was nothing to measure.
            NoAnswer: the target did not respond.
        """
        ...

    def worst_case(self) -> float:
        """The maximum time of one ``check``, in seconds."""
        return 30.0
