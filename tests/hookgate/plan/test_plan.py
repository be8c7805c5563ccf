"""A plan that has been read."""

from __future__ import annotations

from collections.abc import Callable

from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import CannotMeasure, PlanError
from hookgate.model import LifecycleEvent
from hookgate.plan import Identity, Plan, Step, Target
from hookgate.validator import Validator

ReadSteps = Callable[[str], Plan]
VALUES = {
    "${green.image.tag}": "v2",
    "${secret.token}": "hunter2",
    "${green.env.EMPTY}": "",
}


def substitute(text: str) -> str:
    """Put in values as a deployment would."""
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    return text


def step_with(read_steps: ReadSteps, options: str) -> Step:
    """A step of the toy ``http`` with these options."""
    plan = read_steps(f"[{{use: http, with: {options}}}]")
    return plan.steps(LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC)[0]


def option(validator: Validator, name: str) -> object:
    """An option of a validator whose class only the fixtures know."""
    return getattr(validator, name)


def test_event_without_steps_is_an_error(read_steps: ReadSteps):
    """A hook that the plan says nothing about does not pass."""
    plan = read_steps("[{use: target_health}]")
    with raises(PlanError, Code.PLAN_NO_STEPS):
        plan.steps(LifecycleEvent.AFTER_INSTALL)


def test_step_without_placeholder_is_built_once(read_steps: ReadSteps):
    """What was built when the plan was read is used again."""
    step = step_with(read_steps, "{path: /}")
    assert step.validator is step.build(substitute)


def test_placeholders_are_filled_in(read_steps: ReadSteps):
    """Every text value of the options takes the deployment's values."""
    step = step_with(
        read_steps,
        '{path: "/${green.image.tag}", headers: {A: "b ${green.image.tag}"}}',
    )
    built = step.build(substitute)
    assert ("/v2", {"A": "b v2"}) == (option(built, "path"), option(built, "headers"))


def test_step_as_read_keeps_its_placeholders(read_steps: ReadSteps):
    """Building a step for one deployment leaves the plan unchanged for the next."""
    step = step_with(read_steps, '{path: "/${green.image.tag}"}')
    step.build(substitute)
    assert "/${green.image.tag}" == option(step.validator, "path")


def test_numbers_stay_numbers(read_steps: ReadSteps):
    """Only text is filled in."""
    step = step_with(read_steps, '{path: "/${green.image.tag}", status: [200, 204]}')
    assert [200, 204] == option(step.build(substitute), "status")


def test_filled_in_options_are_checked_again(read_steps: ReadSteps):
    """A value that makes an option invalid is an error with the step's place."""
    step = step_with(read_steps, '{path: "${green.image.tag}"}')
    with raises(PlanError, Code.PLAN_VALUE, "plan.yaml:4:6"):
        step.build(substitute)


def test_message_does_not_repeat_a_secret(read_steps: ReadSteps):
    """A problem with a secret does not contain it."""
    step = step_with(read_steps, '{path: "${secret.token}"}')
    with raises(PlanError, Code.PLAN_VALUE, "secret.token") as refused:
        step.build(substitute)
    assert "hunter2" not in str(refused.value)


def test_what_is_not_known_stops_the_build(read_steps: ReadSteps):
    """A value that is not known is the reason that the step gets."""

    def unknown(text: str) -> str:
        raise CannotMeasure(f"{text} is not known")

    step = step_with(read_steps, '{path: "/${green.image.tag}"}')
    with raises(CannotMeasure, "HG-CANNOT-MEASURE", "green.image.tag"):
        step.build(unknown)


def test_target_is_filled_in():
    """Host and identity take the deployment's values."""
    identity = Identity(header="X-App-Version", equals="${green.image.tag}")
    target = Target(host="${green.image.tag}.example.com", identity=identity)
    expected = Target(
        host="v2.example.com", identity=Identity(header="X-App-Version", equals="v2")
    )
    assert expected == target.build(substitute)


def test_empty_target_stays_empty():
    """Without a target there is nothing to fill in."""
    assert Target() == Target().build(substitute)


def test_empty_identity_is_refused():
    """An identity that any answer without the header would have proves nothing."""
    identity = Identity(header="X-App-Version", equals="${green.env.EMPTY}")
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE):
        Target(identity=identity).build(substitute)


def test_host_that_is_none_is_refused():
    """A value that makes no host name is the reason."""
    with raises(CannotMeasure, Code.PLAN_HOST, "/v2", "target.host"):
        Target(host="/${green.image.tag}").build(substitute)
