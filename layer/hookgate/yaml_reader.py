"""Read YAML and JSON strictly, within bounds, with the place of each key and value.

Plans, scenarios, AppSpecs, CloudFormation templates and OpenAPI documents are all read
here. A dialect states what one kind of file may contain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem
from hookgate.redaction import masked

#: The keys and indices that lead to a value.
Path = tuple[str | int, ...]

#: Many times the size of a plan that a person writes.
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one kind of file may contain, and its bounds.

    Attributes:
        starts: how such a file starts, for messages.
        most_bytes: the maximum size.
        most_nodes: the maximum number of keys and values. An alias counts as often as
            the value that it stands for.
        deepest: the maximum depth.
        json: whether the file may be JSON, which tabs may indent.
        aliases: whether anchors, aliases and merge keys are allowed.
        text_keys: whether a key such as 200 is read as text.
        function: returns the key for a tag: with it, ``!Ref x`` is read as
            ``{Ref: x}``. Without it, tags are refused.
    """

    starts: str = "version: 1"
    most_bytes: int = MOST_BYTES
    most_nodes: int = 10_000
    deepest: int = 32
    json: bool = False
    aliases: bool = False
    text_keys: bool = False
    function: Callable[[str], str] | None = None


PLAN = Dialect()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The data of a file, and the place of each key and value."""

    file: str
    data: Mapping[str, Any]
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def value(self, path: Path) -> Place:
        """The place of the value at ``path``, or else of the nearest around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def key(self, path: Path) -> Place:
        """The place of the key at ``path``; for an item of a list, of the item."""
        return self.keys.get(path) or self.value(path)


def parse(
    source: str | bytes, file: str, dialect: Dialect = PLAN
) -> tuple[Document, Problems]:
    """Read a file that is one mapping.

    Args:
        source: its content; bytes are UTF-8.
        file: its name, for messages.
        dialect: what it may contain.

    Returns:
        The document, and problems that did not stop the reader, such as a duplicate
        key, so that other checks can add theirs.

    Raises:
        PlanError: the rest cannot be read.
    """
    composer = _Composer(file, dialect)
    try:
        for event in yaml.parse(read(source, file, dialect), Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        composer.problems.extend([_explained(error, file)])
        raise composer.problems.error() from None
    return composer.document(), composer.problems


def load(source: str | bytes, file: str, dialect: Dialect) -> Document:
    """Read a file that is one mapping and has no problem.

    Raises:
        PlanError: it has one.
    """
    document, problems = parse(source, file, dialect)
    if problems:
        raise problems.error()
    return document


_MOST_PROBLEMS = 50

_LONGEST = 1000

_SHOWN = 60


class Problems:
    """The problems of one file; mutable."""

    def __init__(self) -> None:
        """Start without problems."""
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, code: str, what: str) -> None:
        """Add a problem; a repeated one counts once."""
        # Masked before it is cut: a mask does not know half a secret.
        line = masked(" ".join(what.splitlines()))
        self._found[Problem(place, code, line[:_LONGEST])] = None

    def extend(self, found: Iterable[Problem]) -> None:
        """Add several problems."""
        for each in found:
            self.add(each.place, each.code, each.message)

    def places(self) -> frozenset[Place]:
        """The places that have a problem."""
        return frozenset(each.place for each in self._found)

    def __bool__(self) -> bool:
        """Whether there is a problem."""
        return bool(self._found)

    def error(self) -> PlanError:
        """An error with the problems in the order of the file, at most fifty."""
        ordered = sorted(
            self._found,
            key=lambda each: (each.place.line, each.place.column, each.message),
        )
        shown, rest = ordered[:_MOST_PROBLEMS], ordered[_MOST_PROBLEMS:]
        if rest:
            more = f"and {len(rest)} more problems from here on"
            shown.append(Problem(rest[0].place, Code.PLAN_MORE, more))
        return PlanError(*shown)


