"""Plans: the files that say which steps run at which lifecycle event."""

from hookgate.plan.budget import Budget, check_fits, worst_case
from hookgate.plan.files import Files, beside
from hookgate.plan.model import Identity, Plan, Step, Target
from hookgate.plan.placeholders import Variables
from hookgate.plan.reader import read_plan
from hookgate.plan.schema import PlanFile

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
