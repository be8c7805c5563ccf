"""The base class of validators, and the tools that a check works with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.deferred import demand
from hookgate.errors import CannotMeasure
from hookgate.http.request import HttpClient
from hookgate.model import Finding
from hookgate.retry import (
    Consecutive,
    Every,
    Repeat,
    RetryPolicy,
    StableFor,
    StopOn,
    Within,
)

if TYPE_CHECKING:
    from hookgate.http.connection import Destination
    from hookgate.traffic.options import Load
    from hookgate.traffic.results import LoadResult, StopCondition


class Aws(Protocol):
    """Read-only calls to AWS."""

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation by boto3's name and return its answer, all pages of it.

        Raises:
            AccessDenied: names the missing permission and the resource.
            CannotMeasure: AWS refused or did not answer.
        """
        ...


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


class Validator(BaseModel, ABC):
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

    within: Within = 0.0
    every: Every = 1.0
    consecutive: Consecutive = 1
    stable_for: StableFor = 0.0
    stop_on: StopOn = ()
    repeat: Repeat | None = Field(
        None,
        description="Make a fixed number of attempts, of which some may fail.",
    )

    @model_validator(mode="before")
    @classmethod
    def _installed(cls, options: Any) -> Any:
        demand(f"the validator {cls.__name__}", *cls.second_layer)
        return options

    @model_validator(mode="after")
    def _retry_options_fit(self) -> Validator:
        self.retry_policy.check(self.model_fields_set)
        return self

    @property
    def retry_policy(self) -> RetryPolicy:
        """When to retry, and when the result counts."""
        return RetryPolicy(
            within=self.within,
            every=self.every,
            consecutive=self.consecutive,
            stable_for=self.stable_for,
            stop_on=self.stop_on,
            repeat=self.repeat,
        )

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
