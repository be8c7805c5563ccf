"""What a scenario's file may say of the deployments to play."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hookgate.units import Percentage
from rehearsal.faults.file import AnyEvent, FaultsFile
from rehearsal.scenario.section import Section


class ExpectFile(Section):
    """How a deployment must end."""

    status: Literal["Succeeded", "Failed", "Stopped"] = Field(
        description="Status of the deployment."
    )
    event: AnyEvent | None = Field(
        None, description="The lifecycle event at which it must fail."
    )
    rollback: Literal["Succeeded", "Failed", "Stopped"] | None = Field(
        None, description="Status of the rollback's own deployment."
    )
    reason: str | None = Field(
        None, description="Text that the verdict's reasons must hold."
    )

    alarm: str | None = Field(
        None, description="The alarm that must stop the deployment."
    )
    failed_requests: Percentage = Field(
        "0%",
        validate_default=True,
        description="The share of customers' requests that may fail.",
    )

    @model_validator(mode="after")
    def _success_has_no_reasons(self) -> Self:
        names = ("event", "rollback", "reason", "alarm")
        odd = [name for name in names if getattr(self, name)]
        if self.status == "Succeeded" and odd:
            raise ValueError(f"a deployment that is Succeeded has no {odd[0]}")
        return self


class DeploymentFile(Section):
    """One deployment to play."""

    name: str = Field(min_length=1, max_length=100, description="What it shows.")
    image: str = Field(description="The image to deploy, one of images.")
    faults: FaultsFile = Field(
        default_factory=FaultsFile, description="What goes wrong on purpose."
    )
    waits_for_alarms: bool = Field(
        True, description="Begin once no alarm of the group is in ALARM."
    )
    expect: ExpectFile = Field(description="How it must end.")
