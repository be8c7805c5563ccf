"""CodeDeploy whole, API and engine, over a cloud in memory and on a wound clock."""

from __future__ import annotations

import json
from typing import Any

from hookgate_rehearsal.codedeploy.api.context import CodeDeployContext
from hookgate_rehearsal.codedeploy.aws import AwsExecutor
from hookgate_rehearsal.codedeploy.codedeploy import codedeploy_service
from hookgate_rehearsal.codedeploy.engine import Engine
from hookgate_rehearsal.codedeploy.model.deployment import Deployment
from hookgate_rehearsal.codedeploy.registry import Registry
from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.endpoint.protocols import JsonService
from support.deployment_watch import Watch
from support.virtual_cloud import BLUE, GREEN, PRODUCTION, TEST, Agenda, Cloud
from support.virtual_world import WoundClock

GROUP = {"applicationName": "shop", "deploymentGroupName": "live"}
TARGET = "main:shop"
MOST_TURNS = 20_000


class VirtualCodeDeploy:
    """Answers as an emulator's endpoint does; nothing happens until it is turned.

    Args:
        settings: The engine's.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.clock = WoundClock()
        self.agenda = Agenda(self.clock)
        self.cloud = Cloud(self.agenda, report=self.report)
        assumed = settings.assumptions
        self.watch = Watch(self.cloud, assumed.rollback_from_before_install)
        self.cloud.on_change = self.watch.on_cloud
        self.cloud.on_invoke = self.watch.on_invoke
        world = AwsExecutor(
            ecs=self.cloud,
            elbv2=self.cloud,
            functions=self.cloud,
            cloudwatch=self.cloud,
            assumptions=assumed,
        )
        ids = (f"d-{number:09d}" for number in range(1_000_000))
        self.engine = Engine(
            world.carry_out,
            self.clock,
            settings,
            self.watch.on_change,
            ids.__next__,
        )
        self._service: JsonService = codedeploy_service(
            CodeDeployContext(
                engine=self.engine,
                registry=Registry(),
                read_object=lambda _bucket, _key, _version: b"",
                region="us-east-1",
                account="123456789012",
            )
        )

    def call(self, operation: str, **request: Any) -> tuple[str, dict[str, Any]]:
        """Call the API.

        Returns:
            The modelled error's name, or nothing, and the answer.

        Raises:
            AssertionError: The answer does not fit the model, or the emulator broke.
        """
        reply = self._service.answer(operation, json.dumps(request).encode())
        content = json.loads(reply.body)
        assert reply.status in {200, 400}, f"{operation}: {content}"
        return content.get("__type", ""), content

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call what must not be refused."""
        error, content = self.call(operation, **request)
        assert not error, f"{operation}: {content}"
        return content

    def report(self, deployment: str, execution: str, status: str) -> str:
        """Report as a hook's function does; the error's name, or nothing."""
        return self.call(
            "PutLifecycleEventHookExecutionStatus",
            deploymentId=deployment,
            lifecycleEventHookExecutionId=execution,
            status=status,
        )[0]

    def deployment(self, deployment_id: str) -> Deployment:
        """A deployment as it stands."""
        found = self.engine.get(deployment_id)
        assert found is not None
        return found

    def turn(self) -> bool:
        """Do one thing that is due; whether anything was."""
        if self.agenda.run_due():
            return True
        engine = self.engine
        return any(
            engine.turn(each.id)
            for each in engine.deployments()
            if not engine.is_idle(each.id)
        )

    def settle(self) -> None:
        """Do all that is due now."""
        for _ in range(MOST_TURNS):
            if not self.turn():
                return
        raise AssertionError("there is no end to what is due at one moment")

    def wind(self, seconds: float) -> None:
        """Let time pass, with all that happens in it."""
        until = self.clock.time + seconds
        self.settle()
        while (wakes_at := self.wakes_at()) is not None and wakes_at <= until:
            self.clock.time = max(self.clock.time, wakes_at)
            self.settle()
        self.clock.time = until

    def wakes_at(self) -> float | None:
        """When something will happen by itself."""
        waits = [
            self.engine.seconds_to_wake(each.id) for each in self.engine.deployments()
        ]
        times = [self.clock.time + wait for wait in waits if wait is not None]
        if self.agenda.next_at is not None:
            times.append(self.agenda.next_at)
        return min(times, default=None)


def app_spec(version: str, hooks: dict[str, str]) -> str:
    """An AppSpec as a client sends it."""
    properties = {
        "TaskDefinition": version,
        "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80},
    }
    target = {"Type": "AWS::ECS::Service", "Properties": properties}
    return json.dumps(
        {
            "version": 0.0,
            "Resources": [{"TargetService": target}],
            "Hooks": [{event: function} for event, function in hooks.items()],
        }
    )


def group_settings(
    *,
    tests: bool,
    waits: dict[str, Any],
    rolls_back_on: list[str],
    alarms: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A deployment group's settings, as CreateDeploymentGroup takes them."""
    pair: dict[str, Any] = {
        "targetGroups": [{"name": BLUE}, {"name": GREEN}],
        "prodTrafficRoute": {"listenerArns": [PRODUCTION]},
    }
    if tests:
        pair["testTrafficRoute"] = {"listenerArns": [TEST]}
    return {
        "serviceRoleArn": "arn:aws:iam::123456789012:role/CodeDeploy",
        "deploymentStyle": {
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        "ecsServices": [{"clusterName": "main", "serviceName": "shop"}],
        "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
        "blueGreenDeploymentConfiguration": waits,
        "alarmConfiguration": alarms or {"enabled": False},
        "autoRollbackConfiguration": {
            "enabled": bool(rolls_back_on),
            "events": rolls_back_on,
        },
    }
