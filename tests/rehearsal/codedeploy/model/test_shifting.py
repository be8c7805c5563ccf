"""What a deployment configuration means in steps."""

import pytest

from hookgate_rehearsal.codedeploy.model.deployment import schedule
from hookgate_rehearsal.codedeploy.registry import Registry

EVERY_MINUTE = [(10.0 * n, 0.0 if n == 1 else 1.0) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("ECSAllAtOnce", [(100.0, 0.0)], id="all at once"),
        pytest.param(
            "ECSCanary10Percent5Minutes", [(10.0, 0.0), (100.0, 5.0)], id="canary"
        ),
        pytest.param("ECSLinear10PercentEvery1Minutes", EVERY_MINUTE, id="linear"),
    ],
)
def test_predefined_configurations(name, expected):
    """The weights and the minutes between them."""
    config = Registry().configs[f"CodeDeployDefault.{name}"]

    steps = schedule(config["trafficRoutingConfig"])

    assert expected == [(step.weight, step.after) for step in steps]


def test_a_linear_step_that_does_not_divide_ends_at_all():
    """The last step is never more than all traffic."""
    routing = {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 2},
    }

    assert [40.0, 80.0, 100.0] == [step.weight for step in schedule(routing)]
