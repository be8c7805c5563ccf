"""A hook that the emulator does not run is handed over in a file."""

import json

import pytest

from hookgate_rehearsal.hooks import HeldHooks

EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h"}


@pytest.mark.parametrize(
    "name", ["CodeDeployHook_x", "arn:aws:lambda:r:1:function:CodeDeployHook_x:live"]
)
def test_written(tmp_path, name):
    """The file has the name of the function, and the callback gets it."""
    result = []
    held = HeldHooks(tmp_path / "events", result.append)
    held.invoke(FunctionName=name, Payload=json.dumps(EVENT).encode())

    assert [tmp_path / "events" / "CodeDeployHook_x.json"] == result
    assert EVENT == json.loads(result[0].read_text())
