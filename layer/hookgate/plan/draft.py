"""A step while a plan is being read: what can be made of it, right or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate.errors import Place
from hookgate.model import LifecycleEvent
from hookgate.plan.composer import Path
from hookgate.plan.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One item of an event's list, as far as it has the right shape.

    ``event`` is None under a key that is no lifecycle event, ``use`` where the item
    names no validator. Whether the shape is right is the schema's business.
    """

    document: Document
    path: Path
    event: LifecycleEvent | None
    name: str
    use: str | None = None
    needs: tuple[str, ...] = ()
    blocking: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, path: Path, item: object) -> Draft:
        """Take from ``item``, which stands at ``path``, what is of the right type."""
        said = item if isinstance(item, dict) else {}
        use, name, options = said.get("use"), said.get("name"), said.get("with")
        use = use if isinstance(use, str) else None
        return cls(
            document=document,
            path=path,
            event=next((each for each in LifecycleEvent if each == path[1]), None),
            name=name if isinstance(name, str) else use or "",
            use=use,
            needs=_texts(said.get("needs")),
            blocking=said.get("blocking") is not False,
            options=options if isinstance(options, dict) else {},
        )

    @property
    def place(self) -> Place:
        """Where the step starts."""
        return self.document.value(self.path)

    def value(self, *inner: str | int) -> Place:
        """Where a value of the step stands."""
        return self.document.value((*self.path, *inner))

    def key(self, *inner: str | int) -> Place:
        """Where a key of the step stands."""
        return self.document.key((*self.path, *inner))

    @property
    def name_place(self) -> Place:
        """Where the step gets its name: from ``name``, else from ``use``."""
        named = (*self.path, "name") in self.document.values
        return self.value("name" if named else "use")


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(each for each in items if isinstance(each, str))
