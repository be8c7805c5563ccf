"""What a scenario's file may say of the deployments to play."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.registry import closest
from hookgate.units import Percentage
from rehearsal.faults.file import AnyEvent, FaultsFile
from rehearsal.scenario.section import Section


def _code(code: str) -> str:
    if code.startswith("HG-") and code not in set(Code):
        near = closest(code, [str(each) for each in Code])
        hint = f"; did you mean {near!r}?" if near else ""
        raise InvalidValue(f"no code {code!r}{hint}", code=Code.PLAN_CHOICE)
    return code


class StepFile(Section):
    """The step that must stop a deployment."""

    name: str | None = Field(None, min_length=1, description="Name of the step.")
    status: Literal["failed", "inconclusive", "errored"] | None = Field(
        None,
        description="Status of the step; by default failed or inconclusive.",
    )
    code: Annotated[str, AfterValidator(_code)] | None = Field(
        None, description="Code of the step's reason, such as HG-ACCESS-DENIED."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise InvalidValue(
                "write at least one of name, status and code", code=Code.OPTION_ONE_OF
            )
        return self

    @property
    def text(self) -> str:
        """The step in words, such as ``step 'price' (errored, HG-NO-DATA)``."""
        name = f"step {self.name!r}" if self.name else "a step"
        rest = ", ".join(filter(None, (self.status, self.code)))
        return f"{name} ({rest})" if rest else name


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
    step: StepFile | None = Field(
        None, description="The step that must stop the deployment."
    )
    reason: str | None = Field(
        None,
        min_length=1,
        description="Text that a reason must contain: the reason of step, if given; "
        "otherwise of a failed or inconclusive step, of an alarm or of CodeDeploy.",
    )
    alarm: str | None = Field(
        None, description="The alarm that must stop the deployment."
    )
    failed_requests: Percentage = Field(
        "0%",
        validate_default=True,
        description="The share of production requests that may fail.",
    )

    @model_validator(mode="after")
    def _success_has_no_reasons(self) -> Self:
        names = ("event", "rollback", "step", "reason", "alarm")
        odd = [name for name in names if getattr(self, name)]
        if self.status == "Succeeded" and odd:
            raise InvalidValue(
                f"a deployment that is Succeeded has no {odd[0]}",
                code=Code.SCENARIO_EXPECT,
            )
        if self.status == "Stopped" and self.step:
            raise InvalidValue(
                "step needs status: Failed; no step stops a deployment",
                code=Code.SCENARIO_EXPECT,
            )
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
