"""Moto: the memory of the services that need no engine, such as ELBv2 and S3.

Moto keeps its state in the process, so a process has at most one emulator at a time.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.endpoint.protocols import ApiError, service_model

ACCOUNT = "123456789012"  # moto's own default
_IN_USE = (
    threading.Lock()
)  # guards moto's own globals, which every emulator would share


class MotoState:
    """Moto's services behind a WSGI application, emptied at the start.

    Args:
        region: The one region of the emulator.
    """

    def __init__(self, region: str) -> None:
        if not _IN_USE.acquire(blocking=False):
            raise RuntimeError(
                "this process already has an emulator; close it first, since moto's "
                "state belongs to the process"
            )
        try:
            self._wsgi = _application()
        except BaseException:
            _IN_USE.release()
            raise
        self._region = region

    def close(self) -> None:
        """Let another emulator have moto."""
        _IN_USE.release()

    def backend(self, service: str) -> Any:
        """What moto remembers of a service."""
        backends: Any = importlib.import_module("moto.backends")
        region = "aws" if service == "iam" else self._region
        return backends.get_backend(service)[ACCOUNT][region]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as WSGI does."""
        return self._wsgi(environ, start_response)

    def call(
        self, service: str, operation: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call an operation of a JSON service.

        Raises:
            ApiError: Moto refuses.
        """
        from werkzeug.test import Client  # noqa: PLC0415 - only an emulator needs it

        prefix = service_model(service).metadata["targetPrefix"]
        response = Client(self._wsgi).post(
            "/",
            data=json.dumps(request),
            headers={
                "X-Amz-Target": f"{prefix}.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": authorization(service, self._region),
            },
        )
        content = json.loads(response.get_data() or b"{}")
        if response.status_code >= 400:
            code = str(content.get("__type", "ServerException")).split("#")[-1]
            raise ApiError(code, str(content.get("message") or content))
        return dict(content)


def authorization(service: str, region: str) -> str:
    """Make a header with the service and the region; moto checks no signature."""
    scope = f"rehearsal/20260101/{region}/{service}/aws4_request"
    return (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=rehearsal"
    )


def _application() -> Any:
    from moto.moto_api._internal.models import (  # noqa: PLC0415 - moto is slow to import
        moto_api_backend,
    )
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - as above
        DomainDispatcherApplication,
        create_backend_app,
    )

    for name in ("moto", "werkzeug"):
        logging.getLogger(name).setLevel(logging.ERROR)
    _slim_down()
    moto_api_backend.reset()
    return DomainDispatcherApplication(create_backend_app)


def _slim_down() -> None:
    """Drop EC2's catalogues of images and instance types, about 100 MB.

    ELBv2 and ECS need moto's EC2 for subnets only, and an emulator has no instances.
    """
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto.ec2.models import instance_types  # noqa: PLC0415 - moto is slow to import

    instance_types.INSTANCE_TYPE_OFFERINGS.clear()
    instance_types.INSTANCE_TYPES.clear()
