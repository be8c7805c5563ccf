"""Metric math, by the guide's own examples where it has one."""

import pytest

from hookgate_rehearsal.cloudwatch.math import (
    QueryError,
    Scope,
    TimeSeries,
    evaluate,
    names_in,
)


def series(*values):
    return TimeSeries(values=values, period=60.0)


N = None
METRICS = {
    "metric1": series(30.0, 20.0, 0.0, 0.0),
    "metric2": series(20.0, N, 20.0, N),
    "errors": series(1.0, N, 4.0, 0.0),
    "requests": series(10.0, 20.0, 8.0, 0.0),
    "none": series(N, N, N, N),
}
SCOPE = Scope(values=METRICS, metrics=tuple(METRICS), windows=4, period=60.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "metric1 < metric2",
            [0, 0, 1, 0],
        ),  # guide, "Comparison and logical operators"
        ("metric1 >= 30", [1, 0, 0, 0]),  # as above
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),  # as above
        ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 25 || metric2 > 15", [1, 0, 1, 0]),
        ("100 * errors / requests", [10, 0, 50, N]),
        ("errors / none", [N, N, N, N]),
        ("-metric2", [-20, N, -20, N]),
        ("requests ^ 2", [100, 400, 64, 0]),
        ("metric1 - MIN(metric1)", [30, 20, 0, 0]),
        ("SUM([errors, requests])", [11, 20, 12, 0]),
        ("AVG([errors, requests])", [5.5, 10, 6, 0]),  # "Missing values treated as 0"
        ("MAX([errors, metric2])", [20, N, 20, 0]),
        ("SUM(METRICS('err')) + SUM(METRICS(\"req\"))", [11, 20, 12, 0]),
        ("FILL(metric2, 0)", [20, 0, 20, 0]),
        ("FILL(metric2, metric1)", [20, 20, 20, 0]),
        ("FILL(metric2, REPEAT)", [20, 20, 20, 20]),
        ("IF(requests > 9, errors / requests, 0)", [0.1, 0, 0, 0]),
        ("IF(errors, 5)", [5, N, 5, N]),
        ("metric1 / PERIOD(metric1)", [0.5, 20 / 60, 0, 0]),
        ("TIME_SERIES(MAX(metric1))", [30, 30, 30, 30]),
        ("DIFF(requests)", [N, 10, -12, -8]),
        ("RATE(requests) * 60", [N, 10, -12, -8]),
        ("RUNNING_SUM(errors)", [1, 1, 5, 5]),
        ("MAX(RUNNING_SUM([errors, requests]))", [10, 30, 38, 38]),
        ("ABS(errors - requests)", [9, 20, 4, 0]),
        ("metric1 / METRIC_COUNT(METRICS())", [6, 4, 0, 0]),
    ],
)
def test_an_expression(text, expected):
    """Every value is the expected one, or missing where that is."""
    found = evaluate(text, SCOPE)

    assert expected == [v if v is None else pytest.approx(v) for v in found.values]


IF_TABLE = {
    "metric1": series(1.0, 1.0, 0.0, 0.0, N),
    "metric2": series(30.0, N, 0.0, 0.0, 30.0),
    "metric3": series(0.0, 0.0, 20.0, N, 20.0),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, N, N]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, N, N]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, N]),
    ],
)
def test_the_guides_tables_of_if(text, expected):
    """The tables under "Using IF expressions"."""
    scope = Scope(values=IF_TABLE, metrics=tuple(IF_TABLE), windows=5, period=60.0)

    assert expected == list(evaluate(text, scope).values)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metric1 +", "not a metric math"),
        ("unknown * 2", "no query has the id"),
        ("NOSUCH(metric1)", "no function NOSUCH"),
        ("__import__('os')", "no Constant"),
        ("metric1.values", "no Attribute"),
        ("metric1[0]", "no Subscript"),
        ("[x for x in METRICS()]", "no ListComp"),
        ("1 < metric1 < 2", "no Compare"),
        ("1 / 0", "division by zero"),
        ("ABS(1)", "time series"),
        ("ABS(metric1, metric2)", "ABS takes other arguments"),
        ("True", "not a number"),
        ("'text'", "no Constant"),
        ("m" * 3000, "at most 2048"),
        ("-" * 1500 + "metric1", "too large|not a metric math"),
        ("metric1 * " + "9" * 400, "too large"),
    ],
)
def test_what_is_no_expression(text, why):
    """It is refused, and nothing of Python's gets through."""
    with pytest.raises(QueryError, match=why):
        evaluate(text, SCOPE)


def test_the_ids_that_an_expression_names():
    """Functions and words are no ids."""
    assert {"a", "b"} == names_in("IF(a > 1 AND b, FILL(b, REPEAT), 3)")
