"""One thread that hands notifications over, so that nobody waits for a subscriber."""

from __future__ import annotations

import ipaddress
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

_LOGGER = logging.getLogger(__name__)
#: SNS's own tries without a pause between them.
TRIES = 3
TIMEOUT = 5.0  # seconds for a subscriber's answer
MOST_WAITING = 1000

Errand = Callable[[], object]


class NotLocalError(ValueError):
    """A subscriber is not on this machine; a rehearsal tells nobody else."""


class Postman:
    """Runs errands one after the other until closed; further ones are then dropped.

    Args:
        host: The stage's own address, which counts as local beside loopback.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._errands: queue.Queue[Errand | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(
            target=self._run, name="notifications", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Run what is waiting, and stop."""
        self._errands.put(None)
        self._thread.join()

    def send(self, errand: Errand) -> None:
        """Have an errand run soon; it must not be waited for."""
        try:
            self._errands.put_nowait(errand)
        except queue.Full:
            _LOGGER.warning("a notification is lost: %s are waiting", MOST_WAITING)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> None:
        """Post to a subscriber on this machine, up to three times.

        Raises:
            NotLocalError: The subscriber is elsewhere.
            requests.RequestException: It does not take it.
        """
        import requests  # noqa: PLC0415 - most rehearsals notify nobody

        self._check(url)
        for tried in range(1, TRIES + 1):
            try:
                requests.post(
                    url,
                    data=body.encode(),
                    headers=dict(headers),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ).raise_for_status()
            except requests.RequestException:
                if tried == TRIES:
                    raise
            else:
                return

    def _check(self, url: str) -> None:
        name = urlsplit(url).hostname or ""
        try:
            is_local = ipaddress.ip_address(name).is_loopback
        except ValueError:
            is_local = name == "localhost"
        if not is_local and name != self._host:
            raise NotLocalError(f"{url} is not on this machine")

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                errand()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next one is due
                _LOGGER.warning("a notification was not handed over: %r", error)
