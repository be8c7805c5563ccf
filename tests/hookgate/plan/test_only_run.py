"""Validators that only ``hookgate run`` takes."""

from __future__ import annotations

import pytest

from hookgate.errors import PlanError
from hookgate.plan import read_plan
from hookgate.registry import resolve
from hookgate_cli.main import hookgate, run

PLAN = """version: 1
events:
  AfterAllowTestTraffic:
    - use: command
      with: {run: [./judge]}
"""


def test_deployed_plan_is_refused():
    """A plan for Lambda cannot start programs; the reason says what can."""
    with pytest.raises(PlanError) as refused:
        read_plan(PLAN, "shop.yaml", resolve)
    (problem,) = refused.value.problems
    assert ("HG-PLAN-ONLY-RUN", "shop.yaml:4:12") == (problem.code, str(problem.place))


def test_plan_for_run_is_read():
    """A plan for ``hookgate run`` can."""
    read_plan(PLAN, "shop.yaml", resolve, deployed=False)


@pytest.mark.parametrize(("options", "code"), [([], 2), (["--for-run"], 0)])
def test_lint(tmp_path, options, code):
    """Lint checks plans for deployments, unless --for-run is given."""
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    assert run(hookgate, ["lint", *options, str(file)]) == code
