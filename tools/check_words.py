"""Find the words to avoid in documents, messages, docstrings, comments and names.

``make check`` runs it; arguments limit it to these files. The words, what to write
instead, and the exceptions are in ``docs/words-to-avoid.yaml``.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

import yaml

ROOT = Path(__file__).parent.parent
WORDS = ROOT / "docs" / "words-to-avoid.yaml"
KINDS = ("documents", "docstrings", "comments", "messages", "names", "files")

#: Files without one of these endings are read if their name or folder is one of these.
DOCUMENTS = frozenset({".md"})
FILES = frozenset({".j2", ".html", ".toml", ".in", ".sh"})
YAML = frozenset({".yaml", ".yml"})
SCRIPTS = frozenset({"Makefile", ".ci/run", "tools/lambda-image"})
#: YAML that people read whole. Of other YAML only the comments are checked.
WHOLE_YAML = ("template.yaml", "examples/**", "hooks/**", "docs/**", ".github/**")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORD = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\[ntr]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_RELEASED = re.compile(r"^## (?!\[?Unreleased)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A word to avoid, where it stands and what to write instead.

    ``line`` and ``column`` start at 1.
    """

    file: str
    line: int
    column: int
    word: str
    write: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.word!r}; write {self.write}"


@dataclass(slots=True)
class Text:
    """A text of one kind, put together from parts of a file.

    ``starts`` has the position in ``content`` where each part starts, and its line and
    column in the file.
    """

    kind: str
    content: str = ""
    starts: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, part: str, line: int, column: int, separator: str = "") -> Self:
        """Add a part that starts at a line and column, which count from 1."""
        self.content += separator
        self.starts.append((len(self.content), line, column))
        self.content += part
        return self

    def place(self, position: int) -> tuple[int, int]:
        """The line and column in the file of a position in the content."""
        start, line, column = next(
            each for each in reversed(self.starts) if each[0] <= position
        )
        before = self.content[start:position]
        newlines = before.count("\n")
        if newlines:
            return line + newlines, len(before) - before.rindex("\n")
        return line, column + len(before)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the list: what matches, in which kinds of text, and what to write."""

    write: str
    words: Sequence[str] = ()
    pattern: str = ""
    names: Sequence[str] = ()
    kinds: frozenset[str] = frozenset(KINDS)

    @classmethod
    def parse(cls, row: dict[str, Any]) -> Self:
        """Check a row of the file.

        Raises:
            ValueError: a key is unknown, or there is not exactly one way to match.
        """
        ways = row.keys() & {"words", "pattern", "names"}
        unknown = row.keys() - {"words", "pattern", "names", "write", "in"}
        kinds = frozenset(row.get("in", KINDS))
        if len(ways) != 1 or unknown or not row.get("write") or kinds - set(KINDS):
            raise ValueError(f"{WORDS.name}: not a valid entry: {row}")
        way = ways.pop()
        return cls(write=row["write"], kinds=kinds, **{way: row[way]})

    def expression(self, kind: str) -> str:
        """The regular expression for a kind of text; empty if none applies."""
        if kind not in self.kinds or self.names:
            return ""
        if self.pattern:
            return "" if kind == "names" else f"(?:{self.pattern})"
        phrases = (r"\s+".join(map(re.escape, each.split())) for each in self.words)
        return rf"\b(?:{'|'.join(phrases)})\b"


@dataclass(kw_only=True)
class Exemption:
    """An exception of the list; ``used`` says whether it matched anything."""

    path: str
    reason: str
    line: str = ""
    words: Sequence[str] = ()
    used: bool = False

    @cached_property
    def _line(self) -> re.Pattern[str]:
        return re.compile(self.line)

    def allows(self, found: Finding, line: str) -> bool:
        """Whether a finding on a line of a file is allowed."""
        if self.words and found.word not in self.words:
            return False
        if not self.covers(found.file) or not self._line.search(line):
            return False
        self.used = True
        return True

    def covers(self, file: str) -> bool:
        """Whether the path of the exception matches a file."""
        return fnmatchcase(file, self.path.replace("**", "*"))


class Checker:
    """Checks files against a list of words.

    Args:
        listed: the content of the list.

    Raises:
        ValueError: the list is wrong.
    """

    def __init__(self, listed: dict[str, Any]) -> None:
        self._entries = [Entry.parse(row) for row in listed["avoid"]]
        self.exceptions = [Exemption(**row) for row in listed.get("exceptions", ())]
        self._expressions = {kind: self._compiled(kind) for kind in KINDS}
        # Most texts have none of these words, which is quick to see.
        self._first_words = {
            phrase.split()[0] for entry in self._entries for phrase in entry.words
        }
        patterns = (f"(?:{each.pattern})" for each in self._entries if each.pattern)
        self._patterns = re.compile("|".join(patterns) or r"(?!)")
        self._names = {
            name: entry
            for entry in self._entries
            if "names" in entry.kinds
            for name in entry.names
        }

    def _compiled(self, kind: str) -> re.Pattern[str]:
        expressions = (
            f"(?P<e{number}>{expression})"
            for number, entry in enumerate(self._entries)
            if (expression := entry.expression(kind))
        )
        return re.compile("|".join(expressions) or r"(?!)")

    def check(self, file: str, content: str) -> list[Finding]:
        """Find the words to avoid in a file that no exception allows.

        Args:
            file: its path from the root of the repository, with slashes.
            content: its text.

        Raises:
            SyntaxError: a Python file cannot be parsed.
        """
        lines = content.splitlines()
        found = [
            each
            for text in texts(file, content)
            for each in self._matches(file, text)
            if not self._is_allowed(each, lines)
        ]
        return sorted(found, key=lambda each: (each.line, each.column))

    def _matches(self, file: str, text: Text) -> Iterator[Finding]:
        if text.kind == "names" and (entry := self._names.get(text.content.strip("_"))):
            yield self._finding(file, text, 0, text.content.strip("_"), entry)
            return
        content = text.content
        if text.kind == "names":
            content = " ".join(_PARTS.findall(content))
        content = content.lower()
        words = _WORD.findall(content)
        if self._first_words.isdisjoint(words) and not self._patterns.search(content):
            return
        for match in self._expressions[text.kind].finditer(content):
            entry = self._entries[int(str(match.lastgroup)[1:])]
            position = 0 if text.kind == "names" else match.start()
            yield self._finding(file, text, position, match[0], entry)

    @staticmethod
    def _finding(
        file: str, text: Text, position: int, word: str, entry: Entry
    ) -> Finding:
        line, column = text.place(position)
        return Finding(
            file=file,
            line=line,
            column=column,
            word=" ".join(word.split()),
            write=entry.write,
        )

    def _is_allowed(self, found: Finding, lines: Sequence[str]) -> bool:
        line = lines[found.line - 1] if lines else ""
        return any(each.allows(found, line) for each in self.exceptions)


def texts(file: str, content: str) -> Iterator[Text]:
    """The texts of a file, by kind; none if files of its kind are not checked."""
    path = PurePosixPath(file)
    if path.suffix == ".py":
        yield Text("names").add(path.stem, 1, 1)
        yield from _python(content)
    elif path.suffix in DOCUMENTS:
        yield Text("names").add(path.stem, 1, 1)
        if path.name == "CHANGELOG.md" and (released := _RELEASED.search(content)):
            content = content[: released.start()]
        yield Text("documents").add(content, 1, 1)
    elif path.suffix in YAML and not any(
        fnmatchcase(file, each.replace("**", "*")) for each in WHOLE_YAML
    ):
        for number, line in enumerate(content.splitlines(), 1):
            if match := _COMMENT.search(line):
                yield Text("files").add(match[0], number, match.start() + 1)
    elif path.suffix in FILES | YAML or path.name in SCRIPTS or file in SCRIPTS:
        yield Text("files").add(content, 1, 1)


def _python(content: str) -> Iterator[Text]:
    yield from _names(ast.parse(content))
    current: Text | None = None
    before = tokenize.NEWLINE  # the type of the last token that is part of a statement
    last_line = 0
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        line, column = token.start
        kind = _kind(token.type, before)
        continues = current is not None and current.kind == kind
        if kind == "comments":
            # A sentence may go on in the next line of a comment.
            continues = continues and line == last_line + 1
            part, skipped, separator = token.string[1:], 1, " "
            last_line = line
        elif kind:
            # So may a message in the next literal, which Python joins to it.
            continues = continues and before == tokenize.STRING
            part, skipped = _unquoted(token.string)
            separator = ""
        if token.type != tokenize.NL and not continues and current:
            yield current
            current = None
        if kind:
            current = current or Text(kind)
            current.add(part, line, column + 1 + skipped, separator)
        if token.type not in {tokenize.NL, tokenize.COMMENT}:
            before = token.type
    if current:
        yield current


def _kind(token: int, before: int) -> str:
    """The kind of text that a token is; empty if none."""
    if token == tokenize.COMMENT:
        return "comments"
    if token != tokenize.STRING:
        return ""
    starts = before in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    return "docstrings" if starts else "messages"


def _unquoted(string: str) -> tuple[str, int]:
    """What a string literal contains, and how many characters are before it.

    The expressions of an f-string and escaped characters become spaces, so that
    positions stay.
    """
    prefix = string[: len(string) - len(string.lstrip("rbfuRBFU"))]
    quotes = 3 if string[len(prefix) :][:3] in {'"""', "'" * 3} else 1
    start = len(prefix) + quotes
    content = string[start:-quotes]
    if "r" not in prefix.lower():
        content = _ESCAPE.sub("  ", content)
    if "f" in prefix.lower():
        content = _without_fields(content)
    return content, start


