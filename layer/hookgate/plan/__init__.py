"""Plans: the files that say which steps run at which lifecycle event."""

from hookgate.plan.budget import Budget, check_fits, worst_case
from hookgate.plan.model import Identity, Plan, PlanFile, Step, Target
from hookgate.plan.options import Files, beside
from hookgate.plan.placeholders import Variables
from hookgate.plan.reader import read_plan

__all__ = [
    "Budget",
    "Files",
    "Identity",
    "Plan",
    "PlanFile",
    "Step",
    "Target",
    "Variables",
    "beside",
    "check_fits",
    "read_plan",
    "worst_case",
]
