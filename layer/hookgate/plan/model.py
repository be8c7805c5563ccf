"""A plan that has been read: which steps run at which lifecycle event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate.codes import Code
from hookgate.errors import CannotMeasure, Place, PlanError, PlanOrigin, Problem
from hookgate.files import FILLED
from hookgate.model import LifecycleEvent
from hookgate.plan import schema
from hookgate.plan.files import StepFiles
from hookgate.plan.options import filled
from hookgate.plan.placeholders import holds as holds_placeholder
from hookgate.plan.placeholders import substituted, texts
from hookgate.validator import Validator

Substitute = Callable[[str], str]

#: Names of steps that a warning lists.
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The response header that proves that green gave the response."""

    header: str
    equals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of the steps' requests; texts contain placeholders until ``build``.

    ``allow`` lists addresses beside the load balancer's that steps may connect to.
    """

    host: str | None = None
    identity: Identity | None = None
    allow: tuple[str, ...] = ()

    @property
    def expected(self) -> tuple[str, str] | None:
        """The header and the value that identify the replacement task set."""
        return (self.identity.header, self.identity.equals) if self.identity else None

    def build(self, substitute: Substitute) -> Target:
        """Return this target with the values of the deployment.

        Args:
            substitute: replaces placeholders by values, such as
                ``Variables.substitute``.

        Raises:
            CannotMeasure: a value is not known, empty, or not a host name.
        """
        identity = self.identity and Identity(
            header=self.identity.header, equals=substitute(self.identity.equals)
        )
        if identity and not identity.equals:
            what = "target.identity.equals is empty once it is filled in"
            raise CannotMeasure(what, code=Code.PLACEHOLDER_VALUE)
        return Target(
            host=self.host and _host(substitute(self.host)),
            identity=identity,
            allow=self.allow,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One use of a validator.

    ``timeout`` is in seconds. ``validator`` was built when the plan was read, with
    placeholders in place: run what ``build`` returns.
    """

    name: str
    use: str
    validator: Validator
    needs: tuple[str, ...] = ()
    blocking: bool = True
    timeout: float
    on_no_data: str = "fail"
    on_inconclusive: str = "fail"
    on_error: str = "fail"
    place: Place
    options: Mapping[str, Any] = field(default_factory=dict)
    files: StepFiles | None = None

    def build(self, substitute: Substitute) -> Validator:
        """Return the validator with the values of the deployment in its options.

        Args:
            substitute: replaces placeholders by values, such as
                ``Variables.substitute``.

        Raises:
            CannotMeasure: a value is not known.
            PlanError: with these values the options are not valid.
        """
        written = [text for _, text in texts(dict(self.options))]
        written.extend(self.files.texts() if self.files else ())
        if not any(map(holds_placeholder, written)):
            return self.validator
        options = substituted(dict(self.options), substitute)
        reading = self.files.fill(substitute).reading if self.files else FILLED
        return filled(type(self.validator), options, written, self.place, reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of each lifecycle event, and how many run at the same time.

    ``waivers`` lists why this plan checks less than the deployment's own would.
    """

    origin: PlanOrigin
    target: Target
    events: Mapping[LifecycleEvent, tuple[Step, ...]]
    concurrency: int = 8
    waivers: tuple[str, ...] = ()

    def steps(self, event: LifecycleEvent) -> tuple[Step, ...]:
        """The steps of a lifecycle event, at least one.

        Raises:
            PlanError: the plan has no steps for it.
        """
        steps = self.events.get(event, ())
        if not steps:
            what = (
                f"the plan has no steps for {event}, so the hook reports Failed; add "
                "steps, or remove the hook from the AppSpec"
            )
            raise PlanError(
                Problem(Place(self.origin.source), Code.PLAN_NO_STEPS, what)
            )
        return steps

    def warnings(self) -> tuple[Problem, ...]:
        """Warnings about a valid plan, each with its place."""
        return (*self._never_pass(), *self._without_identity())

    def _without_identity(self) -> tuple[Problem, ...]:
        asking = [
            step
            for steps in self.events.values()
            for step in steps
            if step.validator.asks_listener
        ]
        if self.target.identity or not asking:
            return ()
        names = ", ".join(repr(step.name) for step in asking[:_MOST_NAMES])
        rest = len(asking) - _MOST_NAMES
        what = (
            "without target.identity these steps cannot check which version responded: "
            f"{names}{f' and {rest} more' if rest > 0 else ''}; add target.identity"
        )
        return (Problem(asking[0].place, Code.PLAN_NO_IDENTITY, what),)

    def _never_pass(self) -> tuple[Problem, ...]:
        return tuple(
            Problem(
                steps[0].place,
                Code.PLAN_NEVER_PASSES,
                (
                    f"every step of {event} is blocking: false, so the hook can never "
                    "succeed; make at least one step blocking"
                ),
            )
            for event, steps in self.events.items()
            if steps and not any(step.blocking for step in steps)
        )


def _host(host: str) -> str:
    try:
        return schema.host(host)
    except ValueError as error:
        what = f"target.host is {host[:64]!r}: {error}"
        raise CannotMeasure(what, code=Code.PLAN_HOST) from None
