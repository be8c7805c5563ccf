"""A stage that stands: built from a scenario, for other people's clients to drive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.building import Built, build, register_task_definition
from rehearsal.rehearse import Rehearsal, plan_events
from rehearsal.scenario import Scenario
from rehearsal.shipped_hooks import appspec
from rehearsal.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A stage with everything on it, and what to say to drive it.

    ``revisions`` is a file of create-deployment's input for each deployment of the
    scenario, by the deployment's name.
    """

    stage: Stage
    built: Built
    scenario: Scenario
    revisions: dict[str, str]

    def told(self) -> str:
        """Where everything is, as lines for a person to copy."""
        group = self.scenario.content.deployment_group
        test = self.built.test_port
        lines = [
            f"production  http://127.0.0.1:{self.built.production_port}",
            f"test        http://127.0.0.1:{test}" if test else "no test listener",
            "",
            f"export AWS_ENDPOINT_URL={self.stage.endpoint_url}",
            f"export AWS_DEFAULT_REGION={self.stage.settings.region}",
            "export AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal",
        ]
        for name, revision in self.revisions.items():
            lines += [
                "",
                f"# {name}",
                f"aws deploy create-deployment --application-name {group.application} "
                f"--deployment-group-name {group.name} --revision '{revision}'",
            ]
        return "\n".join([*lines, "", "Ctrl-C ends the stage."])


@contextmanager
def stand(rehearsal: Rehearsal) -> Iterator[Standing]:
    """Set a rehearsal's stage up, without playing it.

    Raises:
        PlanError: the plan is wrong.
        RehearsalError: the first version never became healthy.
    """
    scenario = rehearsal.scenario
    events = plan_events(scenario)
    with rehearsal.stage() as stage:
        built = build(stage, scenario)
        rehearsal.wait_for_start(stage)
        revisions = {
            each.name: _revision(
                scenario, register_task_definition(stage, scenario, each.image), events
            )
            for each in scenario.content.deployments
        }
        yield Standing(stage=stage, built=built, scenario=scenario, revisions=revisions)


def _revision(scenario: Scenario, definition: str, events: tuple[str, ...]) -> str:
    spec = json.dumps(appspec(scenario, definition, events))
    content = {"content": spec}
    return json.dumps({"revisionType": "AppSpecContent", "appSpecContent": content})
