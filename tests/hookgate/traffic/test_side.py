"""What is counted of a listener's answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hookgate.http.response import IdentityCheck
from hookgate.traffic.flight import Flight
from hookgate.traffic.generator import Side
from hookgate.traffic.tally import Tally

GREEN = ("X-App-Version", "v2")
NOBODY = "an unidentified server (no header X-App-Version)"
HEAD = [b"HTTP/1.1 200 OK\r\n", b"X-App-Version: v2\r\n", b"\r\n"]


def answered(head, *, counts=True):
    """What came of one answer with such a head, where green has to prove itself."""
    tally = Tally()
    side = Side(
        check=IdentityCheck.of(GREEN, wanted=True),
        turns=(),
        tallies={},
        kinds=(),
        most=1,
        only_second=False,
        in_flight=1,
    )
    kind = SimpleNamespace(tally=tally, waiting=[], identified=True, plain=set())
    curl = SimpleNamespace(getinfo=lambda _: 200)
    flight = Flight(
        curl=curl, kind=kind, head=head, watched=True, most=1000, counts=counts
    )
    side.answered([flight], 0.1)
    assert (0, [flight]) == (side.in_flight, kind.waiting)
    return tally


@pytest.mark.parametrize(
    ("head", "strangers"),
    [
        pytest.param([*HEAD], {}, id="green"),
        pytest.param([HEAD[0]], {NOBODY: 1}, id="none"),
        pytest.param([], {NOBODY: 1}, id="no head"),
    ],
)
def test_proof(head, strangers):
    """An answer without a proof is a stranger's, even one without any header."""
    tally = answered(head)
    assert ({200: 1}, strangers) == (tally.statuses, tally.strangers)


def test_warm_up():
    """An answer that does not count is nobody's, and its head is forgotten."""
    head = [HEAD[0]]
    tally = answered(head, counts=False)
    assert (0, 0, []) == (tally.samples, tally.strangers.total(), head)
