"""Plans as a whole: the gallery, what a plan becomes, and what must never happen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import Place, PlanError
from hookgate.model import LifecycleEvent
from hookgate.plan import Identity, Plan, Target

Read = Callable[[str | bytes], Plan]

PLANS = Path(__file__).parents[2] / "plans"
INVALID = sorted((PLANS / "invalid").glob("*.yaml"))
VALID = sorted((PLANS / "valid").glob("*.yaml"))
TEST_TRAFFIC = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


def coded(refused: PlanError) -> list[str]:
    """The place and the code of every problem."""
    return [
        f"{each.place.line}:{each.place.column} {each.code}"
        for each in refused.problems
    ]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_mistake_is_reported(path: Path, read: Read):
    """A wrong plan is refused, and every problem names its place and what to do."""
    expected = path.with_suffix(".expected.txt").read_text("utf-8").splitlines()
    with pytest.raises(PlanError) as refused:
        read(path.read_bytes())
    assert expected == coded(refused.value)


def test_every_mistake_has_its_messages():
    """No expected message is left without a plan that causes it."""
    expected = [path.name for path in sorted((PLANS / "invalid").glob("*.txt"))]
    assert expected == [f"{path.stem}.expected.txt" for path in INVALID]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_plan_is_read(path: Path, read: Read):
    """A right plan is read, and each of its events has steps."""
    plan = read(path.read_bytes())
    assert all(plan.steps(event) for event in plan.events)


@pytest.fixture(scope="module")
def storefront(read: Read) -> Plan:
    """The example of the design."""
    return read((PLANS / "valid" / "storefront.yaml").read_text("utf-8"))


def test_target_is_kept_as_written(storefront: Plan):
    """The target holds its placeholders until a deployment is known."""
    identity = Identity(header="X-App-Version", equals="${green.image.tag}")
    assert Target(host="shop.example.com", identity=identity) == storefront.target


def test_events_are_in_the_order_of_a_deployment(read: Read):
    """Events come in CodeDeploy's order, whatever the file's."""
    plan = read(
        "version: 1\nevents:\n  BeforeAllowTraffic: [{use: target_health}]\n"
        "  AfterInstall: [{use: target_health}]\n"
    )
    expected = [LifecycleEvent.AFTER_INSTALL, LifecycleEvent.BEFORE_ALLOW_TRAFFIC]
    assert expected == list(plan.events)


def test_steps_keep_their_needs(storefront: Plan):
    """A step knows the names of the steps it needs."""
    steps = storefront.steps(TEST_TRAFFIC)
    assert [("home page", ()), ("browsing load", ("home page",))] == [
        (step.name, step.needs) for step in steps
    ]


def test_step_is_named_after_its_validator_by_default(storefront: Plan):
    """A step without a name has its validator's."""
    step = storefront.steps(LifecycleEvent.AFTER_INSTALL)[0]
    assert ("target_health", "target_health") == (step.name, step.use)


def test_timeout_is_the_worst_case_and_a_margin_by_default(storefront: Plan):
    """A step is cut off a second after the longest time its validator says."""
    step = storefront.steps(LifecycleEvent.AFTER_INSTALL)[0]
    assert 301.0 == step.timeout


def test_place_of_a_step_is_its_first_key(storefront: Plan):
    """A step knows where it stands, for later messages."""
    step = storefront.steps(LifecycleEvent.AFTER_INSTALL)[0]
    assert Place("plan.yaml", 11, 7) == step.place


def test_opt_outs_are_kept(read: Read):
    """What a plan asks less of is not lost."""
    plan = read((PLANS / "valid" / "every-key.yaml").read_text("utf-8"))
    step = plan.steps(TEST_TRAFFIC)[1]
    assert (False, "pass", 0.5) == (step.blocking, step.on_no_data, step.timeout)


def test_concurrency_is_eight_by_default(storefront: Plan):
    """Eight steps run at the same time if a plan does not say otherwise."""
    assert 8 == storefront.concurrency


