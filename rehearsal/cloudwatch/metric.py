"""What names a metric: namespace, name and dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric; another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None
    ) -> Metric:
        """A metric whose dimensions are given in any order."""
        pairs = tuple(sorted((dimensions or {}).items()))
        return cls(namespace=namespace, name=name, dimensions=pairs)

    @classmethod
    def from_api(cls, given: Mapping[str, Any]) -> Metric:
        """The metric that ``Namespace``, ``MetricName`` and ``Dimensions`` name."""
        return cls.of(
            given["Namespace"],
            given["MetricName"],
            by_name(given.get("Dimensions") or ()),
        )

    def to_api(self) -> dict[str, Any]:
        """The metric as ListMetrics tells it."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in self.dimensions
            ],
        }


def by_name(dimensions: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """An API's list of dimensions as a mapping."""
    return {each["Name"]: each["Value"] for each in dimensions}