def _without_fields(content: str) -> str:
    depth, kept = 0, []
    for character in content.replace("{{", "  ").replace("}}", "  "):
        depth += character == "{"
        kept.append(" " if depth else character)
        depth -= character == "}" and depth > 0
    return "".join(kept)


def _names(tree: ast.AST) -> Iterator[Text]:
    """The names that a module defines, from classes to local variables."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef():
                yield _name(node.name, node, len("class "))
            case ast.FunctionDef():
                yield _name(node.name, node, len("def "))
            case ast.AsyncFunctionDef():
                yield _name(node.name, node, len("async def "))
            case ast.arg():
                yield _name(node.arg, node)
            case ast.Name(ctx=ast.Store()):
                yield _name(node.id, node)
            case ast.Attribute(ctx=ast.Store()):
                yield _name(node.attr, node, len(ast.unparse(node.value)) + 1)


def _name(name: str, node: Any, skipped: int = 0) -> Text:
    return Text("names").add(name, node.lineno, node.col_offset + 1 + skipped)


def tracked(root: Path) -> list[str]:
    """The files of a repository, without those that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 - constant
    names = sorted(set(filter(None, listed.stdout.decode().split("\0"))))
    return [name for name in names if (root / name).is_file()]


def load() -> Checker:
    """The checker with the list of this repository."""
    return Checker(yaml.safe_load(WORDS.read_text("utf-8")))


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Check files of a repository; 1 if one has a word to avoid."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="all files without it")
    parser.add_argument(
        "--count",
        choices=["file", "folder", "word"],
        help="print only the number of findings by file, folder or word",
    )
    given = parser.parse_args(arguments)
    files = [each.resolve().relative_to(root).as_posix() for each in given.files]
    checker = load()
    found = [
        each
        for file in files or tracked(root)
        for each in checker.check(file, (root / file).read_text("utf-8", "replace"))
    ]
    if given.count:
        for key, number in _counted(found, given.count).most_common():
            print(f"{number:>6}  {key}")
    else:
        for each in found:
            print(each)
    unused = [] if files else [each for each in checker.exceptions if not each.used]
    for exception in unused:
        print(f"{WORDS.name}: the exception for {exception.path} matches nothing")
    if found:
        print(f"{len(found)} words to avoid", file=sys.stderr)
    return 1 if found or unused else 0


def _counted(found: Iterable[Finding], by: str) -> Counter[str]:
    keys = {
        "file": lambda each: each.file,
        "folder": lambda each: each.file.partition("/")[0],
        "word": lambda each: each.word,
    }
    return Counter(map(keys[by], found))


if __name__ == "__main__":
    sys.exit(main())
