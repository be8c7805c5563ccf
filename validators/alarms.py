"""``use: alarms``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import DeploymentContext, Finding, NoData, Tools, Validator, known
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.validator import Every

_Alarm = Mapping[str, Any]

#: One call to AWS with its retries, in seconds.
_CALL = 10.0
_NO_DATA = "INSUFFICIENT_DATA"


class Alarms(Validator):
    """Do the service's alarms exist, and is none of them in ALARM?

    If an alarm is in INSUFFICIENT_DATA, the step is inconclusive, unless it has
    ``on_no_data: pass``. CodeDeploy itself stops a deployment only for an alarm in
    ALARM, not for one without data:
    docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html

    Example:
        - use: alarms
          with:
            names: [shop-5xx, shop-slow]
            stable_for: 1m
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "cloudwatch:DescribeAlarms",
        "codedeploy:GetDeploymentGroup",
    )

    names: tuple[str, ...] = Field(
        (), max_length=100, description="Names of alarms; each must exist."
    )
    prefix: str = Field(
        "",
        description="Check all alarms whose names begin with this; at least one "
        "must exist.",
    )
    deployment_group: bool = Field(
        default=False,
        description="Also check the deployment group's alarms; the group must "
        "have at least one, and its alarm configuration must be "
        "enabled.",
    )
    no_match: Literal["fail", "pass"] = Field(
        "fail",
        description="The result if an alarm does not exist or no name begins "
        "with the prefix; with pass, the verdict lists a waiver.",
    )
    every: Every = 10.0

    @model_validator(mode="after")
    def _selects_alarms(self) -> Alarms:
        if not (self.names or self.prefix or self.deployment_group):
            raise InvalidValue(
                "give names, prefix or deployment_group: true", code=Code.OPTION_ONE_OF
            )
        return self

    def worst_case(self) -> float:
        """The deployment group, and alarms by name and by prefix."""
        return 3 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Read the states of the alarms."""
        names = set(self.names)
        if self.deployment_group:
            own, enabled = _of_group(context, tools)
            names.update(own)
            off = "" if enabled or not own else ", but they are off (enabled: false)"
            yield Finding(
                ok=bool(own) and enabled,
                summary=f"alarms of the deployment group: {', '.join(own) or 'none'}"
                + off,
                evidence={"alarms": own, "enabled": enabled},
                code=Code.ALARM_GROUP,
            )
        found = _described(tools, AlarmNames=sorted(names)) if names else {}
        for name in sorted(names - found.keys()):
            yield self._missing(f"there is no alarm {name}")
        if self.prefix:
            matching = _described(tools, AlarmNamePrefix=self.prefix)
            if not matching:
                what = f"there is no alarm whose name begins with {self.prefix}"
                yield self._missing(what)
            found |= matching
        without_data = []
        for name, alarm in sorted(found.items()):
            yield _state(name, alarm)
            if alarm["StateValue"] == _NO_DATA:
                without_data.append(f"{name}: {alarm.get('StateReason') or _NO_DATA}")
        if without_data:
            raise NoData(f"alarms without data: {'; '.join(without_data)}")

    def _missing(self, what: str) -> Finding:
        passes = self.no_match == "pass"
        waiver = f"no_match: pass, {what}" if passes else ""
        return Finding(ok=passes, summary=what, waiver=waiver, code=Code.ALARM_MISSING)


def _state(name: str, alarm: _Alarm) -> Finding:
    state, reason = alarm["StateValue"], alarm.get("StateReason", "")
    return Finding(
        ok=state in {"OK", _NO_DATA},
        summary=f"alarm {name} is {state}" + (f" ({reason})" if state != "OK" else ""),
        evidence={
            "alarm": name,
            "state": state,
            "since": str(alarm.get("StateUpdatedTimestamp", "")),
        },
        code=Code.ALARM_STATE,
    )


def _described(tools: Tools, **which: Any) -> dict[str, _Alarm]:
    types = ["MetricAlarm", "CompositeAlarm"]
    answer = tools.aws("cloudwatch", "describe_alarms", AlarmTypes=types, **which)
    alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    return {each["AlarmName"]: each for each in alarms}


def _of_group(context: DeploymentContext, tools: Tools) -> tuple[list[str], bool]:
    """The names of the deployment group's alarms, and whether they are enabled."""
    deployment = known(context.deployment, "the deployment")
    answer = tools.aws(
        "codedeploy",
        "get_deployment_group",
        applicationName=deployment.application,
        deploymentGroupName=deployment.group,
    )
    config = answer["deploymentGroupInfo"].get("alarmConfiguration", {})
    names = [each["name"] for each in config.get("alarms", ())]
    return names, bool(config.get("enabled"))
