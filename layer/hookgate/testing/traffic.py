"""A load by script, on the clock of a test."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookgate.errors import NoAnswer, NotGreen
from hookgate.probe import Probe, Request

if TYPE_CHECKING:
    from hookgate.traffic.load import Load
    from hookgate.traffic.result import Result, Volley
    from hookgate.traffic.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedTraffic:
    """Asks scripted probes for each request of a load, and lets no real time pass.

    ``late`` is by how many seconds the generator is late with each request.
    """

    test: Probe
    production: Probe
    late: float = 0.0

    def __call__(self, load: Load, settled: Callable[[Result], bool], /) -> Result:
        """Send ``load`` by the script."""
        from hookgate.traffic.result import Result, Volley  # noqa: PLC0415 - ddsketch is slow to import
        from hookgate.traffic.tally import Tally  # noqa: PLC0415 - as above

        def volley() -> Volley:
            return Volley(tallies={s.name: Tally(status=s.status) for s in load.shots})

        result = Result(test=volley(), production=volley() if load.yardstick else None)
        result.sending = load.pace.seconds - load.pace.warm_up
        turns = [itertools.cycle(each.asks) for each in load.shots]
        for number, (_, counts) in zip(load.order(), load.pace.moments(), strict=False):
            shot, (method, path) = load.shots[number], next(turns[number])
            asked = Request(
                method=method, path=path, headers=shot.headers, body=shot.body
            )
            if counts:
                result.lateness.add(self.late)
                _ask(self.test, asked, result.test.tallies[shot.name])
                if result.production:
                    _ask(self.production, asked, result.production.tallies[shot.name])
            if settled(result):
                result.stopped = True
                break
        return result


def _ask(probe: Probe, request: Request, tally: Tally) -> None:
    tally.sent += 1
    try:
        reply = probe(request)
    except NotGreen as error:
        tally.statuses[200] += 1
        tally.stranger(str(error))
        return
    except NoAnswer as error:
        tally.errors[str(error)] += 1
        return
    tally.statuses[reply.status] += 1
    tally.latencies.add(reply.duration)
