"""Whether a load can decide anything at all, told when the plan is read."""

from __future__ import annotations

from collections.abc import Sequence

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.traffic.load import SAFE, Load
from hookgate.traffic.threshold import Threshold

#: More than a hook's hour could be used for.
MOST_REQUESTS = 10_000_000


def demand(
    load: Load, min_samples: int, bounds: Sequence[tuple[Threshold, str, int]]
) -> None:
    """Demand that a load can decide.

    Args:
        load: what is sent.
        min_samples: how many requests must have ended.
        bounds: each bound, the name it is on if any, how many requests that plans.

    Raises:
        ValueError: it cannot; says what to write instead.
    """
    _named([each.name for each in load.shots])
    planned = load.pace.requests
    if planned > MOST_REQUESTS:
        raise InvalidValue(
            f"{planned} requests; at most {MOST_REQUESTS} can be sent",
            code=Code.TRAFFIC_SIZE,
        )
    if planned < min_samples:
        raise InvalidValue(
            f"sends {planned} requests, and min_samples is {min_samples}: it could "
            "never decide; send more, or lower min_samples",
            code=Code.TRAFFIC_UNDECIDABLE,
        )
    for bound, name, share in bounds:
        if share < bound.least:
            raise InvalidValue(
                f"{bound.subject(name)} of {share} requests is their slowest; send at "
                f"least {bound.least}",
                code=Code.TRAFFIC_UNDECIDABLE,
            )
    unsafe = {method for each in load.shots for method, _ in each.asks} - SAFE
    if load.yardstick and unsafe:
        raise InvalidValue(
            f"{', '.join(sorted(unsafe))}: 'of blue' sends every request to customers' "
            f"production too; only {', '.join(sorted(SAFE))} may go there",
            code=Code.TRAFFIC_UNSAFE,
        )


def _named(names: Sequence[str]) -> None:
    if not names:
        raise InvalidValue(
            "there is nothing to send; write requests", code=Code.PLAN_MISSING_KEY
        )
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice is not None:
        raise InvalidValue(
            f"two requests are called {twice!r}; give each a name",
            code=Code.TRAFFIC_NAME_TWICE,
        )
