"""``use: alarms``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import DeploymentContext, Finding, NoData, Tools, Validator, known
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.retry import Every

_Alarm = Mapping[str, Any]

#: One call to AWS with its retries, in seconds.
_CALL = 10.0
#: States that are no alarm; the second is no data either.
_NO_ALARM = {"OK", "INSUFFICIENT_DATA"}
_GROUPS_OWN = "the deployment group's own alarms"


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
    def _asks_something(self) -> Alarms:
        if not (self.names or self.prefix or self.deployment_group):
            raise InvalidValue(
                "give names, prefix or deployment_group: true", code=Code.OPTION_ONE_OF
            )
        return self

    def worst_case(self) -> float:
        """The group's own alarms, and two kinds of them."""
        return 3 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Look at the alarms' states."""
        names = {*self.names}
        if self.deployment_group:
            own = _of_the_group(context, tools)
            yield from own
            names.update(name for each in own for name in _named(each))
        silent: dict[str, str] = {}
        if names or self.prefix:
            yield from self._judged(names, tools, silent)
        if silent:
            reasons = "; ".join(
                f"{name}: {why}" for name, why in sorted(silent.items())
            )
            raise NoData(f"without data: {reasons}")

    def _judged(
        self, names: set[str], tools: Tools, silent: dict[str, str]
    ) -> Iterator[Finding]:
        found = {each["AlarmName"]: each for each in _described(names, tools)}
        for name in sorted(names - found.keys()):
            yield self._unmatched(f"there is no alarm {name}")
        if self.prefix:
            alike = _all(tools, AlarmNamePrefix=self.prefix)
            found.update((each["AlarmName"], each) for each in alike)
            if not alike:
                yield self._unmatched(
                    f"there is no alarm whose name begins with {self.prefix}"
                )
        for name, alarm in sorted(found.items()):
            yield _state(name, alarm, silent)

    def _unmatched(self, what: str) -> Finding:
        passes = self.no_match == "pass"
        waiver = f"no_match: pass, {what}" if passes else ""
        return Finding(ok=passes, summary=what, waiver=waiver, code=Code.ALARM_MISSING)


def _state(name: str, alarm: _Alarm, silent: dict[str, str]) -> Finding:
    state, why = alarm["StateValue"], alarm.get("StateReason", "")
    if state == "INSUFFICIENT_DATA":
        silent[name] = why or state
    return Finding(
        ok=state in _NO_ALARM,
        summary=f"alarm {name} is {state}" + (f" ({why})" if state != "OK" else ""),
        evidence={
            "alarm": name,
            "state": state,
            "since": str(alarm.get("StateUpdatedTimestamp", "")),
        },
        code=Code.ALARM_STATE,
    )


def _described(names: set[str], tools: Tools) -> list[_Alarm]:
    return _all(tools, AlarmNames=sorted(names)) if names else []


def _all(tools: Tools, **which: Any) -> list[_Alarm]:
    types = ["MetricAlarm", "CompositeAlarm"]
    answer = tools.aws("cloudwatch", "describe_alarms", AlarmTypes=types, **which)
    return [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]


def _of_the_group(context: DeploymentContext, tools: Tools) -> list[Finding]:
    """Whether the group rolls back on alarms at all, and on which."""
    deployment = known(context.deployment, "the deployment")
    answer = tools.aws(
        "codedeploy",
        "get_deployment_group",
        applicationName=deployment.application,
        deploymentGroupName=deployment.group,
    )
    config = answer["deploymentGroupInfo"].get("alarmConfiguration", {})
    names = [each["name"] for each in config.get("alarms", ())]
    watched = bool(names) and bool(config.get("enabled"))
    listed = ", ".join(names) or "none"
    off = "" if watched or not names else ", but does not watch them (enabled: false)"
    return [
        Finding(
            ok=watched,
            summary=f"{_GROUPS_OWN}: {listed}{off}",
            evidence={"alarms": names, "enabled": bool(config.get("enabled"))},
            code=Code.ALARM_GROUP,
        )
    ]


def _named(finding: Finding) -> list[str]:
    names = finding.evidence["alarms"]
    return list(names) if isinstance(names, list) else []
