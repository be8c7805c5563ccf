"""What a load came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookgate.traffic.tally import Latencies, Tally, total


@dataclass(slots=True, kw_only=True)
class Volley:
    """What came of the requests to one listener, by their names."""

    tallies: Mapping[str, Tally]

    @property
    def whole(self) -> Tally:
        """All of its requests."""
        return total(self.tallies.values())


@dataclass(slots=True, kw_only=True)
class Result:
    """What a load came to, so far or in the end.

    Args:
        test: what came of the requests to the test listener.
        production: the same of the yardstick's; None without one.
        lateness: by how much the generator itself was late to start requests.
        sending: seconds in which counted requests were started.
        stopped: whether it was ended early, because its outcome was certain.
    """

    test: Volley
    production: Volley | None = None
    lateness: Latencies = field(default_factory=Latencies)
    sending: float = 0.0
    stopped: bool = False
