"""Set up what the engine works with, from a plan and a context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import Bench
from hookgate.http_probe import HttpProbe, NoListenerProbe
from hookgate.http_probe.address import AddressPolicy
from hookgate.model import LifecycleEvent, Outcome
from hookgate.plan import Plan, Step, Target, Variables
from hookgate.probe import Probe
from hookgate.proof import Proof, Watched
from hookgate.redaction import Secrets
from hookgate.routing.reach import Reach
from hookgate.traffic.lazy import LazyTraffic
from hookgate.validator import Aws, Log, Tools


def make_bench(  # noqa: PLR0913 - the one place where everything meets
    plan: Plan,
    context: DeploymentContext,
    *,
    secrets: Secrets,
    aws: Aws,
    policy: AddressPolicy,
    log: Callable[[str], Log],
    announce: Callable[[Outcome], None],
    begin: Callable[[Step], None],
    given: Mapping[str, str] = MappingProxyType({}),
) -> Bench:
    """Put a bench together.

    Args:
        plan: says which host to name and how green proves itself.
        context: says where the listeners are.
        secrets: what ``${secret.NAME}`` reveals, and masks again.
        aws: calls for validators that ask AWS.
        policy: which addresses may be connected to.
        log: makes the log of a step from its name.
        announce: is told each outcome as it comes.
        begin: is told each step as it starts.
        given: values of placeholders that the context does not tell.

    Raises:
        CannotMeasure: the plan's target names something that is not known.
    """
    substitute = Variables(context, secrets.reveal, given).substitute
    target = plan.target.build(substitute)
    identity = target.identity
    value = identity.equals if identity else None
    proof = Proof(plan.target.identity, value, context, aws, secrets)
    return Bench(
        context=context,
        tools=_Toolmaker(
            context=context,
            target=target,
            proof=proof,
            aws=aws,
            policy=policy,
            log=log,
        ).tools,
        substitute=substitute,
        secrets=secrets,
        proven=identity is not None,
        doubts=proof.doubts,
        announce=announce,
        begin=begin,
        plan=plan.origin,
        waivers=plan.waivers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Toolmaker:
    """Makes each step's tools; ``target`` has no placeholders any more."""

    context: DeploymentContext
    target: Target
    proof: Proof
    aws: Aws
    policy: AddressPolicy
    log: Callable[[str], Log]

    def tools(self, step: Step, deadline: Deadline) -> Tools:
        """The tools of one step, bounded by its deadline."""
        context = self.context
        closed = {"test": _no_test(context), "production": _no_production(context)}
        return Tools(
            http=self._probe(context.test, closed["test"], deadline),
            production=self._probe(context.production, closed["production"], deadline),
            connect=Reach(
                context=context,
                closed=closed,
                host=self.target.host,
                identity=self._expected,
                allow=self.target.allow,
                aws=self.aws,
                deadline=deadline,
                policy=self.policy,
                examine=self.proof.examine,
            ),
            aws=self.aws,
            deadline=deadline,
            log=self.log(step.name),
            traffic=LazyTraffic(
                context=context,
                no_test=closed["test"],
                host=self.target.host,
                identity=self._expected,
                examine=self.proof.examine,
                deadline=deadline,
                policy=self.policy,
            ),
        )

    @property
    def _expected(self) -> tuple[str, str] | None:
        """The header and the value that only the replacement task set gives it."""
        identity = self.target.identity
        return (identity.header, identity.equals) if identity else None

    def _probe(
        self, endpoint: Endpoint | None, why_not: str, deadline: Deadline
    ) -> Probe:
        if endpoint is None or why_not:
            return NoListenerProbe(why_not)
        asks = HttpProbe(
            endpoint,
            host=self.target.host,
            identity=self._expected,
            deadline=deadline,
            policy=self.policy,
        )
        return Watched(asks, self.proof)


def _no_test(context: DeploymentContext) -> str:
    """Why the test listener cannot be asked about the replacement, or nothing."""
    event = context.event
    if context.test is None:
        missing = "the deployment group has no test listener"
        if event is LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC:
            return (
                f"{missing}; take the AfterAllowTestTraffic hook out of the AppSpec or "
                "write a plan without steps that ask it"
            )
        return missing
    if event.test_listener_serves_green:
        return ""
    return f"the test listener serves the original task set at {event}"


def _no_production(context: DeploymentContext) -> str:
    """Why the production listener cannot be asked about the replacement, or nothing."""
    if context.production is None:
        return "the deployment group has no production listener"
    if context.event.production_listener_serves_green:
        return ""
    return (
        f"the production listener serves the original task set at {context.event}; "
        "ask it at AfterAllowTraffic"
    )
