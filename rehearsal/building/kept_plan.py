"""A scenario's plan: what it needs, and where it lies on a stage for the hooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookgate.errors import InputError
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent
from hookgate.plan import beside, read_plan
from hookgate.registry import resolve
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

#: Where the hooks are told to look, in this order.
PARAMETER_PREFIX = "/hookgate/plans"
BUCKET = "hookgate-plans"
#: The names of the secrets that plans may read begin with this.
SECRET_PREFIX = "hookgate/"  # noqa: S105 - a part of a name
#: SSM's bounds on a parameter of the standard tier and of the advanced one, in bytes.
STANDARD_TIER, ADVANCED_TIER = 4096, 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """A plan that has been read.

    Attributes:
        source: its file's content.
        events: the lifecycle events that it has steps for.
        files: the files beside it that it names, by the names it gives them.
    """

    source: bytes
    events: tuple[LifecycleEvent, ...]
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, scenario: Scenario) -> KeptPlan:
        """Read a scenario's plan as the hooks will.

        Raises:
            PlanError: the plan is wrong.
        """
        source, files = scenario.plan.read_bytes(), dict[str, bytes]()
        read = beside(scenario.plan)

        def noting(name: str) -> bytes:
            files[name] = read(name)
            return files[name]

        allowed = ",".join(scenario.content.allowed_targets)
        plan = read_plan(
            source,
            str(scenario.plan),
            resolve,
            noting,
            policy=AddressPolicy.of_stack(allowed),
        )
        return cls(source=source, events=tuple(plan.events), files=files)

    def put(self, stage: Stage, application: str, group: str) -> None:
        """Lay the plan where the hooks look: in SSM, or in S3 where SSM cannot have it.

        A parameter has no files beside it, and its length has a bound.
        """
        if self.files or len(self.source) > ADVANCED_TIER:
            self._put_objects(stage, application, group)
            return
        stage.client("ssm").put_parameter(
            Name=f"{PARAMETER_PREFIX}/{application}/{group}",
            Value=self.source.decode(),
            Type="String",
            Tier="Standard" if len(self.source) <= STANDARD_TIER else "Advanced",
        )

    def _put_objects(self, stage: Stage, application: str, group: str) -> None:
        s3 = stage.client("s3")
        objects = {f"{application}/{group}.yaml": self.source} | {
            f"{application}/{name}": content for name, content in self.files.items()
        }
        for key, content in objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)


def create_bucket(stage: Stage) -> None:
    """Give the hooks the bucket of plans that they are told of."""
    stage.client("s3").create_bucket(Bucket=BUCKET)


def plan_events(scenario: Scenario) -> tuple[LifecycleEvent, ...]:
    """The lifecycle events with a hook: those of the plan, or of the template.

    Raises:
        PlanError: the plan is wrong.
        InputError: the template calls no function where the plan has steps.
    """
    events = KeptPlan.of(scenario).events
    if scenario.blue_green is None:
        return events
    hooked = scenario.blue_green.functions
    forgotten = [event for event in events if event not in hooked]
    if forgotten:
        raise InputError(
            f"{scenario.file}: the template calls no function at {forgotten[0]}, "
            f"where {scenario.plan} has steps; they would never run"
        )
    return tuple(hooked)
