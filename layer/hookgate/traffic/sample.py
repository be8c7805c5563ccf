"""An even sample of a log, in memory that does not grow with the log."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from hookgate.traffic.access_log import HEAD, asked

_SEED = 2718  # the same log gives the same sample


@dataclass(slots=True, kw_only=True)
class Sample:
    """An even sample of the requests in a log.

    Algorithm L of K.-H. Li, "Reservoir-Sampling Algorithms of Time Complexity
    O(n(1+log(N/n)))", ACM TOMS 20 (1994). Every line's fields before the request and
    its quotes are looked at; those of the lines that get into the sample are read
    whole.

    Args:
        size: how many requests to keep at most.
        methods: the methods to take.
        statuses: the first digits of the statuses to take.
        lines: how many lines there were.
        usable: how many of them are requests to take.
        malformed: how many are no entries.
        first_malformed: the number of the first of them.
        left: how many are other requests, by method or status.
        kept: number of the line, method and path of each that was kept.
    """

    size: int
    methods: Collection[bytes]
    statuses: Collection[bytes]
    lines: int = 0
    usable: int = 0
    malformed: int = 0
    first_malformed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[int, str, str]] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 - a sample, no secret
    _weight: float = 1.0
    _next: int = 1

    def take(self, lines: list[bytes]) -> None:
        """Look at further lines of the log."""
        methods, statuses = self.methods, self.statuses
        number = self.lines
        for line in lines:
            number += 1
            parts = line.split(b'"', 2)
            head = parts[0].split(b" ")
            if len(parts) != 3 or len(head) != HEAD + 1:
                self._malformed(line, number)
                continue
            method = parts[1].partition(b" ")[0]
            if method not in methods or head[8][:1] not in statuses:
                self._leave(method, head[8])
                continue
            self.usable += 1
            if self.usable >= self._next:
                self._keep(line, number)
        self.lines = number

    def _malformed(self, line: bytes, number: int) -> None:
        if line:
            self.malformed += 1
            self.first_malformed = self.first_malformed or number

    def _leave(self, method: bytes, status: bytes) -> None:
        if method in self.methods:
            why = f"status {status[:3].decode('ascii', 'replace')}"
        elif method.isalpha() and len(method) <= 10:
            why = method.decode()
        else:
            why = "no request"
        known = why in self.left or len(self.left) < 50
        self.left[why if known else "others"] += 1

    def _keep(self, line: bytes, number: int) -> None:
        found = asked(line)
        if found is None:
            self.usable -= 1
            self._malformed(line, number)
            return
        if len(self.kept) < self.size:
            self.kept.append((number, *found))
            self._next += 1
            if len(self.kept) == self.size:
                self._skip()
            return
        self.kept[self._chance.randrange(self.size)] = (number, *found)
        self._skip()

    def _skip(self) -> None:
        """Say which usable line is kept next: those between are not looked at again."""
        draw = 1.0 - self._chance.random()
        self._weight *= math.exp(math.log(draw) / self.size)
        gap = math.log(1.0 - self._chance.random()) / math.log1p(-self._weight)
        self._next = self.usable + math.floor(gap) + 1
