"""Hooks that the stage does not run: somebody else invokes the functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rehearsal.functions.function import function_name


class HeldHooks:
    """Stands for Lambda: writes each event to a file and leaves the rest to others.

    The deployment waits for a report as it would for any function, up to CodeDeploy's
    hour.

    Args:
        folder: Where the events go, a file named after each function.
        on_held: Told of each file that is written.
    """

    def __init__(self, folder: Path, on_held: Callable[[Path], None]) -> None:
        self._folder = folder
        self._on_held = on_held

    def invoke(self, **asked: Any) -> Mapping[str, Any]:
        """Write the event that CodeDeploy sends, in the manner of boto3's client."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{function_name(asked['FunctionName'])}.json"
        file.write_bytes(asked["Payload"])
        self._on_held(file)
        return {"StatusCode": 202}
