"""A plan's text as plain data, with the place of every key and value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem
from hookgate.redaction import masked

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

_INTEGER = re.compile(r"[-+]?[0-9]+")

_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

#: No option needs more digits, and reading millions of them takes time.
_MOST_DIGITS = 40

Scalar = str | int | float | bool | None


def plain(text: str) -> Scalar:
    """Read a scalar without quotes.

    Raises:
        ValueError: infinite, not a number, or more digits than anyone needs.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number a gate can compare with; write a number")
    if not _FLOAT.fullmatch(text) and not _OTHER_BASE.fullmatch(text):
        return text
    if len(text) > _MOST_DIGITS:
        raise ValueError(
            f"a number of {len(text)} digits; put it in quotes if it is text"
        )
    return _number(text)


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than any number a gate can compare with")
    return number


#: More than a person reads, and few enough for a log line.
_MOST = 50

_LONGEST = 1000

_SHOWN = 60


class Problems:
    """A growing list of problems of one plan."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, code: str, what: str) -> None:
        """Note a problem; the same one twice counts once."""
        # Masked before it is cut: a mask does not know half a secret.
        line = masked(" ".join(what.splitlines()))
        self._found[Problem(place, code, line[:_LONGEST])] = None

    def extend(self, found: Iterable[Problem]) -> None:
        """Note several problems."""
        for each in found:
            self.add(each.place, each.code, each.message)

    def places(self) -> frozenset[Place]:
        """Where something is known to be wrong."""
        return frozenset(each.place for each in self._found)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    def error(self) -> PlanError:
        """All problems in the order of the file, the first fifty spelled out."""
        ordered = sorted(
            self._found,
            key=lambda each: (each.place.line, each.place.column, each.message),
        )
        shown, rest = ordered[:_MOST], ordered[_MOST:]
        if rest:
            more = f"and {len(rest)} more problems from here on"
            shown.append(Problem(rest[0].place, Code.PLAN_MORE, more))
        return PlanError(*shown)


def shown(text: str) -> str:
    """Quote what a plan says, cut to a length that a message can bear."""
    whole = masked(text)
    return repr(whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…")


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


# The first line whose fragment is in PyYAML's own words wins; libyaml and the parser
# in Python word some of them differently.
_PLAIN = (
    (
        "mapping values are not allowed",
        Code.YAML_SYNTAX,
        (
            "a ':' cannot stand here; put the text in quotes, or check the indentation "
            "of this line and the one before"
        ),
    ),
    (
        "cannot start any token",
        Code.YAML_SYNTAX,
        "this character cannot start a value; put the text in quotes",
    ),
    ("end of stream", Code.YAML_SYNTAX, "the quote that opens here is never closed"),
    (
        "escape",
        Code.YAML_SYNTAX,
        (
            "a backslash in double quotes starts an escape, and there is no such one; "
            "put the text in single quotes"
        ),
    ),
    ("',' or ']'", Code.YAML_SYNTAX, "the list in '[' is not closed; add ',' or ']'"),
    (
        "',' or '}'",
        Code.YAML_SYNTAX,
        "the mapping in '{' is not closed; add ',' or '}'",
    ),
    (
        "expected key",
        Code.YAML_SYNTAX,
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "expected '-'",
        Code.YAML_SYNTAX,
        (
            "the list above goes on with '- '; start this line with it or check the "
            "indentation"
        ),
    ),
    (
        "<block end>",
        Code.YAML_SYNTAX,
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "sequence entries are not allowed",
        Code.YAML_SYNTAX,
        "a list cannot start on this line; start it on the next one, indented",
    ),
    ("expected ':'", Code.YAML_SYNTAX, "a ':' is missing after this key"),
    (
        "node content",
        Code.YAML_SYNTAX,
        (
            "a value is missing here, or a bracket was opened and not closed, or "
            "closed and not opened"
        ),
    ),
    (
        "document start",
        Code.YAML_SYNTAX,
        "the file is already over here; remove what follows",
    ),
    (
        "alias",
        Code.YAML_FEATURE,
        "a '*' starts an alias, which Hookgate does not take; put it in quotes",
    ),
    (
        "anchor",
        Code.YAML_FEATURE,
        "a '&' starts an anchor, which Hookgate does not take; put it in quotes",
    ),
    (
        "tag",
        Code.YAML_FEATURE,
        "a '!' starts a tag, which Hookgate does not take; put it in quotes",
    ),
    (
        "directive",
        Code.YAML_FEATURE,
        "Hookgate takes no '%' directive; remove the line",
    ),
    (
        "incompatible YAML",
        Code.YAML_FEATURE,
        "Hookgate takes no '%YAML' directive; remove the line",
    ),
    (
        "block scalar",
        Code.YAML_SYNTAX,
        (
            "after '|' or '>' only '-', '+' or a digit may follow; start the text on "
            "the next line"
        ),
    ),
)


def explained(error: yaml.YAMLError, file: str) -> Problem:
    """Say where YAML ends to be YAML, and what to do about it.

    Args:
        error: what PyYAML raised.
        file: the name of the plan.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        what = f"this is not YAML: {str(error).splitlines()[0]}"
        return Problem(Place(file), Code.YAML_SYNTAX, what)
    said = f"{error.problem or ''} {error.context or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in said:
        mark = error.context_mark or mark
    code, what = next(
        ((code, plain) for fragment, code, plain in _PLAIN if fragment in said),
        (Code.YAML_SYNTAX, f"this is not YAML: {said.strip()}"),
    )
    at = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    return Problem(at, code, what)


