"""How results are worded."""

import io

import pytest
from rich.console import Console
from support.rehearsal_record import a_deployment, a_verdict, an_event

from hookgate_cli.words import (
    duration_text,
    fault_lines,
    mark,
    plans_of,
    side,
    step_table,
    waivers_of,
)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        pytest.param(0, "0 ms", id="nothing"),
        pytest.param(999, "999 ms", id="less than a second"),
        pytest.param(1500, "1.5 s", id="seconds"),
        pytest.param(119_900, "119.9 s", id="a little"),
        pytest.param(3_725_000, "62 min 5 s", id="minutes"),
    ],
)
def test_duration_is_short(milliseconds, expected):
    """A duration has the unit that fits it."""
    assert expected == duration_text(milliseconds)


def test_every_status_has_its_mark():
    """No two ends of a step look the same without colour."""
    marks = [mark(each) for each in ("passed", "failed", "errored", "inconclusive")]
    assert ["✓", "✗", "!", "?"] == marks


def test_waivers_are_gathered():
    """Each waiver of a deployment is listed once, in a fixed order."""
    events = [
        an_event("AfterInstall", verdict=a_verdict(optouts=["b", "a"])),
        an_event("AllowTraffic"),
        an_event("BeforeAllowTraffic", verdict=a_verdict(optouts=["a"])),
    ]
    assert ["a", "b"] == waivers_of(a_deployment(lifecycle_events=events))


PLAN = {"source": "shop.yaml", "version": None, "sha256": "ab"}


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        pytest.param([PLAN, PLAN], ["shop.yaml, SHA-256 ab"], id="one"),
        pytest.param([PLAN, None], ["shop.yaml, SHA-256 ab"], id="none-read"),
        pytest.param([None, None], [], id="none"),
        pytest.param(
            [PLAN, {**PLAN, "version": "4"}],
            [
                "shop.yaml, SHA-256 ab (AfterInstall)",
                "shop.yaml, version 4, SHA-256 ab (BeforeAllowTraffic)",
            ],
            id="changed-meanwhile",
        ),
    ],
)
def test_plans_are_gathered(plans, expected):
    """Each plan is printed once, with its events if there was more than one."""
    first, second = (a_verdict(plan=each) for each in plans)
    events = [
        an_event("AfterInstall", verdict=first),
        an_event("AllowTraffic"),
        an_event("BeforeAllowTraffic", verdict=second),
    ]
    assert expected == plans_of(a_deployment(lifecycle_events=events))


def test_many_steps_are_counted():
    """Of a thousand steps the table shows what did not pass, and counts the rest."""
    good = {"status": "passed", "blocking": True, "duration_ms": 1, "reason": "well"}
    outcomes = [{**good, "name": f"step {number}"} for number in range(1000)]
    outcomes[500] = {**outcomes[500], "status": "failed", "reason": "broken"}
    output = io.StringIO()
    Console(width=60, file=output).print(step_table(outcomes))
    assert ["✗ step 500 1 ms broken", "✓ 999 steps passed"] == [
        " ".join(line.split()) for line in output.getvalue().splitlines()
    ]


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param({"late_start": {"by": "2 s"}}, "late_start: by 2 s", id="one"),
        pytest.param(
            {"stop": {"at": "Install", "rollback": True}},
            "stop: at Install, rollback true",
            id="yes",
        ),
        pytest.param(
            {"hooks": {"AfterInstall": {"does": "dies"}}},
            "hooks: AfterInstall dies",
            id="hook",
        ),
        pytest.param(
            {"calls": [{"call": "a:B", "times": 2}, {"call": "c:D"}]},
            "calls: a:B, times 2; c:D",
            id="list",
        ),
    ],
)
def test_faults_are_printed_in_words(faults, expected):
    """A fault reads as a scenario writes it, without brackets."""
    assert [expected] == fault_lines(faults)


@pytest.mark.parametrize(
    ("task_definition", "expected"),
    [("shop:2", "green"), ("shop:1", "blue"), ("unknown", "unknown")],
)
def test_sides_are_named_by_color(task_definition, expected):
    """The side that served is called blue or green; an unknown one is not guessed."""
    assert expected == side(a_deployment(), task_definition)