def shown(text: str) -> str:
    """Quote a text of a file in a message, cut to 60 characters."""
    whole = masked(text)
    return repr(whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…")


# libyaml if it is installed; both parsers give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Part of the path of a value that is read only to be checked, as of a duplicate key.
_NOWHERE = -1


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open, and the place for its next value.

    ``height`` is the number of levels below it, ``before`` the number of nodes that
    were read before it.
    """

    path: Path
    into: dict[str, Any] | list[Any]
    before: int
    anchor: str | None = None
    seen: dict[str, Place] = field(default_factory=dict)
    key: str | None = None
    keep: bool = True
    merging: bool = False
    merged: list[Mapping[str, Any]] = field(default_factory=list)
    height: int = 0
    is_function: bool = False

    @property
    def next_path(self) -> Path:
        if isinstance(self.into, list):
            return (*self.path, len(self.into))
        key = self.key or ""
        return (*self.path, key) if self.keep else (*self.path, key, _NOWHERE)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """The value of an anchor; an alias adds its size and height to the document."""

    value: Any
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Composer:
    """Builds data and places from events, without recursion."""

    file: str
    dialect: Dialect
    problems: Problems = field(default_factory=Problems)
    _values: dict[Path, Place] = field(default_factory=dict)
    _keys: dict[Path, Place] = field(default_factory=dict)
    _documents: list[Any] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _anchors: dict[str, _Anchored] = field(default_factory=dict)
    _nodes: int = 0

    def take(self, event: yaml.Event) -> None:
        """Read one event.

        Raises:
            PlanError: the rest cannot be read.
        """
        if isinstance(event, yaml.DocumentStartEvent):
            if self._documents:
                what = "a second YAML document starts here; a file must contain one"
                self._stop(event, Code.YAML_FEATURE, what)
            if event.version or event.tags:
                self._refuse(event, "'%' directive; remove the line")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.NodeEvent):
            frame = self._frames[-1] if self._frames else None
            self._check(event)
            if frame and isinstance(frame.into, dict) and frame.key is None:
                self._key(frame, event)
            else:
                self._value(event)

    def document(self) -> Document:
        """The one mapping of the file.

        Raises:
            PlanError: there is nothing, or something else.
        """
        data = self._documents[0] if self._documents else None
        if isinstance(data, dict):
            return Document(
                file=self.file, data=data, values=self._values, keys=self._keys
            )
        starts = self.dialect.starts
        code, what = Code.YAML_EMPTY, f"the file is empty; it must start with {starts}"
        if data is not None:
            code = Code.YAML_NOT_A_MAPPING
            got = "a list" if isinstance(data, list) else f"only {shown(str(data))}"
            what = f"expected a mapping that starts with {starts}, got {got}"
        self.problems.add(self._values.get((), Place(self.file)), code, what)
        raise self.problems.error()

    def _check(self, event: yaml.NodeEvent) -> None:
        """Refuse what exceeds the bounds or is not in the dialect."""
        is_collection = isinstance(event, yaml.CollectionStartEvent)
        self._count(event, 1, int(is_collection))
        tag: str | None = getattr(event, "tag", None)
        if tag is not None and not self._is_function(event):
            name = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._refuse(event, f"YAML tag ({name}); remove it")
        if self.dialect.aliases or event.anchor is None:
            return
        if isinstance(event, yaml.AliasEvent):
            self._refuse(
                event, f"YAML alias ({shown(event.anchor)}); write the value out"
            )
        else:
            self._refuse(event, f"YAML anchor ({shown(event.anchor)}); remove it")

    def _count(self, event: yaml.NodeEvent, nodes: int, levels: int) -> None:
        self._nodes += nodes
        most, deepest, what = self.dialect.most_nodes, self.dialect.deepest, ""
        if self._nodes > most:
            what = f"a file contains at most {most} keys and values"
        elif levels and len(self._frames) + levels > deepest:
            what = f"a file is nested at most {deepest} levels deep"
        if what:
            self._stop(event, Code.YAML_SIZE, what)

    def _is_function(self, event: yaml.NodeEvent) -> bool:
        tag: str = getattr(event, "tag", None) or ""
        return self.dialect.function is not None and len(tag) > 1 and tag[0] == "!"

    def _value(self, event: yaml.NodeEvent) -> None:
        if self.dialect.function and self._is_function(event):
            frame = self._open(event, {})
            tag: str = getattr(event, "tag", "")
            frame.key, frame.is_function = self.dialect.function(tag[1:]), True
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchored(value)
            self._put(event, value)
        elif isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._open(event, {} if is_mapping else [], event.anchor)
        else:
            self._put(event, self._aliased(event))

    def _open(
        self, event: yaml.NodeEvent, into: Any, anchor: str | None = None
    ) -> _Frame:
        path = self._frames[-1].next_path if self._frames else ()
        self._put(event, into)
        frame = _Frame(path, into, self._nodes - 1, anchor)
        self._frames.append(frame)
        return frame

    def _close(self) -> None:
        frame = self._frames.pop()
        for each in frame.merged:
            for key, value in each.items():
                frame.into.setdefault(key, value)  # type: ignore[union-attr] # a mapping
        if frame.anchor is not None:
            size = self._nodes - frame.before
            self._anchors[frame.anchor] = _Anchored(frame.into, size, frame.height + 1)
        if self._frames:
            around = self._frames[-1]
            around.height = max(around.height, frame.height + 1)
            if around.is_function:
                self._close()

    def _aliased(self, event: yaml.NodeEvent) -> Any:
        if not self.dialect.aliases:
            return None
        found = self._anchors.get(event.anchor or "")
        if found is None:
            what = f"there is no anchor {shown(event.anchor or '')} before this alias"
            self._stop(event, Code.YAML_SYNTAX, what)
        self._count(event, found.size - 1, found.height)
        if self._frames:
            self._frames[-1].height = max(self._frames[-1].height, found.height)
        return found.value

    def _key(self, frame: _Frame, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            what = "a list, a mapping or an alias cannot be a key; a key is text"
            self._stop(event, Code.YAML_KEY, what)
        frame.key = event.value
        frame.merging = not event.style and event.value == "<<"
        frame.keep = not frame.merging and self._may_be_key(frame, event)
        if frame.merging and not self.dialect.aliases:
            frame.merging = False
            self._refuse(event, "merge key (<<); write the keys out")
        if frame.keep:
            frame.seen[event.value] = self._place(event)
            self._keys[frame.next_path] = self._place(event)

    def _may_be_key(self, frame: _Frame, event: yaml.ScalarEvent) -> bool:
        name, first = shown(event.value), frame.seen.get(event.value)
        if not self.dialect.text_keys and not isinstance(self._scalar(event), str):
            what = f"the key {name} is not text; to use it as text, put it in quotes"
            self._wrong(event, Code.YAML_KEY, what)
            return False
        if first:
            what = f"the key {name} is on line {first.line} already; remove one of them"
            self._wrong(event, Code.YAML_DUPLICATE_KEY, what)
        return first is None

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        # A plain scalar has the style None, or "" from libyaml.
        if event.style or self._is_function(event):
            return str(event.value)
        try:
            return plain(event.value)
        except ValueError as error:
            self._wrong(event, Code.YAML_NUMBER, str(error))
            return str(event.value)

    def _put(self, event: yaml.NodeEvent, value: Any) -> None:
        if not self._frames:
            self._values[()] = self._place(event)
            self._documents.append(value)
            return
        frame = self._frames[-1]
        self._values[frame.next_path] = self._place(event)
        if isinstance(frame.into, list):
            frame.into.append(value)
            return
        if frame.merging:
            if not isinstance(event, yaml.AliasEvent) or not isinstance(value, dict):
                what = "a merge key (<<) takes an alias of a mapping"
                self._stop(event, Code.YAML_FEATURE, what)
            frame.merged.append(value)
        elif frame.keep:
            frame.into[frame.key or ""] = value
        frame.key, frame.keep, frame.merging = None, True, False
        if frame.is_function and not isinstance(event, yaml.CollectionStartEvent):
            self._close()

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        if not mark:
            return Place(self.file)
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _refuse(self, event: yaml.Event, feature: str) -> None:
        self._wrong(event, Code.YAML_FEATURE, f"not supported: a {feature}")

    def _wrong(self, event: yaml.Event, code: Code, what: str) -> None:
        self.problems.add(self._place(event), code, what)

    def _stop(self, event: yaml.Event, code: Code, what: str) -> NoReturn:
        self._wrong(event, code, what)
        raise self.problems.error()


Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

_INTEGER = re.compile(r"[-+]?[0-9]+")

_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

#: No option needs more digits, and converting millions of them takes long.
_MOST_DIGITS = 40


def plain(text: str) -> Scalar:
    """Read a scalar without quotes by the core schema of YAML 1.2.

    Raises:
        ValueError: infinite, not a number, or more than 40 digits.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number; write a number")
    if not _FLOAT.fullmatch(text) and not _OTHER_BASE.fullmatch(text):
        return text
    if len(text) > _MOST_DIGITS:
        raise ValueError(
            f"a number of {len(text)} digits; put it in quotes if it is text"
        )
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large; write a smaller number")
    return number


# A fragment of PyYAML's message, and what to do. The first match wins; libyaml and the
# parser in Python word some of them differently.
_UNINDENTED = (
    "this does not continue the line above; check the indentation, and put text that "
    "contains quotes in quotes of the other kind"
)

_SYNTAX = {
    "mapping values are not allowed": "a ':' is not allowed here; put the text in "
    "quotes, or check the indentation of this line and the one before",
    "cannot start any token": "this character cannot start a value; put the text in "
    "quotes",
    "end of stream": "the quote that opens here is never closed",
    "escape": "a backslash in double quotes starts an escape, and this one is unknown; "
    "put the text in single quotes",
    "',' or ']'": "the list in '[' is not closed; add ',' or ']'",
    "',' or '}'": "the mapping in '{' is not closed; add ',' or '}'",
    "expected key": _UNINDENTED,
    "expected '-'": "the list above continues with '- '; start this line with it or "
    "check the indentation",
    "<block end>": _UNINDENTED,
    "sequence entries are not allowed": "a list cannot start on this line; start it on "
    "the next one, indented",
    "expected ':'": "a ':' is missing after this key",
    "node content": "a value is missing here, or a bracket was opened and not closed, "
    "or closed and not opened",
    "document start": "the document ended above; remove what follows",
    "block scalar": "after '|' or '>' only '-', '+' or a digit may follow; start the "
    "text on the next line",
}

_DIRECTIVE = "not supported: a '%' directive; remove the line"

_FEATURES = {
    "alias": "a '*' starts an alias; put the text in quotes",
    "anchor": "a '&' starts an anchor; put the text in quotes",
    "tag": "a '!' starts a tag; put the text in quotes",
    "directive": _DIRECTIVE,
    "incompatible YAML": _DIRECTIVE,
}


def _explained(error: yaml.YAMLError, file: str) -> Problem:
    """Describe a syntax error of PyYAML, and what to do about it."""
    if not isinstance(error, yaml.MarkedYAMLError):
        what = f"this is not YAML: {str(error).splitlines()[0]}"
        return Problem(Place(file), Code.YAML_SYNTAX, what)
    message = f"{error.problem or ''} {error.context or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in message:
        mark = error.context_mark or mark
    known = {**_SYNTAX, **_FEATURES}
    fragment = next((each for each in known if each in message), "")
    code = Code.YAML_FEATURE if fragment in _FEATURES else Code.YAML_SYNTAX
    what = known.get(fragment, f"this is not YAML: {message.strip()}")
    at = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    return Problem(at, code, what)


# Characters that YAML forbids, that are line breaks to YAML and not to editors, and
# halves of surrogate pairs.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)

_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)

