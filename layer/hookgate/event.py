"""The two ids that CodeDeploy hands a hook, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError

# CodeDeploy documents neither format nor length: a bound far beyond any token, since
# an id that is refused is an hour of silence.
_Id = Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class HookEvent(BaseModel):
    """What CodeDeploy sends: ``DeploymentId`` and ``LifecycleEventHookExecutionId``.

    Further keys are ignored, so that a key AWS adds does not stop deployments.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    deployment_id: _Id = Field(alias="DeploymentId")
    execution_id: _Id = Field(alias="LifecycleEventHookExecutionId")

    @classmethod
    def parse(cls, payload: object) -> HookEvent:
        """Read the payload of an invocation.

        Raises:
            InputError: an id is missing, empty or not a string. There is nobody to
                report to, so the handler lets it out.
        """
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            missing = ", ".join(map(_said, error.errors()))
            raise InputError(
                "not a CodeDeploy lifecycle hook event, which holds DeploymentId "
                f"and LifecycleEventHookExecutionId ({missing})",
                code=Code.HOOK_PAYLOAD,
            ) from None


def _said(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "event"
    return f"{where}: {error['msg']}"
