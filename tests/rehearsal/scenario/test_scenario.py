"""Scenarios: the gallery of wrong ones, and what a right one becomes."""

from pathlib import Path

import pytest
from support.coded import raises
from support.command import STOREFRONT

from hookgate.codes import Code
from hookgate.errors import InputError, PlanError
from hookgate_rehearsal.scenario.reader import read_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
INVALID = sorted((SCENARIOS / "invalid").glob("*.yaml"))
VALID = [*sorted((SCENARIOS / "valid").glob("*.yaml")), STOREFRONT / "scenario.yaml"]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_mistake_is_reported(path):
    """A wrong scenario is refused, and every problem names its place."""
    expected = path.with_suffix(".expected.txt").read_text("utf-8").splitlines()
    with pytest.raises(PlanError) as refused:
        read_scenario(path)
    result = [
        f"{each.place.line}:{each.place.column} {each.code}"
        for each in refused.value.problems
    ]
    assert expected == result


def test_every_mistake_has_its_message():
    """No expected message is left without a scenario that causes it."""
    expected = [path.name for path in sorted((SCENARIOS / "invalid").glob("*.txt"))]
    assert expected == [f"{path.stem}.expected.txt" for path in INVALID]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_right_scenario_is_read(path):
    """A right scenario is read, and its plan is found beside it."""
    assert read_scenario(path).plan.is_file()


def test_secrets(monkeypatch):
    """A secret is a value of the scenario or of a variable, and in no text of it."""
    monkeypatch.setenv("PATH", "t0p-secret")
    scenario = read_scenario(SCENARIOS / "valid" / "every-key.yaml")
    expected = {"token": "a-test-token", "shop/key": "t0p-secret"}
    assert expected == scenario.secrets
    assert not any(value in repr(scenario) for value in expected.values())


def test_secrets_offline():
    """A scenario is checked offline without the values of its secrets."""
    path = SCENARIOS / "invalid" / "secret-variable-not-set.yaml"
    assert {} == read_scenario(path, offline=True).secrets


def test_problem_names_the_file():
    """The error as a text has one line for each problem, with file, line and column."""
    path = SCENARIOS / "invalid" / "speed-too-high.yaml"
    with pytest.raises(PlanError) as refused:
        read_scenario(path)
    assert str(refused.value).startswith(f"{path}:8:8: speed: expected at most")


def test_file_that_cannot_be_read_is_reported(tmp_path):
    """A folder, or no file, is an error of the input."""
    with raises(InputError, Code.FILE_UNREADABLE):
        read_scenario(tmp_path)


def test_little_is_enough():
    """Optional keys have usable defaults."""
    content = read_scenario(SCENARIOS / "valid" / "smallest.yaml").content
    assert (2, 8080, 20.0, 50.0, 5.0, 0.0, ["DEPLOYMENT_FAILURE"]) == (
        content.service.desired_count,
        content.service.port,
        content.speed,
        content.traffic.rate,
        content.load_balancer.health_check.interval,
        content.deployment_group.termination_wait,
        content.deployment_group.rollback_on,
    )


def test_test_listener_can_be_left_out():
    """``test: null`` is a deployment group without a test listener."""
    content = read_scenario(SCENARIOS / "valid" / "every-key.yaml").content
    assert None is content.load_balancer.test


@pytest.mark.parametrize(
    ("speed", "ordered", "expected"),
    [
        pytest.param(None, None, 180.0, id="the scenario's speed of 20"),
        pytest.param(10.0, None, 360.0, id="another speed"),
        pytest.param(1000.0, None, 60.0, id="a minute at least"),
        pytest.param(1000.0, 5.0, 5.0, id="ordered"),
    ],
)
def test_hour_passes_at_the_speed(speed, ordered, expected):
    """CodeDeploy's hour is shorter at a speed; what is ordered is real time."""
    scenario = read_scenario(SCENARIOS / "valid" / "smallest.yaml").at(speed)

    assert expected == scenario.content.hour(ordered)
