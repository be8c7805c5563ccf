"""Thresholds as a plan writes them: ``{error_rate: "< 0.1%", p95: "< 300ms"}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.bound import signed
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.traffic.threshold import PERCENTILE, STATUS, Threshold
from hookgate.units import duration, rate

_OF_BLUE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*%\s+of\s+blue")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
_COUNT = re.compile(r"[0-9]{1,9}")
_METRICS = "error_rate, dropped, rate, mean, p50 to p99.99, 5xx or 503"


def thresholds(value: object) -> Mapping[str, Threshold]:
    """Read ``{error_rate: "< 0.1%", p95: "< 300ms"}``.

    Raises:
        ValueError: a metric is unknown, or a bound is not one of it.
    """
    if not isinstance(value, Mapping):
        raise InvalidValue(
            'thresholds are a mapping such as {p95: "< 300ms"}', code=Code.PLAN_TYPE
        )
    found, wrong = {}, []
    for metric, bound in value.items():
        try:
            known = isinstance(bound, Threshold)
            found[str(metric)] = bound if known else _read(str(metric), bound)
        except ValueError as error:
            wrong.append(error)
    if wrong:
        said = "; ".join(str(each) for each in wrong)
        raise InvalidValue(said, code=getattr(wrong[0], "code", Code.OPTION_BOUND))
    return found


def _read(metric: str, written: object) -> Threshold:
    try:
        _demand_known(metric)
        sign, text = signed(written, _example(metric))
        kind, bound = _value(metric, text)
        _demand_possible(kind, metric, sign, text)
    except ValueError as error:
        raise InvalidValue.within(metric, error) from None
    return Threshold(
        metric=metric, sign=sign, bound=bound, kind=kind, text=f"{sign} {text}"
    )


def _value(metric: str, text: str) -> tuple[str, float]:
    timed = bool(PERCENTILE.fullmatch(metric)) or metric == "mean"
    relative = _OF_BLUE.fullmatch(text)
    if relative and (timed or metric == "error_rate"):
        return "blue", float(relative[1]) / 100
    if timed:
        return "duration", duration(text)
    if metric == "rate":
        return "rate", rate(text)
    share = _SHARE.fullmatch(text)
    if share and float(share[1]) <= 100:
        return "share", float(share[1]) / 100
    if metric != "error_rate" and _COUNT.fullmatch(text):
        return "count", float(text)
    raise InvalidValue(
        f"{text!r} is not a bound of it; write {_example(metric)!r}",
        code=Code.OPTION_BOUND,
    )


def _demand_possible(kind: str, metric: str, sign: str, text: str) -> None:
    if (kind, metric, sign) == ("blue", "error_rate", "<"):
        raise InvalidValue(
            f'nothing is below a blue without errors; write "<= {text}"',
            code=Code.OPTION_BOUND,
        )


def _demand_known(metric: str) -> None:
    if PERCENTILE.fullmatch(metric):
        if float(metric[1:]) == 0:
            raise InvalidValue(
                "no percentile; write p50 to p99.99", code=Code.THRESHOLD_METRIC
            )
    elif metric not in {"mean", "error_rate", "dropped", "rate"} and not (
        STATUS.fullmatch(metric)
    ):
        raise InvalidValue(
            f"unknown metric; there are: {_METRICS}", code=Code.THRESHOLD_METRIC
        )


def _example(metric: str) -> str:
    if metric == "rate":
        return ">= 49/s"
    if metric == "error_rate":
        return "< 0.1%"
    return "< 1%" if metric == "dropped" or STATUS.fullmatch(metric) else "< 300ms"


def _texts(value: Mapping[str, Threshold]) -> dict[str, str]:
    return {metric: each.text for metric, each in value.items()}


def _few(value: Mapping[str, Threshold]) -> Mapping[str, Threshold]:
    if len(value) > 20:
        raise InvalidValue("more than 20 thresholds", code=Code.PLAN_RANGE)
    return value


Thresholds = Annotated[
    Mapping[str, Any],
    BeforeValidator(thresholds),
    AfterValidator(_few),
    PlainSerializer(_texts, return_type=dict[str, str]),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "examples": [{"error_rate": "< 0.1%", "p95": "< 300ms"}],
        }
    ),
]
