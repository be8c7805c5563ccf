"""The OnFailure destination reports Failed in a hook's place."""

import json
import logging
import sys
from pathlib import Path

import pytest
from support.codedeploy_edge import codedeploy_edge

from hookgate.errors import InputError
from hookgate.last_report import handler

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture(name="edge")
def _edge(monkeypatch):
    with codedeploy_edge() as edge:
        for name, value in edge.environ.items():
            monkeypatch.setenv(name, value)
        yield edge


@pytest.fixture(autouse=True)
def _fresh_log():
    """Powertools keeps its first stream; a captured one ends with its test."""
    logging.Logger.manager.loggerDict.pop("hookgate", None)
    yield
    logging.Logger.manager.loggerDict.pop("hookgate", None)


@pytest.fixture(name="record")
def _record():
    return json.loads((EVENTS / "last_report.json").read_text())


def test_reported(edge, record):
    """The ids of the hook event are reported as Failed."""
    answer = handler(record, None)
    call = edge.calls.get_nowait()

    assert "Failed" == call["status"] == answer["status"]
    assert record["requestPayload"]["DeploymentId"] == call["deploymentId"]


def test_event_and_reason(edge, record, capsys):
    """The verdict names the event from the function's name, and what it said."""
    answer = handler(record, None)

    assert answer["event"] in record["requestContext"]["functionArn"]
    assert "did not report" in answer["outcomes"][0]["reason"]
    assert '"VerdictFailed":[1.0]' in capsys.readouterr().out


def test_metrics_name_the_deployment_group(edge, record, capsys):
    """The alarm of the group sees the last report: its metrics are the group's."""
    handler(record, None)
    told = capsys.readouterr().out

    assert '"Application":"shop","DeploymentGroup":"shop-blue-green"' in told


def test_deployment_cannot_be_read(edge, record, capsys):
    """Without the deployment the report is made all the same, under no group."""
    edge.deployment = {}
    handler(record, None)

    assert "Failed" == edge.calls.get_nowait()["status"]
    assert '"Application":"unknown"' in capsys.readouterr().out


def test_trouble_is_a_line_of_the_log(edge, record, caplog, capsys):
    """What goes wrong on the way is told in the log, and nowhere beside it."""
    edge.deployment = {}
    handler(record, None)

    assert "KeyError: 'applicationName'" in caplog.messages
    assert "" == capsys.readouterr().err


def test_no_hook_event(edge, record):
    """A record without a hook event raises, so that the alarm on errors tells."""
    with pytest.raises(InputError):
        handler({**record, "requestPayload": {"else": 1}}, None)


def test_unknown_function(edge, record):
    """A function that is not named after an event is reported Failed all the same."""
    record["requestContext"]["functionArn"] = "arn:aws:lambda:r:1:function:other"
    answer = handler(record, None)

    assert "Failed" == edge.calls.get_nowait()["status"] == answer["status"]


def test_nothing_can_be_told(edge, record, monkeypatch):
    """Without a standard output the report is made all the same."""
    monkeypatch.setattr(sys, "stdout", None)
    handler(record, None)

    assert "Failed" == edge.calls.get_nowait()["status"]


def test_odd_record(edge, record):
    """A record without its own description of the failure is enough."""
    handler({"requestPayload": record["requestPayload"]}, None)

    assert "Failed" == edge.calls.get_nowait()["status"]
