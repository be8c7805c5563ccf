"""How a deployment's end looks."""

import io

import pytest
from rich.console import Console
from support.rehearsal_record import a_deployment, a_verdict, an_event

from hookgate_cli.rehearse import ending


def _printed(record):
    out = io.StringIO()
    Console(file=out, width=100).print(ending(record))
    return out.getvalue()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "Succeeded, as expected", id="as expected"),
        pytest.param({}, "100 requests, 0 failed (75 by blue, 25 by green)", id="who"),
        pytest.param(
            {"alarms": [{"name": "errors", "reason": "9 > 2"}]},
            "alarm errors  9 > 2",
            id="alarm",
        ),
        pytest.param(
            {
                "error": {"code": "HOOK_EXECUTION_FAILURE", "message": "no report"},
                "lifecycle_events": [an_event("AfterInstall", status="Failed")],
            },
            "no report",
            id="hook without a report",
        ),
        pytest.param(
            {"as_expected": False, "interrupted": True, "status": "InProgress"},
            "InProgress, interrupted",
            id="interrupted",
        ),
        pytest.param(
            {"as_expected": False, "surprises": ["the rollback is missing"]},
            "not as expected: the rollback is missing",
            id="surprise",
        ),
        pytest.param(
            {
                "lifecycle_events": [
                    an_event("x", verdict=a_verdict(optouts=["waived"]))
                ]
            },
            "waiver: waived",
            id="waiver",
        ),
        pytest.param(
            {"lifecycle_events": [an_event("x", verdict=a_verdict())]},
            "plan: ssm:/plans/shop/web, version 3, SHA-256",
            id="plan",
        ),
    ],
)
def test_ending_tells(changes, expected):
    """The end shows traffic, waivers and whether it was as expected, in words."""
    assert expected in _printed(a_deployment(**changes))
