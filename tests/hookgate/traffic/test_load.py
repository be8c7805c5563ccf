"""The mix of a load."""

from __future__ import annotations

import itertools

import pytest

from hookgate.traffic.options import Load, RequestTemplate, Schedule


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param([1], [0, 0, 0], id="one"),
        pytest.param([1, 1], [0, 1, 0, 1], id="two equal"),
        pytest.param([5, 1, 1], [0, 0, 1, 0, 2, 0, 0], id="smooth"),
        pytest.param([10, 20], [1, 0, 1, 1, 0, 1], id="common divisor"),
    ],
)
def test_order(weights, expected):
    """Each template is sent by its weight, evenly spread."""
    templates = tuple(
        RequestTemplate(name=str(n), weight=w) for n, w in enumerate(weights)
    )
    order = Load(templates=templates, schedule=Schedule(ramps=())).order()
    assert expected == list(itertools.islice(order, len(expected)))
