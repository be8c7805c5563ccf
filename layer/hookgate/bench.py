"""Set up what the engine works with, from a plan and a context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import Bench
from hookgate.http_probe import HttpProbe, NoListenerProbe
from hookgate.model import Outcome
from hookgate.plan import Plan, Step, Variables
from hookgate.probe import Probe
from hookgate.redaction import Secrets
from hookgate.validator import Aws, Log, Tools


def make_bench(  # noqa: PLR0913 - the one place where everything meets
    plan: Plan,
    context: DeploymentContext,
    *,
    secrets: Secrets,
    aws: Aws,
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
    proof = (identity.header, identity.equals) if identity else None

    def probe(endpoint: Endpoint | None, what: str, deadline: Deadline) -> Probe:
        if endpoint is None:
            return NoListenerProbe(f"the deployment group has no {what} listener")
        return HttpProbe(endpoint, host=target.host, identity=proof, deadline=deadline)

    def tools(step: Step, deadline: Deadline) -> Tools:
        return Tools(
            http=probe(context.test, "test", deadline),
            production=probe(context.production, "production", deadline),
            aws=aws,
            deadline=deadline,
            log=log(step.name),
        )

    return Bench(
        context=context,
        tools=tools,
        substitute=substitute,
        secrets=secrets,
        proven=proof is not None,
        announce=announce,
        begin=begin,
    )
