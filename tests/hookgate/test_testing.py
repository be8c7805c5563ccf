"""What hookgate.testing gives a validator's author."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import ClassVar

import pytest
from support.coded import raises

from hookgate.context import DeploymentContext
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.request import Request
from hookgate.model import Finding
from hookgate.testing import a_context, a_reply, check
from hookgate.validator import Tools, Validator


class Ask(Validator):
    """Does everything answer?"""

    permissions: ClassVar[tuple[str, ...]] = ("elasticloadbalancing:X",)

    production: bool = False
    operation: str = ""
    times: int = 1

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Ask once or more, with an hour between."""
        for _ in range(self.times):
            yield Finding(ok=True, summary=str(self._ask(tools)))
            tools.deadline.sleep(3600)
        for write in ("debug", "info", "warning", "error"):
            getattr(tools.log, write)("done")

    def _ask(self, tools: Tools) -> object:
        if self.operation:
            return tools.aws("elbv2", self.operation, Names=["a"])
        probe = tools.production if self.production else tools.http
        return probe(Request(path="/a")).status


def summaries(*arguments, **options) -> list[str]:
    return [each.summary for each in check(*arguments, **options)]


def test_replies_come_in_turn_and_the_last_is_repeated():
    """A script may be shorter than the conversation."""
    replies = [503, a_reply(201)]
    assert summaries(Ask(times=3), replies=replies, seconds=1e6) == [
        "503",
        "201",
        "201",
    ]


def test_app_answers_by_the_request():
    """A function may answer instead of a script."""
    assert summaries(Ask(), app=lambda asked: a_reply(200 + len(asked.path))) == ["202"]


def test_production_has_a_script_of_its_own():
    """The two listeners are not mixed up."""
    assert summaries(Ask(production=True), replies=[500], production=[200]) == ["200"]


def test_exception_is_raised():
    """A listener may also not answer."""
    with raises(NoAnswer, "HG-NO-RESPONSE", "refused"):
        check(Ask(), replies=[NoAnswer("refused")])


@pytest.mark.parametrize("ask", [Ask(), Ask(production=True), Ask(operation="x")])
def test_what_is_not_given_cannot_be_asked(ask):
    """A script that is missing is not a pass."""
    with raises(CannotMeasure, "HG-CANNOT-MEASURE"):
        check(ask)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"a": ["a"]}, id="answer"),
        pytest.param([{"a": ["a"]}], id="answers in turn"),
        pytest.param(lambda **parameters: {"a": parameters["Names"]}, id="function"),
    ],
)
def test_aws_answers_by_script(answer):
    """AWS's answers are given by operation."""
    assert summaries(Ask(operation="x"), aws={"elbv2.x": answer}) == ["{'a': ['a']}"]


def test_aws_may_refuse():
    """An exception among AWS's answers is raised."""
    with raises(CannotMeasure, "HG-CANNOT-MEASURE", "denied"):
        check(Ask(operation="x"), aws={"elbv2.x": CannotMeasure("denied")})


def test_call_without_its_permission_is_an_error():
    """A call to AWS that the validator does not declare fails the test."""
    with pytest.raises(AssertionError, match="add elasticloadbalancing:Y to its perm"):
        check(Ask(operation="y"), aws={"elbv2.y": {}})


def test_context_is_a_whole_deployment():
    """Nothing is unknown, unless the test says so."""
    context = a_context("AfterInstall", test=None)
    assert context.event == "AfterInstall"
    assert context.test is None
    assert context.green_container is not None


def test_hookgate_brings_no_http_client():
    """What a plan may not use is not imported with the public names."""
    code = (
        "import sys, hookgate, hookgate.run_context\n"
        "heavy = {'requests', 'urllib3', 'pycurl', 'jsonpath', 'boto3'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run(  # noqa: S603 - our own Python and code
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
