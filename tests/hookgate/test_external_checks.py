"""External checks: their input, and the responses that are valid."""

import json
from dataclasses import replace

import pytest

from hookgate.errors import CannotMeasure
from hookgate.external_checks import (
    MAX_ANSWER,
    foreign_findings,
    foreign_question,
)
from hookgate.model import Finding
from hookgate.testing import a_context


def test_question():
    """The deployment, both sides, the listeners and the step's own input are passed."""
    question = json.loads(foreign_question(a_context(), {"min": 3}))
    green = question["green"]

    assert question["event"] == "AfterAllowTestTraffic"
    assert question["deployment"]["id"] == "d-TEST00001"
    assert green["task_definition"].endswith("task-definition/shop:2")
    assert question["test_listener"] == "http://lb.example:8080"
    assert question["input"] == {"min": 3}


def test_question_without_a_deployment():
    """What is not known is null."""
    bare = a_context(deployment=None, blue=None, green=None, test=None, production=None)
    question = json.loads(foreign_question(bare, {}))
    names = ("deployment", "blue", "green", "test_listener", "production_listener")

    assert [question[each] for each in names] == [None] * 5


def test_environment_is_not_passed():
    """What a container's environment holds goes to no function and no command."""
    context = a_context()
    own = replace(context.task_definition.containers[0], environment={"KEY": "s3cret"})
    definition = replace(context.task_definition, containers=(own,))
    question = foreign_question(replace(context, task_definition=definition), {})

    assert b"s3cret" not in question


def test_answer():
    """Findings come as they were stated."""
    body = (
        b'{"findings": [{"ok": false, "code": "C", "summary": "no", '
        b'"evidence": {"n": 0}}]}'
    )

    assert foreign_findings(body, "it") == (
        Finding(ok=False, code="C", summary="no", evidence={"n": 0}),
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the response of it is not valid: the response: Invalid JSON"),
        (
            b"null",
            "the response of it is not valid: the response: Input should be an obj",
        ),
        (b"{}", "findings: Field required"),
        (b'{"findings": []}', "findings: List should have at least 1 item"),
        (b'{"findings": [{"ok": 1, "summary": "a"}]}', "findings.0.ok"),
        (b'{"findings": [{"ok": true, "summary": ""}]}', "findings.0.summary"),
        (b'{"findings": [{"ok": true, "summary": "a"}], "x": 1}', "x: Extra inputs"),
        (b" " * (MAX_ANSWER + 1), "the response of it is larger than 256 KiB"),
    ],
    ids=["empty", "null", "no findings", "none", "word", "no words", "more", "long"],
)
def test_no_answer(body, reason):
    """Anything but findings is an error, and never a pass."""
    with pytest.raises(CannotMeasure) as raised:
        foreign_findings(body, "it")
    assert reason in str(raised.value)
