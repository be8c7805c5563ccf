"""Alarm states by AWS's own tables, whose rows stand in evaluation_cases.yaml."""

from pathlib import Path

import pytest
import yaml

from hookgate_rehearsal.cloudwatch.alarm import (
    AlarmState,
    Condition,
    MissingData,
    judge,
)

TABLES = yaml.safe_load(
    Path(__file__).with_name("evaluation_cases.yaml").read_text(encoding="utf-8")
)
VALUES = {"0": 0.0, "X": 9.0, "-": None}
CASES = [
    pytest.param(
        table["needed"],
        table["of"],
        row["points"],
        treatment,
        row[treatment],
        id=f"{table['needed']} of {table['of']}: {row['points']}: {treatment}",
    )
    for table in TABLES
    for row in table["rows"]
    for treatment in MissingData
]


def condition(**changes):
    usual = {
        "comparison": "GreaterThanThreshold",
        "threshold": 3.0,
        "of": 1,
        "needed": 1,
        "missing": MissingData.MISSING,
    }
    return Condition(**usual | changes)


@pytest.mark.parametrize(("needed", "of", "points", "missing", "expected"), CASES)
def test_a_row_of_the_guides_tables(needed, of, points, missing, expected):
    """The state is the one that the row names for that treatment of missing data."""
    judged = judge(
        [VALUES[point] for point in points.split()],
        condition(needed=needed, of=of, missing=missing),
    )

    assert (None if expected == "keep" else AlarmState(expected)) == judged


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [3.0, 4.0]),
        ("GreaterThanThreshold", [4.0]),
        ("LessThanThreshold", [2.0]),
        ("LessThanOrEqualToThreshold", [2.0, 3.0]),
    ],
)
def test_a_comparison(comparison, breaching):
    """Values below, at and above the threshold breach it as the name says."""
    asked = condition(comparison=comparison)

    assert breaching == [v for v in (2.0, 3.0, 4.0) if asked.is_breached_by(v)]