_BREAK = re.compile(r"\r\n|\r|\n")


# Two escapes of JSON that are one character; YAML has another escape for it.
_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)


def read(source: str | bytes, file: str, dialect: Dialect = PLAN) -> str:
    """Decode and check the text of a file.

    Raises:
        PlanError: too large, not UTF-8, binary, or indented by tabs.
    """
    most = dialect.most_bytes
    if len(source) > most:
        unit = "bytes" if isinstance(source, bytes) else "characters"
        what = f"the file is too large ({len(source)} {unit}, at most {most})"
        raise _wrong("", 0, file, Code.FILE_SIZE, f"{what}; is this the right file?")
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    if refused := _REFUSED.search(text):
        what = f"a text file cannot contain the character U+{ord(refused[0]):04X}"
        what += "; is this one binary? In double quotes it can be written as an escape"
        raise _wrong(text, refused.start(), file, Code.FILE_CHARACTER, what)
    if dialect.json and text.lstrip().startswith(("{", "[")):
        # Tabs in JSON only indent; columns stay the same.
        return _PAIR.sub(_character, text.replace("\t", " "))
    if tab := _TAB_INDENT.search(text):
        what = "a tab in the indentation; indent with spaces"
        raise _wrong(text, tab.end() - 1, file, Code.YAML_SYNTAX, what)
    return text


def _wrong(text: str, offset: int, file: str, code: Code, what: str) -> PlanError:
    """The error for a problem at an offset; lines and columns start at 1."""
    breaks = [each.end() for each in _BREAK.finditer(text, 0, offset)]
    start = breaks[-1] if breaks else 0
    place = Place(file, len(breaks) + 1, offset - start + 1)
    return PlanError(Problem(place, code, what))


def _character(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00:08x}"


def _decoded(source: bytes, file: str) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8")
        what = f"byte {error.start} is not UTF-8; save the file as UTF-8 text"
        raise _wrong(before, len(before), file, Code.FILE_ENCODING, what) from None
