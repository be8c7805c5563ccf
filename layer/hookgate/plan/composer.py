"""Turns YAML's events into plain data, one at a time and without recursion.

No object is ever constructed, and what makes YAML surprising (anchors, aliases, tags,
merge keys, keys that are not text) is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from hookgate.codes import Code
from hookgate.errors import Place
from hookgate.plan.problems import Problems, shown
from hookgate.plan.scalar import plain

#: The keys and indices that lead to a value.
Path = tuple[str | int, ...]

MOST_NODES = 10_000
DEEPEST = 32

# Part of the path of what is read only to be checked, such as a duplicate key's value.
_NOWHERE = -1


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open, and the place for its next value."""

    path: Path
    into: dict[str, Any] | list[Any]
    seen: dict[str, Place] = field(default_factory=dict)
    key: str | None = None
    keep: bool = True

    @property
    def wants_key(self) -> bool:
        return isinstance(self.into, dict) and self.key is None

    @property
    def next_path(self) -> Path:
        if isinstance(self.into, list):
            return (*self.path, len(self.into))
        key = self.key or ""
        return (*self.path, key) if self.keep else (*self.path, key, _NOWHERE)


@dataclass(slots=True)
class Composer:
    """What has been read so far: data, places, and problems that did not stop it."""

    file: str
    problems: Problems = field(default_factory=Problems)
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    documents: list[Any] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _nodes: int = 0

    def take(self, event: yaml.Event) -> None:
        """Read one event.

        Raises:
            PlanError: what comes cannot or must not be read.
        """
        if isinstance(event, yaml.DocumentStartEvent):
            if self.documents:
                self._stop(
                    event,
                    Code.YAML_FEATURE,
                    "a second document starts here; a file is one",
                )
            if event.version or event.tags:
                self._wrong(
                    event,
                    Code.YAML_FEATURE,
                    "Hookgate takes no '%' directive; remove the line",
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            self._frames.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._count(event)
            self._refuse_magic(event)
            self._node(event)

    def _count(self, event: yaml.NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(
                event,
                Code.YAML_SIZE,
                f"a file holds at most {MOST_NODES} keys and values",
            )
        if len(self._frames) >= DEEPEST and isinstance(
            event, yaml.CollectionStartEvent
        ):
            self._stop(
                event, Code.YAML_SIZE, f"a file is nested at most {DEEPEST} levels deep"
            )

    def _refuse_magic(self, event: yaml.NodeEvent) -> None:
        anchor = shown(event.anchor or "")
        if isinstance(event, yaml.AliasEvent):
            self._wrong(
                event,
                Code.YAML_FEATURE,
                f"Hookgate takes no alias ({anchor}); write the value out",
            )
        elif event.anchor is not None:
            self._wrong(
                event,
                Code.YAML_FEATURE,
                f"Hookgate takes no anchor ({anchor}); remove it",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            name = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._wrong(
                event, Code.YAML_FEATURE, f"Hookgate takes no tag ({name}); remove it"
            )

    def _node(self, event: yaml.NodeEvent) -> None:
        if self._frames and self._frames[-1].wants_key:
            self._key(self._frames[-1], event)
        elif isinstance(event, yaml.ScalarEvent):
            self._put(event, self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            path = self._frames[-1].next_path if self._frames else ()
            into = self._put(
                event, {} if isinstance(event, yaml.MappingStartEvent) else []
            )
            self._frames.append(_Frame(path, into))
        else:
            self._put(event, None)

    def _key(self, frame: _Frame, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(
                event,
                Code.YAML_KEY,
                "a list, a mapping or an alias cannot be a key; a key is text",
            )
        frame.key = event.value
        frame.keep = self._may_be_key(frame, event)
        if frame.keep:
            frame.seen[event.value] = self._place(event)
            self.keys[frame.next_path] = self._place(event)

    def _may_be_key(self, frame: _Frame, event: yaml.ScalarEvent) -> bool:
        name, first = shown(event.value), frame.seen.get(event.value)
        if not event.style and event.value == "<<":
            code, what = (
                Code.YAML_FEATURE,
                "Hookgate takes no merge key (<<); write the keys out",
            )
        elif not isinstance(self._scalar(event), str):
            code, what = (
                Code.YAML_KEY,
                f"the key {name} is not text; put it in quotes if it is meant",
            )
        elif first:
            code, what = (
                Code.YAML_DUPLICATE_KEY,
                f"the key {name} is on line {first.line} already; remove one of them",
            )
        else:
            return True
        self._wrong(event, code, what)
        return False

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        # A plain scalar has the style None, or "" from libyaml.
        if event.style:
            return event.value
        try:
            return plain(event.value)
        except ValueError as error:
            self._wrong(event, Code.YAML_NUMBER, str(error))
            return event.value

    def _put(self, event: yaml.NodeEvent, value: Any) -> Any:
        if not self._frames:
            self.values[()] = self._place(event)
            self.documents.append(value)
            return value
        frame = self._frames[-1]
        self.values[frame.next_path] = self._place(event)
        if isinstance(frame.into, list):
            frame.into.append(value)
        elif frame.keep:
            frame.into[frame.key or ""] = value
        frame.key, frame.keep = None, True
        return value

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return (
            Place(self.file, mark.line + 1, mark.column + 1)
            if mark
            else Place(self.file)
        )

    def _wrong(self, event: yaml.Event, code: Code, what: str) -> None:
        self.problems.add(self._place(event), code, what)

    def _stop(self, event: yaml.Event, code: Code, what: str) -> NoReturn:
        self._wrong(event, code, what)
        raise self.problems.error()
