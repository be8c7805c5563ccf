"""What a pass hands on, and the reasons it keeps."""

import threading

import pytest
from support.services import EVENT, ORIGIN, PAYLOAD, Fakes, LambdaContext, NoPlan
from support.steps import a_step

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.invocation import run_hook
from hookgate.model import Finding, HookStatus
from hookgate.plan import Plan, Target


class Concurrent:
    """A source whose plan runs nine steps at the same time."""

    def __init__(self, *steps):
        self.steps = steps

    def plan(self, _deployment):
        return Plan(
            origin=ORIGIN,
            target=Target(),
            events={EVENT: self.steps},
            concurrency=len(self.steps),
        )


def test_concurrency():
    """The plan says how many steps run at the same time."""
    together = threading.Barrier(9)

    def check(_tools):
        together.wait(20)
        yield Finding(ok=True, summary="all are here")

    fakes = Fakes(plans=Concurrent(*(a_step(check, f"{n}") for n in range(9))))
    run_hook(EVENT, PAYLOAD, LambdaContext(), fakes.services)

    assert [HookStatus.SUCCEEDED] == fakes.status.reports


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(CannotMeasure("no plan"), id="known"),
        pytest.param(RuntimeError("a defect"), id="defect"),
        pytest.param(SystemExit("an exit"), id="exit"),
    ],
)
def test_reasons_of_both(error):
    """However the plan fails, discovery's reason is reported, too."""
    fakes = Fakes(plans=NoPlan(error))
    fakes.world.task_sets = []
    record = run_hook(EVENT, PAYLOAD, LambdaContext(), fakes.services)

    assert [("plan", True), ("discovery", True)] == [
        (each["name"], expected in each["reason"])
        for each, expected in zip(
            record["outcomes"], (str(error), "no task set of"), strict=True
        )
    ]


def test_defect_of_discovery():
    """However discovery fails, the plan's reason is reported, too."""
    fakes = Fakes(plans=NoPlan(CannotMeasure("no plan")))

    def defect(**_):
        raise KeyError("taskSets")

    fakes.world.answers["ecs", "describe_services"] = defect
    record = run_hook(EVENT, PAYLOAD, LambdaContext(), fakes.services)

    plan, discovery = record["outcomes"]
    assert "no plan" == plan["reason"]
    assert Code.HOOK_DEFECT == discovery["code"]
    assert "KeyError: 'taskSets'" in discovery["reason"]
