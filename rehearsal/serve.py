"""Prepare an emulator from a scenario, for any AWS client to deploy to."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.building import (
    CreatedLoadBalancer,
    plan_events,
    set_up,
    wait_for_first_version,
)
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.access import SECRET_ACCESS_KEY
from hookgate_rehearsal.hooks import appspec
from hookgate_rehearsal.rehearse import Rehearsal, register, revision
from hookgate_rehearsal.scenario.reader import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEmulator:
    """An emulator with a scenario's resources.

    ``revisions`` are the revisions for CreateDeployment, by the deployment's name.
    """

    emulator: Emulator
    balancer: CreatedLoadBalancer
    scenario: Scenario
    revisions: Mapping[str, Mapping[str, Any]]

    def instructions(self) -> str:
        """The addresses, and the commands to deploy, as text to copy into a shell."""
        test, host = self.balancer.test, self.emulator.settings.host
        deployments = "".join(
            f"\n# deploy {name}\n{self._create_deployment(revision)}\n"
            for name, revision in self.revisions.items()
        )
        return (
            f"# production  {self.balancer.production.url(host)}\n"
            f"# test        {test.url(host) if test else 'no listener'}\n\n"
            f"{_exports(self.emulator)}\n"
            f"{deployments}\n"
            "# follow it\n"
            'aws deploy wait deployment-successful --deployment-id "$id"\n'
            'aws deploy get-deployment --deployment-id "$id"'
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


def empty_instructions(emulator: Emulator) -> str:
    """What an emulator without resources offers, as text to copy into a shell."""
    return "\n".join(
        (
            "# no resources yet; those you create may use",
            *(f"#   image     {name}" for name in sorted(emulator.images)),
            *(f"#   function  {each.name}" for each in emulator.functions),
            "",
            _exports(emulator),
        )
    )


def _exports(emulator: Emulator) -> str:
    """The shell commands that connect any AWS client to the emulator."""
    return (
        f"export AWS_ENDPOINT_URL={emulator.endpoint_url}\n"
        f"export AWS_DEFAULT_REGION={emulator.settings.region}\n"
        f"export AWS_REGION={emulator.settings.region}\n"
        f"export AWS_ACCESS_KEY_ID={emulator.settings.key.id}\n"
        f"export AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}"
    )


@contextmanager
def prepare(rehearsal: Rehearsal) -> Iterator[PreparedEmulator]:
    """Start the emulator of a rehearsal and create its resources, but deploy nothing.

    Raises:
        PlanError: the plan is wrong.
        RehearsalError: the first version did not become healthy.
        OSError: the endpoint's port is in use.
    """
    scenario = rehearsal.scenario
    events = plan_events(scenario)
    with rehearsal.emulator() as emulator:
        balancer = set_up(emulator, scenario)
        wait_for_first_version(emulator, scenario)
        yield PreparedEmulator(
            emulator=emulator,
            balancer=balancer,
            scenario=scenario,
            revisions={
                each.name: revision(
                    appspec(scenario, register(emulator, scenario, each), events)
                )
                for each in scenario.content.deployments
            },
        )
