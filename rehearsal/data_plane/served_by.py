"""Who answered, by name: read from the access log."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.settings import Target


class ServedBy:
    """Count who answered at one listener; an observer for ``DataPlane.on_answer``.

    Args:
        listener_arn: the listener that counts.
        label: who a target is, such as its task definition; asked at each answer, as
            ports are used again.
    """

    def __init__(self, listener_arn: str, label: Callable[[Target], str]) -> None:
        self._listener_arn = listener_arn
        self._label = label
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._first: dict[str, float] = {}

    def __call__(self, record: AccessRecord) -> None:
        """Count an answer that a target gave."""
        if record.listener_arn != self._listener_arn or not record.is_served:
            return
        assert record.target is not None  # noqa: S101 - it served
        label = self._label(record.target)
        with self._lock:
            self._counts[label] += 1
            self._first[label] = min(
                record.started, self._first.get(label, record.started)
            )

    def counts(self) -> Mapping[str, int]:
        """How many requests each label has answered so far."""
        with self._lock:
            return dict(self._counts)

    def first(self, label: str) -> float | None:
        """When a label's first request was routed, in monotonic seconds."""
        with self._lock:
            return self._first.get(label)
