"""Files beside a plan: data, bodies and steps that it includes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hookgate.errors import InputError

#: Reads a file by its name relative to the plan; raises InputError if it cannot.
Files = Callable[[str], bytes]

#: Of one file, and of all files of one plan's step.
MOST_BYTES = 1024 * 1024
MOST_FILES = 50

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*(?:/[A-Za-z0-9_][A-Za-z0-9_. -]*)*")


@dataclass(frozen=True, slots=True)
class Beside:
    """Reads files from the folder of a plan, and from nowhere else."""

    folder: Path

    def __call__(self, name: str) -> bytes:
        """The content of a file."""
        path = (self.folder / checked(name)).resolve()
        if not path.is_relative_to(self.folder):
            raise InputError(f"{name} leads out of the plan's folder")
        if not path.is_file():
            raise InputError(f"there is no file {name} beside the plan")
        with path.open("rb") as file:
            return bounded(file.read(MOST_BYTES + 1), name)


def beside(plan: Path) -> Beside:
    """The files in the folder of a plan."""
    return Beside(plan.resolve().parent)


def large(name: str, files: Files) -> str:
    """Where a file is that is too large to be a part of a plan, such as a log.

    Raises:
        InputError: it is not there, or the plan has no such files beside it.
    """
    if Path(name).is_absolute():
        return name
    if isinstance(files, Beside):
        path = files.folder / name
        if path.is_file():
            return str(path)
        raise InputError(f"there is no file {name} beside the plan")
    raise InputError(
        f"{name} cannot be read: a log is beside a plan only "
        "where the plan is a file. Write s3://bucket/key, or the log's full path"
    )


def nowhere(plan: str) -> Files:
    """Say that a plan that is no file has no files beside it."""

    def read(name: str) -> bytes:
        raise InputError(
            f"{name} cannot be read: the plan {plan} has no files beside it. Keep the "
            "plan in an S3 bucket or in hooks/plans/, or write the content out"
        )

    return read


def checked(name: str) -> str:
    """Check a file's name.

    Raises:
        InputError: it could lead out of the plan's folder.
    """
    if len(name) > 200 or not _NAME.fullmatch(name) or "/." in f"/{name}":
        raise InputError(
            f"{name[:64]!r} is no file beside the plan: write a name such as "
            "data/users.csv, below the plan's own folder"
        )
    return name


def bounded(content: bytes, name: str) -> bytes:
    """Check a file's size.

    Raises:
        InputError: it is too large.
    """
    if len(content) > MOST_BYTES:
        raise InputError(f"{name} is larger than {MOST_BYTES // 1024} KiB")
    return content
