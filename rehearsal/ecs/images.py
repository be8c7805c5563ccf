"""Container images, which stand for local commands here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The local command that an image name stands for.

    Attributes:
        command: The program and its arguments; it listens on ``PORT``.
        environment: Variables that the image brings; the task definition's win.
        directory: Where to start it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


def local_command(words: Iterable[str]) -> tuple[str, ...]:
    """A command as a person writes it; ``python`` is this Python."""
    return tuple(sys.executable if word == "python" else word for word in words)


Images = Mapping[str, Image]


class CannotPullContainerError(LookupError):
    """No local command stands for the image."""


def find_image(images: Images, name: str) -> Image:
    """The command for an image.

    A name without tag or digest stands for every version of the image that has no
    command of its own.

    Raises:
        CannotPullContainerError: The scenario maps the image to none.
    """
    for each in (name, repository(name)):
        if each in images:
            return images[each]
    known = ", ".join(sorted(images)) or "none"
    message = (
        f"CannotPullContainerError: no local command stands for the image {name!r}; "
        f"the stage knows {known}"
    )
    raise CannotPullContainerError(message)


def repository(name: str) -> str:
    """An image's name without its tag and its digest; a registry's port stays."""
    place, slash, last = name.partition("@")[0].rpartition("/")
    return place + slash + last.partition(":")[0]
