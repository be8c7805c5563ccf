"""Make the run context of the engine from a plan and a deployment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hookgate.aws.discovery import fetch_task_definition
from hookgate.codes import Code
from hookgate.context import Aws, DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import RunContext
from hookgate.engine.scheduler import CONSTANT, NOT_PROVEN
from hookgate.errors import CannotMeasure
from hookgate.http.address import AddressPolicy
from hookgate.http.request import HttpClient, Reply, Request
from hookgate.model import LifecycleEvent, Outcome
from hookgate.plan import Identity, Plan, Step, Variables
from hookgate.plan.placeholders import names
from hookgate.redaction import Secrets
from hookgate.routing import Reach
from hookgate.traffic.tool import TrafficTool
from hookgate.validator import Log, Tools


@dataclass(slots=True)
class Proof:
    """Whether responses can prove that the replacement task set gave them.

    Args:
        identity: the plan's ``target.identity`` with its placeholders, if there is one.
        value: its value in this deployment.
        context: both task sets.
        aws: reads the original's task definition when needed.
        secrets: reads ``${secret.NAME}``.
        doubts: why the responses so far prove nothing.
    """

    identity: Identity | None
    value: str | None
    context: DeploymentContext
    aws: Aws
    secrets: Secrets
    doubts: tuple[str, ...] = ()
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def examine(self) -> None:
        """Look for doubts once, in the first step that sends a request."""
        with self._lock:
            begun, self._begun = self._begun, True
        if begun:
            return
        if self.identity is None:
            self.doubts = (NOT_PROVEN,)
            return
        used = tuple(dict.fromkeys(names(self.identity.equals)))
        own = [f"${{{each}}}" for each in used if each.startswith("green.")]
        # No other deployment has this one's id.
        if "deployment.id" not in used:
            if own:
                self._compare(self.identity, " and ".join(own))
            else:
                self.doubts = (CONSTANT,)

    def _compare(self, identity: Identity, values: str) -> None:
        """Compare the identity with that of the original task set."""
        original = self.context.blue and self.context.blue.task_set
        if not original:
            return
        unknown = f"whether the original task set has the same {values} is not known"
        self.doubts = (unknown,)
        try:
            theirs = fetch_task_definition(self.aws, original.task_definition_arn)
        except CannotMeasure as error:
            self.doubts = (f"{unknown}: {error}",)
            return
        as_green = replace(
            self.context, green=self.context.blue, task_definition=theirs
        )
        if as_green.green_container is None:
            self.doubts = (f"{unknown}: its containers have other names",)
            return
        original_values = Variables(as_green, self.secrets.reveal)
        try:
            alike = original_values.substitute(identity.equals) == self.value
        except CannotMeasure:
            alike = False  # The original has no such value.
        same = (
            f"the original task set has the same {values}, so the identity does not "
            "tell them apart"
        )
        self.doubts = (same,) if alike else ()


def make_run_context(  # noqa: PLR0913 - everything that a step gets
    plan: Plan,
    context: DeploymentContext,
    *,
    secrets: Secrets,
    aws: Aws,
    policy: AddressPolicy,
    log: Callable[[str], Log],
    on_outcome: Callable[[Outcome], None],
    on_start: Callable[[Step], None],
    given: Mapping[str, str] = MappingProxyType({}),
) -> RunContext:
    """Make the run context of a plan and a deployment.

    Args:
        plan: its target names the host and the identity.
        context: the deployment and its listeners.
        secrets: reads ``${secret.NAME}`` and masks its value.
        aws: the AWS calls of validators.
        policy: which addresses may be connected to.
        log: makes the log of a step from its name.
        on_outcome: called with each outcome.
        on_start: called with each step that starts.
        given: values of placeholders that the context does not have.

    Raises:
        CannotMeasure: the plan's target needs a value that is not known.
    """
    substitute = Variables(context, secrets.reveal, given).substitute
    target = plan.target.build(substitute)
    value = target.identity.equals if target.identity else None
    proof = Proof(plan.target.identity, value, context, aws, secrets)
    no_test, no_production = _no_test(context), _no_production(context)

    def client(endpoint: Endpoint | None, why_not: str, by: Deadline) -> HttpClient:
        def send(request: Request) -> Reply:
            if endpoint is None or why_not:
                what = f"{request.method} {request.path}: {why_not}"
                raise CannotMeasure(what, code=Code.HTTP_NO_LISTENER)
            proof.examine()
            from hookgate.http.client import ListenerClient  # noqa: PLC0415 - imports libcurl, which a plan may not use

            listener = ListenerClient(
                endpoint,
                host=target.host,
                identity=target.expected,
                deadline=by,
                policy=policy,
            )
            return listener(request)

        return send

    def tools(step: Step, deadline: Deadline) -> Tools:
        return Tools(
            http=client(context.test, no_test, deadline),
            production=client(context.production, no_production, deadline),
            connect=Reach(
                context=context,
                closed={"test": no_test, "production": no_production},
                host=target.host,
                identity=target.expected,
                allow=target.allow,
                aws=aws,
                deadline=deadline,
                policy=policy,
                examine=proof.examine,
            ),
            aws=aws,
            deadline=deadline,
            log=log(step.name),
            traffic=TrafficTool(
                test=no_test or context.test,
                production=no_baseline(context) or context.production,
                host=target.host,
                identity=target.expected,
                examine=proof.examine,
                deadline=deadline,
                policy=policy,
            ),
        )

    return RunContext(
        context=context,
        tools=tools,
        substitute=substitute,
        secrets=secrets,
        proven=target.identity is not None,
        doubts=lambda: proof.doubts,
        on_outcome=on_outcome,
        on_start=on_start,
        plan=plan.origin,
        waivers=plan.waivers,
    )


def _no_test(context: DeploymentContext) -> str:
    """Why no step may use the test listener; empty if it may."""
    event = context.event
    if context.test is None:
        missing = "the deployment group has no test listener"
        if event is LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC:
            return (
                f"{missing}; take the AfterAllowTestTraffic hook out of the AppSpec or "
                "write a plan without steps that use it"
            )
        return missing
    if event.test_listener_serves_green:
        return ""
    return f"the test listener serves the original task set at {event}"


def _no_production(context: DeploymentContext) -> str:
    """Why no step may use the production listener; empty if it may."""
    if context.production is None:
        return "the deployment group has no production listener"
    if context.event.production_listener_serves_green:
        return ""
    return (
        f"the production listener serves the original task set at {context.event}; "
        "use it at AfterAllowTraffic"
    )


def no_baseline(context: DeploymentContext) -> str:
    """Why the production listener is no baseline; empty if it is one."""
    if context.production is None:
        return "no baseline: the deployment group has no production listener"
    if context.event.production_listener_serves_green:
        return (
            f"no baseline: at {context.event} the production listener serves the "
            "replacement; compare at AfterAllowTestTraffic"
        )
    if context.production == context.test:
        return "no baseline: the production listener is also the test listener"
    return ""