def test_problem_names_file_line_and_column(read: Read):
    """The error as a text has one line for each problem, with its place."""
    with raises(PlanError, Code.PLAN_MISSING_KEY, "plan.yaml:1:1"):
        read("version: 1")


def test_problems_are_bounded(read: Read):
    """A plan of thousands of mistakes does not fill the logs."""
    with pytest.raises(PlanError) as refused:
        read("".join(f"key{index}: 1\n" for index in range(4000)))
    assert 51 == len(refused.value.problems)


def test_rest_of_the_problems_is_counted(read: Read):
    """Problems that are not spelled out are not hidden either."""
    with pytest.raises(PlanError) as refused:
        read("".join(f"key{index}: 1\n" for index in range(4000)))
    last = refused.value.problems[-1]
    assert (Code.PLAN_MORE, True) == (last.code, "3952" in last.message)


def test_too_many_steps_are_refused(read_steps: Callable[[str], Plan]):
    """An event has at most a thousand steps."""
    steps = ", ".join("{use: target_health}" for _ in range(1001))
    with raises(PlanError, Code.PLAN_RANGE, "1000"):
        read_steps(f"[{steps}]")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x" * 10_000_000, id="text"),
        pytest.param(b"[" * 10_000_000, id="brackets"),
        pytest.param(b"\x00" * 10_000_000, id="zeros"),
    ],
)
def test_ten_megabytes_are_refused_unread(source: str | bytes, read: Read):
    """A file far too large is refused for its size, before anything looks at it."""
    with raises(PlanError, Code.FILE_SIZE):
        read(source)


@pytest.mark.parametrize(
    "unit",
    ["[", "{", "- ", "? ", "a: ", "&a ", "!", "*a ", '"', "[a,", "{a: ", "%", "|\n"],
)
def test_largest_hostile_plan_is_refused(unit: str, read: Read):
    """The largest plan of nothing but one of YAML's signs is refused, not read."""
    with pytest.raises(PlanError):
        read((unit * 262_144)[:262_144])


_WORDS = st.sampled_from(
    [
        *"[]{},:-?&*!|>'\"%@`#\n\t ",
        *("version: 1\n", "events:\n", "  AfterInstall:\n", "  - use: http\n"),
        *("    with: {", "path: /", "needs: [http]", "name: a", "<<: ", "${", "}"),
        *("within: 5s", "blocking: false", "null", ".nan", "1e999", "\x00", "\ud800"),
    ]
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.one_of(st.binary(), st.text(), st.lists(_WORDS).map("".join)))
def test_anything_is_a_plan_or_refused(read: Read, source: str | bytes):
    """Whatever is read, the only exception is PlanError."""
    assert _is_decided(read, source)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["http", "traffic", "5s", "50/s", "${event}", "${", "$${"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text()
            | st.sampled_from(
                [
                    *("version", "target", "host", "identity", "header", "equals"),
                    *("events", "concurrency", "AfterInstall", "BeforeInstall"),
                    *("use", "name", "with", "needs", "blocking", "timeout"),
                    *("on_no_data", "path", "requests", "rate", "duration"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(target=_VALUES, events=_VALUES, step=_VALUES, options=_VALUES)
def test_any_data_is_a_plan_or_refused(
    read: Read, target: object, events: object, step: object, options: object
):
    """Whatever stands where in a plan, the only exception is PlanError."""
    steps = [
        step,
        {"use": "http", "with": options},
        {"use": "traffic", "with": options},
    ]
    for each in (events, {"AfterAllowTestTraffic": steps}):
        data = {"version": 1, "target": target, "events": each}
        assert _is_decided(read, json.dumps(data))


def _is_decided(read: Read, source: str | bytes) -> bool:
    """Whether a plan is read, or refused with at least one problem."""
    try:
        return bool(read(source).events)
    except PlanError as refused:
        return bool(refused.problems)
