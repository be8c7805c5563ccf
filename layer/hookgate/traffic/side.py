"""One listener under load: its kinds of requests, and what they came to."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pycurl

from hookgate.traffic.aim import Aim
from hookgate.traffic.flight import TIMED_OUT, Flight, Kind, Opener, words
from hookgate.traffic.load import Load, Shot
from hookgate.traffic.proof import Proof
from hookgate.traffic.tally import Tally

_STATUS = pycurl.RESPONSE_CODE
_FIRST = "answered in HTTP/1, not in HTTP/2"
_FORGOTTEN = "still under way when the time was over"


@dataclass(slots=True, kw_only=True, eq=False)
class Side:
    """A listener under load.

    Args:
        proof: tells who answered; None when nothing can.
        turns: for each shot the kinds and URLs to ask for, for ever.
        tallies: what came of each shot, by its name.
        kinds: all kinds there are.
        most: how many requests may be under way.
        only_second: whether an answer must be in HTTP/2.
        in_flight: how many are.
    """

    proof: Proof | None
    turns: tuple[Iterator[tuple[Kind, str]], ...]
    tallies: dict[str, Tally]
    kinds: tuple[Kind, ...]
    most: int
    only_second: bool
    in_flight: int = 0

    @classmethod
    def of(cls, aim: Aim, load: Load, proof: Proof | None, opener: Opener) -> Side:
        """A side that is ready to be loaded.

        Raises:
            CannotMeasure: a request cannot be sent, or would meet another rule than
                the listener's own.
        """
        kinds: list[Kind] = []
        turns, tallies = [], {}
        for shot in load.shots:
            tallies[shot.name] = Tally(status=shot.status)
            own = {
                method: Kind(
                    aim=aim,
                    load=load,
                    method=method,
                    headers=aim.said(shot.headers),
                    body=shot.body,
                    tally=tallies[shot.name],
                    opener=opener,
                    proven=proof is not None,
                )
                for method in dict.fromkeys(method for method, _ in shot.asks)
            }
            kinds += own.values()
            turns.append(itertools.cycle(_asked(shot, aim, own)))
        return cls(
            proof=proof,
            turns=tuple(turns),
            tallies=tallies,
            kinds=tuple(kinds),
            most=load.max_in_flight,
            only_second=load.http_version == "2",
        )

    def next(self, numbers: Iterable[int], due: float, *, counts: bool) -> list[Flight]:
        """The next requests of these shots, but for those that have to be dropped."""
        turns, free = self.turns, self.most - self.in_flight
        flights: list[Flight] = []
        for number in numbers:
            kind, url = next(turns[number])
            if len(flights) >= free:
                kind.tally.dropped += counts
                continue
            waiting = kind.waiting
            flight = waiting.pop() if waiting else kind.make()
            if flight.url is not url:
                flight.ask(url)
            flight.side, flight.due, flight.counts = self, due, counts
            kind.tally.sent += counts
            flights.append(flight)
        self.in_flight += len(flights)
        return flights

    def answered(self, flights: Collection[Flight], now: float) -> None:
        """Count answers; together they cost less than one by one."""
        self.in_flight -= len(flights)
        only_second = self.only_second
        for flight in flights:
            kind = flight.kind
            if flight.counts:
                tally = kind.tally
                if only_second and not _second(flight):
                    tally.errors[_FIRST] += 1
                else:
                    tally.statuses[flight.curl.getinfo(_STATUS)] += 1
                    tally.latencies.add(now - flight.due)
                    if flight.head is not None and self.proof is not None:
                        tally.stranger(self.proof.stranger(flight.head))
            if flight.head:
                flight.head.clear()
            kind.waiting.append(flight)

    def failed(self, flight: Flight, now: float, code: int, message: str) -> None:
        """Count a request that got no answer."""
        self.in_flight -= 1
        if flight.counts:
            tally = flight.kind.tally
            tally.errors[words(code, message)] += 1
            if code == TIMED_OUT:
                tally.latencies.add(now - flight.due)
        if flight.head:
            flight.head.clear()
        flight.kind.waiting.append(flight)

    def forgotten(self, flight: Flight, now: float) -> None:
        """Count a request that is still under way at the end."""
        if flight.counts:
            flight.kind.tally.errors[_FORGOTTEN] += 1
            flight.kind.tally.latencies.add(now - flight.due)

    def close(self) -> None:
        """Close all handles that are not under way."""
        for each in self.kinds:
            each.close()


def _second(flight: Flight) -> bool:
    """Whether the answer was in HTTP/2; TLS lets a server choose 1.1 instead."""
    version = flight.curl.getinfo(pycurl.INFO_HTTP_VERSION)
    return bool(version == pycurl.CURL_HTTP_VERSION_2_0)


def _asked(shot: Shot, aim: Aim, kinds: dict[str, Kind]) -> list[tuple[Kind, str]]:
    asked = [(kinds[method], aim.url(path)) for method, path in shot.asks]
    for kind, url in asked:
        aim.demand(url, kind.headers)
    return asked
