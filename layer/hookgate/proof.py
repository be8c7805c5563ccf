"""Whether an answer can show that the replacement task set gave it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from hookgate.aws.task_definition import fetch_task_definition
from hookgate.context import DeploymentContext
from hookgate.engine.optouts import CONSTANT, NOT_PROVEN
from hookgate.errors import CannotMeasure
from hookgate.plan import Identity, Variables
from hookgate.plan.placeholders import names
from hookgate.probe import Probe, Reply, Request
from hookgate.redaction import Secrets
from hookgate.validator import Aws


@dataclass(frozen=True, slots=True)
class Watched:
    """A probe that has its proof looked at when it is first used."""

    probe: Probe
    proof: Proof

    def __call__(self, request: Request) -> Reply:
        """Send one request."""
        self.proof.examine()
        return self.probe(request)


@dataclass(slots=True)
class Proof:
    """Whether an answer can show that the replacement task set gave it.

    Args:
        identity: what the plan says, with its placeholders; None for no proof at all.
        value: what ``identity`` comes to in this deployment.
        context: both sides.
        aws: asked for the original's task definition, when that is needed.
        secrets: what ``${secret.NAME}`` reveals.
    """

    identity: Identity | None
    value: str | None
    context: DeploymentContext
    aws: Aws
    secrets: Secrets
    _doubts: tuple[str, ...] = ()
    _begun: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def doubts(self) -> tuple[str, ...]:
        """Why answers that were asked for prove nothing."""
        return self._doubts

    def examine(self) -> None:
        """Look for doubts once, in the time of the step that asks first."""
        with self._lock:
            begun, self._begun = self._begun, True
        if begun:
            return
        if self.identity is None:
            self._doubts = (NOT_PROVEN,)
            return
        used = tuple(dict.fromkeys(names(self.identity.equals)))
        own = [f"${{{each}}}" for each in used if each.startswith("green.")]
        # No other deployment has this one's id.
        if "deployment.id" in used:
            return
        if not own:
            self._doubts = (CONSTANT,)
            return
        self._compare(self.identity, " and ".join(own))

    def _compare(self, identity: Identity, said: str) -> None:
        original = self.context.blue and self.context.blue.task_set
        if not original:
            return
        unknown = f"whether the original task set has the same {said} is not known"
        self._doubts = (unknown,)
        try:
            theirs = fetch_task_definition(self.aws, original.task_definition_arn)
        except CannotMeasure as error:
            self._doubts = (f"{unknown}: {error}",)
            return
        as_green = replace(
            self.context, green=self.context.blue, task_definition=theirs
        )
        same = f"the original task set has the same {said}, so the identity does not "
        if as_green.green_container is None:
            self._doubts = (f"{unknown}: its containers have other names",)
            return
        told = Variables(as_green, self.secrets.reveal)
        try:
            alike = told.substitute(identity.equals) == self.value
        except CannotMeasure:
            alike = False  # The original has no such value at all.
        self._doubts = (f"{same}tell them apart",) if alike else ()
