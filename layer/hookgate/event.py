"""The payload of a hook: the two ids that CodeDeploy sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError

# CodeDeploy documents neither format nor length. The limit is far beyond any token: a
# hook that rejects an id cannot report, and the deployment waits for an hour.
_Id = Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class HookEvent(BaseModel):
    """The ``DeploymentId`` and ``LifecycleEventHookExecutionId`` of an invocation.

    Further keys are ignored, so that a key AWS adds does not stop deployments.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    deployment_id: _Id = Field(alias="DeploymentId")
    execution_id: _Id = Field(alias="LifecycleEventHookExecutionId")

    @classmethod
    def parse(cls, payload: object) -> HookEvent:
        """Read the payload of an invocation.

        Raises:
            InputError: an id is missing, empty or not a string. Without ids no report
                is possible, so the handler raises it.
        """
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            missing = ", ".join(map(_problem, error.errors()))
            raise InputError(
                "not a CodeDeploy lifecycle hook event, which contains DeploymentId "
                f"and LifecycleEventHookExecutionId ({missing})",
                code=Code.HOOK_PAYLOAD,
            ) from None


def _problem(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "event"
    return f"{where}: {error['msg']}"
