"""A scenario's plan: its events, and where the emulator stores it for the hooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookgate.errors import InputError
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent
from hookgate.plan import beside, read_plan
from hookgate.registry import resolve
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.scenario.reader import Scenario

#: The hooks' plan sources, in this order.
PARAMETER_PREFIX = "/hookgate/plans"
BUCKET = "hookgate-plans"
#: The prefix of the names of secrets that plans may read.
SECRET_PREFIX = "hookgate/"  # noqa: S105 - a part of a name
#: SSM's limits for a parameter of the standard and the advanced tier, in bytes.
STANDARD_TIER, ADVANCED_TIER = 4096, 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPlan:
    """A valid plan.

    Attributes:
        source: the content of its file.
        events: the lifecycle events that have steps.
        files: the contents of the files that it names, by name.
    """

    source: bytes
    events: tuple[LifecycleEvent, ...]
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, scenario: Scenario) -> ScenarioPlan:
        """Read a scenario's plan as the hooks do.

        Raises:
            PlanError: the plan is wrong.
        """
        source, files = scenario.plan.read_bytes(), dict[str, bytes]()
        read = beside(scenario.plan)

        def read_file(name: str) -> bytes:
            files[name] = read(name)
            return files[name]

        plan = read_plan(
            source,
            str(scenario.plan),
            resolve,
            read_file,
            policy=AddressPolicy.of_stack(",".join(scenario.content.allowed_targets)),
        )
        return cls(source=source, events=tuple(plan.events), files=files)

    def store(self, emulator: Emulator, application: str, group: str) -> None:
        """Store the plan in SSM, or in S3 if it has files or is too long for SSM."""
        if not self.files and len(self.source) <= ADVANCED_TIER:
            emulator.client("ssm").put_parameter(
                Name=f"{PARAMETER_PREFIX}/{application}/{group}",
                Value=self.source.decode(),
                Type="String",
                Tier="Standard" if len(self.source) <= STANDARD_TIER else "Advanced",
            )
            return
        s3 = emulator.client("s3")
        for name, content in {f"{group}.yaml": self.source, **self.files}.items():
            s3.put_object(Bucket=BUCKET, Key=f"{application}/{name}", Body=content)


def plan_events(scenario: Scenario) -> tuple[LifecycleEvent, ...]:
    """The lifecycle events with a hook: those of the plan, or of the template.

    Raises:
        PlanError: the plan is wrong.
        InputError: the template calls no function at an event with steps.
    """
    events = ScenarioPlan.read(scenario).events
    if scenario.blue_green is None:
        return events
    hooks = scenario.blue_green.functions
    if without := [event for event in events if event not in hooks]:
        raise InputError(
            f"{scenario.file}: the template calls no function at {without[0]}, but "
            f"{scenario.plan} has steps for it"
        )
    return tuple(hooks)
