"""The hooks' log lines."""

import json
import logging
import threading

import pytest

from hookgate_rehearsal.hooks import HookLog


def _line(**text):
    return json.dumps(
        {"deployment_id": "d-1", "lifecycle_event": "AfterInstall"} | text
    )


@pytest.fixture(name="outcomes")
def _outcomes():
    return []


@pytest.fixture(name="log")
def _log(outcomes):
    return HookLog(lambda *result: outcomes.append(result))


def test_outcome_is_passed_on(log, outcomes):
    """Each step that ends is reported with its deployment and event."""
    log("function", None, _line(outcome={"name": "a"}))
    assert [("d-1", "AfterInstall", {"name": "a"})] == outcomes


def test_verdict_is_kept(log):
    """A verdict is found by its deployment and event, and by no other."""
    log("function", "request", _line(verdict={"status": "Failed"}))
    found = [log.verdict(*key) for key in (("d-1", "AfterInstall"), ("d-2", "x"))]
    assert [{"status": "Failed"}, None] == found


def test_later_verdict_wins(log):
    """The newest verdict of a hook is the one that counts."""
    for status in ("Failed", "Succeeded"):
        log("function", None, _line(verdict={"status": status}))
    assert {"status": "Succeeded"} == log.verdict("d-1", "AfterInstall")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        "null",
        "[]",
        '"deployment_id"',
        "{}",
        '{"outcome": {}}',
        '{"deployment_id": "d-1"',
    ],
)
def test_other_lines_are_ignored(log, outcomes, line):
    """What a plugin prints is no outcome and no accident."""
    log("function", None, line)
    assert [] == outcomes


def test_verdict_is_waited_for(log):
    """A line that is still on its way is waited for."""
    line = _line(verdict={"status": "Succeeded"})
    teller = threading.Timer(0.01, log, ("function", None, line))
    teller.start()
    try:
        assert {"status": "Succeeded"} == log.verdict("d-1", "AfterInstall", 60)
    finally:
        teller.join()


def test_verdict_of_the_status_is_waited_for(log):
    """A verdict that was not accepted does not stand for the one that was."""
    log("function", None, _line(verdict={"status": "Succeeded"}))
    line = _line(verdict={"status": "Failed"})
    fallback = threading.Timer(0.01, log, ("fallback", None, line))
    fallback.start()
    try:
        found = log.verdict("d-1", "AfterInstall", 60, "Failed")
    finally:
        fallback.join()
    assert {"status": "Failed"} == found


def test_verdict_of_another_status(log):
    """Where no verdict has the status, as after a stop, the newest one is given."""
    log("function", None, _line(verdict={"status": "Succeeded"}))
    assert {"status": "Succeeded"} == log.verdict("d-1", "AfterInstall", 0, "Failed")


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_log_of_hooks_at_debug(log, caplog, level):
    """At level DEBUG the lines of hooks are logged with their places, else none."""
    caplog.set_level(level, "hookgate.hooks")
    log("function", None, _line(level="WARNING", step="a", message="slow"))
    log("function", None, "Traceback (most recent call last):")

    shown = [
        ("hookgate.hooks", logging.WARNING, "d-1 AfterInstall a: slow"),
        (
            "hookgate.hooks",
            logging.DEBUG,
            "function: Traceback (most recent call last):",
        ),
    ]
    assert (shown if level == "DEBUG" else []) == caplog.record_tuples
