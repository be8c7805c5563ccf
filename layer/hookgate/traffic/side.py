"""One listener under load: its kinds of requests, and what they came to."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pycurl

from hookgate.http_probe.response import IdentityCheck
from hookgate.probe import Request
from hookgate.traffic.aim import Aim
from hookgate.traffic.flight import LOST, TIMED_OUT, Flight, Kind, Opener, words
from hookgate.traffic.load import Load
from hookgate.traffic.tally import Tally

_STATUS = pycurl.RESPONSE_CODE
_SENT = pycurl.REQUEST_SIZE
_FIRST = "answered in HTTP/1, not in HTTP/2"
#: What a request accepts unless its headers say otherwise.
ENCODINGS = ("gzip", "deflate")
_FORGOTTEN = "still under way when the time was over"


@dataclass(slots=True, kw_only=True, eq=False)
class Side:
    """A listener under load.

    Args:
        check: tells who answered; None when nothing can.
        turns: for each shot the kinds and URLs to ask for, for ever.
        tallies: what came of each shot, by its name.
        kinds: all kinds there are.
        most: how many requests may be under way.
        only_second: whether an answer must be in HTTP/2.
        in_flight: how many are.
    """

    check: IdentityCheck | None
    turns: tuple[Iterator[tuple[Kind, str]], ...]
    tallies: dict[str, Tally]
    kinds: tuple[Kind, ...]
    most: int
    only_second: bool
    in_flight: int = 0

    @classmethod
    def of(
        cls, aim: Aim, load: Load, check: IdentityCheck | None, opener: Opener
    ) -> Side:
        """A side that is ready to be loaded.

        Raises:
            CannotMeasure: a request cannot be sent, or would meet another rule than
                the listener's own.
        """
        kinds: list[Kind] = []
        turns, tallies = [], {}
        for shot in load.shots:
            tally = tallies[shot.name] = Tally(status=shot.status)
            own: dict[str, Kind] = {}
            asked = []
            for method, path in shot.asks:
                message = aim.manner.message(
                    Request(
                        method=method,
                        path=path,
                        headers=shot.headers,
                        body=shot.body,
                        encodings=ENCODINGS,
                    )
                )
                if method not in own:
                    own[method] = Kind(
                        aim=aim,
                        load=load,
                        message=message,
                        tally=tally,
                        opener=opener,
                        identified=check is not None,
                    )
                asked.append((own[method], message.url))
            kinds += own.values()
            turns.append(itertools.cycle(asked))
        return cls(
            check=check,
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
        only_second, check = self.only_second, self.check
        for flight in flights:
            kind = flight.kind
            if flight.counts:
                tally = kind.tally
                if flight.curl.getinfo(_SENT) > flight.most:
                    tally.errors[LOST] += 1
                elif flight.watched and (fault := flight.fault()):
                    tally.errors[fault] += 1
                elif only_second and not _second(flight):
                    tally.errors[_FIRST] += 1
                else:
                    tally.statuses[flight.curl.getinfo(_STATUS)] += 1
                    tally.latencies.add(now - flight.due)
                    if check is not None:
                        tally.stranger(check.unexpected(flight.head))
            if flight.watched:
                flight.learn()
                flight.forget()
            kind.waiting.append(flight)

    def failed(self, flight: Flight, now: float, code: int, message: str) -> None:
        """Count a request that got no answer."""
        self.in_flight -= 1
        if flight.counts:
            tally = flight.kind.tally
            tally.errors[words(code, message)] += 1
            if code == TIMED_OUT:
                tally.latencies.add(now - flight.due)
        if flight.watched:
            flight.forget()
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
