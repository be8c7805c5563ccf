"""Metrics in Embedded Metric Format, as functions write them on standard output.

Source: "Specification: Embedded metric format" in the CloudWatch user guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.cloudwatch.store import NO_UNIT, Metric, MetricStore

MOST_VALUES = 100
MOST_DIMENSIONS = 30


class EmfError(ValueError):
    """A line that means to be metrics, and cannot be read as such."""


def put_line(line: str, store: MetricStore) -> int:
    """Keep the metrics of a line of log; a line without any is none of ours.

    Returns:
        How many metrics it held, each set of dimensions counted.

    Raises:
        EmfError: It means to hold metrics, and breaks the specification.
    """
    if '"_aws"' not in line:
        return 0
    try:
        document = json.loads(line)
    except ValueError:
        return 0
    if not isinstance(document, dict) or not isinstance(document.get("_aws"), dict):
        return 0
    number = 0
    try:
        at = document["_aws"]["Timestamp"] / 1000
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for metric, unit, values in _metrics(directive, document):
                number += 1
                for value in values:
                    store.put(metric, value, at, unit=unit)
    except (KeyError, TypeError, AttributeError) as error:
        raise EmfError(f"{type(error).__name__}: {error}") from error
    return number


def _metrics(
    directive: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[tuple[Metric, str, list[float]]]:
    namespace = directive["Namespace"]
    for names in directive["Dimensions"]:
        if len(names) > MOST_DIMENSIONS:
            raise EmfError(f"a set of {len(names)} dimensions, of {MOST_DIMENSIONS}")
        dimensions = {name: str(document[name]) for name in names}
        for definition in directive["Metrics"]:
            name = definition["Name"]
            metric = Metric.of(namespace, name, dimensions)
            yield metric, definition.get("Unit", NO_UNIT), _values(document[name])


def _values(given: Any) -> list[float]:
    values = given if isinstance(given, list) else [given]
    if len(values) > MOST_VALUES:
        raise EmfError(f"{len(values)} values at once, of {MOST_VALUES}")
    if any(isinstance(each, bool | str) or each is None for each in values):
        raise EmfError(f"{given!r} is no number")
    return [float(each) for each in values]
