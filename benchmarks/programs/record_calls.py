"""Write down the calls to AWS that a handler makes: ``record_calls MODULE FILE``."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

from benchmarks.programs.first_event import EVENT, Context


def main(module: str, file: str) -> None:
    """Answer one event, and keep what was asked of AWS in its order.

    Raises:
        SystemExit: the handler did not report Succeeded.
    """
    recorded: list[tuple[str, str, dict[str, Any]]] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        recorded.append((service, xform_name(model.name), dict(params)))

    boto3.setup_default_session()
    make = boto3.session.Session.client

    def client(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = make(self, *args, **kwargs)
        made.meta.events.register("provide-client-params.*.*", record)
        return made

    boto3.session.Session.client = client
    answer = importlib.import_module(module).handler(EVENT, Context())
    if answer["status"] != "Succeeded":
        raise SystemExit(str(answer["outcomes"]))
    Path(file).write_text(json.dumps(recorded))


if __name__ == "__main__":
    main(*sys.argv[1:])
