"""Clients of AWS: one a service, made when it is first asked for."""

from __future__ import annotations

import threading
from typing import Any

#: A call makes at most ``ATTEMPTS`` attempts of ``CONNECT`` and ``READ`` seconds.
ATTEMPTS = 4
CONNECT = 1.0
READ = 2.0
#: A function may think for as long as Lambda lets it, and is invoked once.
_INVOKE_READ = 900.0


class Clients:
    """Makes boto3 clients, and keeps them for the life of the process."""

    def __init__(self) -> None:
        self._session: Any = None
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """The client of ``service``; making one is not safe without a lock."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 - slow, and not needed by every command
        from botocore.config import Config  # noqa: PLC0415 - as above

        once = service == "lambda"
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=_INVOKE_READ if once else READ,
            retries={
                "mode": "standard",
                "total_max_attempts": 1 if once else ATTEMPTS,
            },
            user_agent_extra="hookgate",
        )
        self._session = self._session or boto3.session.Session()
        return self._session.client(service, config=config)
