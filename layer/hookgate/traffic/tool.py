"""What a validator loads a listener with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.http.response import IdentityCheck
from hookgate.traffic.flight import Aim, Target
from hookgate.traffic.generator import Generator, Side, Sockets
from hookgate.traffic.options import Load
from hookgate.traffic.tally import Result, Volley


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficTool:
    """Loads the test listener, and the production listener beside it when asked to.

    Args:
        test: the listener that serves the replacement; or why there is none.
        production: the listener that serves the original; or why there is none.
        deadline: bounds every load.
    """

    test: Target | str
    production: Target | str
    deadline: Deadline

    def __call__(self, load: Load, settled: Callable[[Result], bool], /) -> Result:
        """Send ``load``; returns when all of it has ended, or when the time is over.

        Args:
            load: what to send.
            settled: whether the outcome is certain, so that no more need be sent.

        Raises:
            CannotMeasure: there is no such listener, or it may not be asked.
            NoAnswer: its name does not resolve.
        """
        targets = [_there(self.test)]
        if load.yardstick:
            targets.append(_there(self.production))
        for each in targets:
            each.examine()
        name = load.trust.server_name
        aims = [Aim.at(each, self.deadline.remaining, name) for each in targets]
        sockets = Sockets({address for aim in aims for address in aim.addresses})
        sides = []
        for wanted, aim, target in zip((True, False), aims, targets, strict=False):
            check = IdentityCheck.of(target.identity, wanted=wanted)
            sides.append(Side.of(aim, load, check, sockets.open))
        volleys = [Volley(tallies=side.tallies) for side in sides]
        result = Result(
            test=volleys[0], production=volleys[1] if load.yardstick else None
        )
        Generator(
            load=load,
            sides=tuple(sides),
            sockets=sockets,
            until=monotonic() + self.deadline.remaining,
            settled=settled,
            result=result,
        ).run()
        return result


def _there(target: Target | str) -> Target:
    if isinstance(target, str):
        raise CannotMeasure(f"traffic: {target}", code=Code.HTTP_NO_LISTENER)
    return target
