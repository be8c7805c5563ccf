"""A stage that stands: built from a scenario, for other people's clients to drive."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.building.kept_plan import plan_events
from rehearsal.building.load_balancer import LoadBalancer
from rehearsal.building.setting import build
from rehearsal.first_version import wait_for_first_version
from rehearsal.hooks import appspec
from rehearsal.rehearse import Rehearsal, register, revision
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A stage with everything on it.

    ``revisions`` is what CreateDeployment takes for each deployment of the scenario,
    by the deployment's name.
    """

    stage: Stage
    balancer: LoadBalancer
    scenario: Scenario
    revisions: Mapping[str, Mapping[str, Any]]

    def told(self) -> str:
        """Where everything is and what to type, as lines for a person to copy."""
        test, host = self.balancer.test, self.stage.settings.host
        lines = [
            f"# production  {self.balancer.production.url(host)}",
            f"# test        {test.url(host) if test else 'no listener'}",
            "",
            *exports(self.stage),
        ]
        for name, each in self.revisions.items():
            lines += ["", f"# deploy {name}", self._create_deployment(each)]
        follow = 'aws deploy {} --deployment-id "$id"'
        return "\n".join(
            [
                *lines,
                "",
                "# follow it",
                follow.format("wait deployment-successful"),
                follow.format("get-deployment"),
            ]
        )

    def _create_deployment(self, revision: Mapping[str, Any]) -> str:
        group = self.scenario.content.deployment_group
        command = shlex.join(
            [
                *("aws", "deploy", "create-deployment"),
                *("--application-name", group.application),
                *("--deployment-group-name", group.name),
                *("--revision", json.dumps(revision)),
                *("--query", "deploymentId", "--output", "text"),
            ]
        )
        return f"id=$({command}); echo $id"


def exports(stage: Stage) -> tuple[str, ...]:
    """What leads any AWS client to the stage, as lines of a shell."""
    return (
        f"export AWS_ENDPOINT_URL={stage.endpoint_url}",
        f"export AWS_DEFAULT_REGION={stage.settings.region}",
        "export AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal",
    )


def told_empty(stage: Stage) -> str:
    """What an empty stage has, and how to reach it, as lines for a person to copy."""
    return "\n".join(
        (
            "# nothing is built yet; what you create may use",
            *(f"#   image     {name}" for name in sorted(stage.images)),
            *(f"#   function  {each.name}" for each in stage.functions),
            "",
            *exports(stage),
        )
    )


@contextmanager
def stand(rehearsal: Rehearsal) -> Iterator[Standing]:
    """Set a rehearsal's stage up, without playing it.

    Raises:
        PlanError: the plan is wrong.
        RehearsalError: the first version never became healthy.
        OSError: the endpoint's port is taken.
    """
    scenario = rehearsal.scenario
    events = plan_events(scenario)
    with rehearsal.stage() as stage:
        balancer = build(stage, scenario)
        wait_for_first_version(stage, scenario)
        definitions = {
            each.name: register(stage, scenario, each)
            for each in scenario.content.deployments
        }
        yield Standing(
            stage=stage,
            balancer=balancer,
            scenario=scenario,
            revisions={
                name: revision(appspec(scenario, definition, events))
                for name, definition in definitions.items()
            },
        )
