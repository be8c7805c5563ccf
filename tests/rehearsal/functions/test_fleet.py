"""Functions in processes of their own, behind the Runtime API."""

import json
import os
import threading

import pytest
from support.emulator_setup import function, wait_for

from hookgate_rehearsal.functions.fleet import Fleet, UnknownFunctionError
from hookgate_rehearsal.functions.function import FleetSettings, function_name

NAMES = ("echo", "failing", "dying", "leaving", "deserting")
SETTINGS = FleetSettings(
    endpoint_url="http://127.0.0.1:1", region="eu-west-1", account="123456789012"
)
FUNCTIONS = [
    *(function(name) for name in NAMES),
    function("sleeping", timeout=0.5),
    function("hungry", memory=128),
    function("missing"),
    function("configured", handler="hook_handlers.echo", environment={"COLOUR": "red"}),
]


@pytest.fixture(name="lines")
def _lines():
    return []


@pytest.fixture(name="fleet")
def _fleet(lines):
    fleet = Fleet(FUNCTIONS, SETTINGS, lambda *line: lines.append(line))
    yield fleet
    fleet.close()


def invoke(fleet, name, payload=b"{}"):
    result = fleet.invoke(fleet.find(f"CodeDeployHook_{name}"), payload)
    return result.is_error, json.loads(result.payload)


def test_a_function_answers_its_event(fleet):
    """The event comes back with what Lambda tells a function."""
    is_error, answer = invoke(fleet, "echo", b'{"a": 1}')

    assert (False, {"a": 1}) == (is_error, answer["event"])
    assert SETTINGS.arn("CodeDeployHook_echo") == answer["arn"]
    assert 0 < answer["remaining"] <= 900_000


def test_a_function_sees_lambdas_environment_and_not_the_emulators(fleet, monkeypatch):
    """Region, endpoint and name are Lambda's; no other variable is passed on."""
    monkeypatch.setenv("A_SECRET_OF_THE_EMULATOR", "x")

    _, answer = invoke(fleet, "configured")

    environment = answer["environment"]
    assert "A_SECRET_OF_THE_EMULATOR" not in environment
    assert {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_LAMBDA_FUNCTION_NAME": "CodeDeployHook_configured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "COLOUR": "red",
    }.items() <= environment.items()


def test_each_line_has_its_request_id(fleet, lines):
    """What a function writes arrives with the function's name and the request's id."""
    _, answer = invoke(fleet, "echo")

    line = ("CodeDeployHook_echo", answer["request_id"], "a line of the function's own")
    wait_for(lambda: line in lines)


def test_a_warm_process_is_used_again(fleet):
    """The second invocation runs in the first one's process."""
    first, second = (invoke(fleet, "echo")[1]["environment"] for _ in range(2))

    stream = "AWS_LAMBDA_LOG_STREAM_NAME"
    assert first[stream] == second[stream]


def test_two_at_once_run_in_two_processes(fleet):
    """A second event does not wait for the first."""
    streams = set()

    def run():
        answer = invoke(fleet, "echo")[1]
        streams.add(answer["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"])

    chosen = fleet.find("CodeDeployHook_echo")
    first, second = fleet._take(chosen), fleet._take(chosen)

    assert first is not second
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert streams


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        pytest.param("failing", "ValueError", "this handler is wrong", id="raises"),
        pytest.param("dying", "Runtime.ExitError", "exit status 3", id="ends"),
        pytest.param("leaving", "Runtime.ExitError", "without providing", id="leaves"),
        pytest.param("hungry", "Runtime.ExitError", "signal: killed", id="memory"),
        pytest.param("deserting", "Runtime.ExitError", "exit status 1", id="deserts"),
        pytest.param("sleeping", "Sandbox.Timedout", "timed out after 0.50", id="slow"),
        pytest.param("missing", "Runtime.HandlerNotFound", "missing", id="no handler"),
    ],
)
def test_a_function_that_fails_says_why(fleet, name, kind, message):
    """The error has Lambda's type and a message."""
    is_error, answer = invoke(fleet, name)

    assert (True, kind) == (is_error, answer["errorType"])
    assert message in answer["errorMessage"]


@pytest.mark.parametrize("name", ["dying", "sleeping"])
def test_a_function_that_failed_can_be_invoked_again(fleet, name):
    """A killed process is replaced by a new one."""
    first = invoke(fleet, name)

    assert first[1]["errorType"] == invoke(fleet, name)[1]["errorType"]


def test_the_log_has_the_memory_of_a_function(fleet, lines):
    """The log says how much memory there was, and how much of it was taken."""
    invoke(fleet, "hungry")

    (line,) = [text for _, _, text in lines if "memory" in text]
    assert line.endswith("MB of 128 MB of memory")


def test_an_unknown_function_is_refused(fleet):
    """The error names what there is."""
    with pytest.raises(UnknownFunctionError, match="CodeDeployHook_echo"):
        fleet.find("unknown")


def test_closing_ends_a_running_invocation(fleet):
    """An asynchronous invocation does not outlive its fleet."""
    fleet.invoke_asynchronously(fleet.find("CodeDeployHook_echo"), b"{}")

    fleet.close()

    assert not [t for t in threading.enumerate() if t.name.startswith("invoke-")]


def test_prewarmed_processes_are_ready(fleet):
    """Every function has a process before its first invocation."""
    fleet.prewarm()

    assert len(FUNCTIONS) == len(fleet._all)
    assert all(os.path.exists(f"/proc/{e._process.pid}") for e in fleet._all)  # noqa: PTH110 - procfs


def test_only_named_processes_are_prewarmed(fleet):
    """What is not about to be called costs nothing."""
    fleet.prewarm(["CodeDeployHook_echo"])

    assert ["CodeDeployHook_echo"] == [e._function.name for e in fleet._all]


@pytest.mark.parametrize(
    "given",
    [
        "f",
        "f:live",
        "123456789012:function:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f:live",
    ],
)
def test_a_function_is_found_by_every_form_of_its_name(given):
    """Name, partial ARN and ARN, with and without a qualifier."""
    assert "f" == function_name(given)