#: Far above any plan a person writes, far below what costs a function its time.
MOST_BYTES = 256 * 1024

# What YAML forbids, what it would take for a line break and editors would not, and
# halves of surrogate pairs.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)

_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)

_BREAK = re.compile(r"\r\n|\r|\n")


def read(source: str | bytes, file: str) -> str:
    """Turn what was read from a file or an AWS service into text fit for a parser.

    Raises:
        PlanError: too large, not UTF-8, binary, or indented by tabs.
    """
    if len(source) > MOST_BYTES:
        unit = "bytes" if isinstance(source, bytes) else "characters"
        raise _wrong(
            Place(file),
            Code.FILE_SIZE,
            f"the file is too large ({len(source)} {unit}, the most is {MOST_BYTES}); "
            "is this the right file?",
        )
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    refused = _REFUSED.search(text)
    if refused:
        raise _wrong(
            place_at(text, refused.start(), file),
            Code.FILE_CHARACTER,
            f"the character U+{ord(refused[0]):04X} has no place in a text file; is "
            "this one binary? In a double-quoted text it can be written as an escape",
        )
    tab = _TAB_INDENT.search(text)
    if tab:
        raise _wrong(
            place_at(text, tab.end() - 1, file),
            Code.YAML_SYNTAX,
            "a tab in the indentation; indent with spaces",
        )
    return text


def place_at(text: str, offset: int, file: str) -> Place:
    """Turn an offset into a line and a column, both counted from 1."""
    breaks = [each.end() for each in _BREAK.finditer(text, 0, offset)]
    start = breaks[-1] if breaks else 0
    return Place(file, len(breaks) + 1, offset - start + 1)


def _decoded(source: bytes, file: str) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8")
        raise _wrong(
            place_at(before, len(before), file),
            Code.FILE_ENCODING,
            f"byte {error.start} is not UTF-8; save the file as UTF-8 text",
        ) from None


def _wrong(place: Place, code: Code, what: str) -> PlanError:
    return PlanError(Problem(place, code, what))


# libyaml where there is one; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a plan says, and where it says it."""

    file: str
    data: Mapping[str, Any]
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def value(self, path: Path) -> Place:
        """Where the value at ``path`` stands, or else the nearest value around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def key(self, path: Path) -> Place:
        """Where the key at ``path`` stands; for an item of a list, the item."""
        return self.keys.get(path) or self.value(path)


def parse(
    source: str | bytes, file: str, starts: str = "version: 1"
) -> tuple[Document, Problems]:
    """Read YAML strictly.

    Args:
        source: the plan; bytes are taken as UTF-8.
        file: its name, for messages.
        starts: how such a file starts, for messages.

    Returns:
        The data, and the problems that did not stop the reading, such as a duplicate
        key: other checks add theirs.

    Raises:
        PlanError: it cannot be read on.
    """
    composer = Composer(file)
    try:
        for event in yaml.parse(read(source, file), Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        composer.problems.extend([explained(error, file)])
        raise composer.problems.error() from None
    return _document(composer, starts), composer.problems


def _document(composer: Composer, starts: str) -> Document:
    """Take the one mapping that a plan is.

    Raises:
        PlanError: there is nothing, or something else.
    """
    data = composer.documents[0] if composer.documents else None
    if isinstance(data, dict):
        return Document(
            file=composer.file, data=data, values=composer.values, keys=composer.keys
        )
    place = composer.values.get((), Place(composer.file))
    if data is None:
        code = Code.YAML_EMPTY
        what = f"the file is empty, and silence is not consent; it starts with {starts}"
    else:
        code = Code.YAML_NOT_A_MAPPING
        said = "a list" if isinstance(data, list) else f"only {shown(str(data))}"
        what = f"this must be a mapping that starts with {starts}, and is {said}"
    composer.problems.add(place, code, what)
    raise composer.problems.error()
