"""Test a validator in one line: no AWS, no network, no waiting.

::

    from hookgate.testing import a_reply, check

    def test_a_page_that_recovers_passes():
        findings = check(Http(within=60), replies=[503, a_reply(body="hello")])
        assert all(finding.ok for finding in findings)

Time is virtual: waiting takes no time. A request or call without a scripted response
raises ``CannotMeasure``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.http.request import Request
from hookgate.model import Finding
from hookgate.retry import Attempt, eventually
from hookgate.testing.doubles import (
    Scripted,
    ScriptedAws,
    ScriptedClient,
    ScriptedTraffic,
    VirtualClock,
    leads_nowhere,
    leads_to,
    quiet_log,
)
from hookgate.testing.samples import a_context, a_file, a_reply, a_side, an_endpoint
from hookgate.validator import Connect, Tools, Validator

__all__ = [
    "Scripted",
    "ScriptedAws",
    "ScriptedClient",
    "ScriptedTraffic",
    "VirtualClock",
    "a_context",
    "a_file",
    "a_reply",
    "a_side",
    "an_endpoint",
    "check",
    "leads_nowhere",
    "leads_to",
    "quiet_log",
]


def check(  # noqa: PLR0913 - each is one tool of the validator
    validator: Validator,
    *,
    replies: Sequence[Scripted] = (),
    app: Callable[[Request], Scripted] | None = None,
    production: Sequence[Scripted] = (),
    aws: Mapping[str, Any] | None = None,
    context: DeploymentContext | None = None,
    connect: Connect | None = None,
    seconds: float = 3600,
    late: float = 0.0,
) -> list[Finding]:
    """Run a validator with scripted responses, and return its findings.

    Args:
        validator: The validator with its options.
        replies: The responses of the test listener, in turn.
        app: Makes the response of each request to the test listener instead.
        production: The responses of the production listener, in turn.
        aws: The responses of AWS by ``service.operation``.
        context: The deployment; ``a_context()`` if not given.
        connect: Connects to real servers, such as ``leads_to(port)``.
        seconds: The time that the validator has, on a virtual clock.
        late: By how many seconds a load is late with each of its requests.
    """
    clock = VirtualClock()
    test, original = (
        ScriptedClient(clock, replies, app),
        ScriptedClient(clock, production),
    )
    tools = Tools(
        http=test,
        production=original,
        connect=connect or leads_nowhere,
        aws=ScriptedAws(aws or {}, type(validator).permissions),
        deadline=Deadline.after(seconds, clock),
        log=quiet_log(),
        traffic=ScriptedTraffic(test=test, production=original, late=late),
    )

    def ask() -> Attempt:
        found = validator.check(context or a_context(), tools)
        return Attempt(findings=tuple(found))

    if validator.retry_policy.once:
        return list(ask().findings)
    return list(eventually(ask, validator.retry_policy, tools.deadline).findings)
