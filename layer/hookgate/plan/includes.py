"""Puts into a step's options what its files hold.

Only where a file may be named: as ``body``, and in lists of steps as ``include``,
``for_each``, ``body`` and the parts of ``multipart``. A ``file`` in JSON to send is a
text like any other. Of an ``access_log``, which may be large, only the place is put.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hookgate.errors import InputError, Place, PlanError
from hookgate.plan.composer import Path
from hookgate.plan.document import Document, parse
from hookgate.plan.draft import Draft
from hookgate.plan.files import MOST_BYTES, MOST_FILES, Files, large
from hookgate.plan.placeholders import holds
from hookgate.plan.problems import Problem, Problems, shown

#: The options of a validator with ``reads_files`` that hold steps.
_LISTS = ("steps", "cleanup")
#: All that may name one. A step without is left alone: copying places costs time.
_NAMING = frozenset((*_LISTS, "body", "access_log"))
_DEEPEST = 5


def included(draft: Draft, files: Files, problems: Problems) -> Draft | None:
    """The step with the content of its files; None if one of them is a problem."""
    if not _NAMING.intersection(draft.options):
        return draft
    filler = _Filler(files, problems, dict(draft.document.values))
    filler.keys.update(draft.document.keys)
    options = dict(draft.options)
    for name in _LISTS:
        if isinstance(options.get(name), list):
            options[name] = filler.items(options[name], (*draft.path, "with", name), ())
    if "body" in options:
        options["body"] = filler.file(options["body"], (*draft.path, "with", "body"))
    if isinstance(options.get("access_log"), dict):
        path = (*draft.path, "with", "access_log")
        options["access_log"] = filler.log(options["access_log"], path)
    if filler.wrong:
        return None
    document = replace(draft.document, values=filler.values, keys=filler.keys)
    return replace(draft, document=document, options=options)


@dataclass(slots=True)
class _Filler:
    """Reads files, and remembers where what is in them stands."""

    files: Files
    problems: Problems
    values: dict[Path, Place]
    keys: dict[Path, Place] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    wrong: bool = False

    def items(self, items: list[Any], path: Path, chain: tuple[str, ...]) -> list[Any]:
        """The steps of a list."""
        return [
            self._item(each, (*path, index), chain) if isinstance(each, dict) else each
            for index, each in enumerate(items)
        ]

    def _item(
        self, item: Mapping[str, Any], path: Path, chain: tuple[str, ...]
    ) -> dict[str, Any]:
        filled = dict(item)
        name = filled.get("include")
        if isinstance(name, str):
            if "steps" in filled:
                self._wrong((*path, "include"), "give include or steps, not both")
                return filled
            steps = self._steps(name, path, chain)
            if steps is None:
                return filled
            filled["steps"], chain = steps, (*chain, name)
        for key in ("for_each", "body"):
            filled[key] = self.file(filled.get(key), (*path, key))
            if filled[key] is None and key not in item:
                del filled[key]
        parts = filled.get("multipart")
        if isinstance(parts, list):
            filled["multipart"] = [
                self.file(each, (*path, "multipart", index))
                for index, each in enumerate(parts)
            ]
        if isinstance(filled.get("steps"), list):
            filled["steps"] = self.items(filled["steps"], (*path, "steps"), chain)
        return filled

    def file(self, value: Any, path: Path) -> Any:
        """A mapping that names a file, with its content."""
        if not isinstance(value, dict) or not isinstance(value.get("file"), str):
            return value
        content = self._read(value["file"], (*path, "file"))
        if content is None:
            return value
        return {**value, "content": base64.b64encode(content).decode()}

    def log(self, value: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
        """A mapping that names a log, with the place of its file."""
        name = value.get("file")
        if not isinstance(name, str) or name.startswith("s3:") or holds(name):
            return value
        try:
            return {**value, "file": large(name, self.files)}
        except InputError as error:
            self._wrong((*path, "file"), str(error))
            return value

    def _steps(self, name: str, path: Path, chain: tuple[str, ...]) -> Any:
        """The steps of an included file, whose places are remembered."""
        at = (*path, "include")
        if name in chain:
            way = " includes ".join(shown(each) for each in (*chain, name))
            self._wrong(at, f"it never ends: {way}; remove one include")
            return None
        if len(chain) >= _DEEPEST:
            self._wrong(at, f"files include files at most {_DEEPEST} deep")
            return None
        content = self._read(name, at)
        if content is None:
            return None
        try:
            document, problems = parse(content, name, starts="steps:")
        except PlanError as error:
            self._tell(error.problems)
            return None
        if problems:
            self._tell(problems.error().problems)
        return self._of(document, path)

    def _of(self, document: Document, path: Path) -> Any:
        for each in document.data:
            if each != "steps":
                what = f"an included file holds steps alone; remove {shown(each)}"
                self._tell([(document.key((each,)), what)])
        steps = document.data.get("steps")
        if not isinstance(steps, list) or not steps:
            where = document.value(("steps",))
            self._tell([(where, "steps is a list of steps")])
            return None
        for places, own in ((self.values, document.values), (self.keys, document.keys)):
            places.update(
                {(*path, *inner): place for inner, place in own.items() if inner}
            )
        return steps

    def _read(self, name: str, path: Path) -> bytes | None:
        self.count += 1
        if self.count > MOST_FILES:
            self._wrong(path, f"a step reads at most {MOST_FILES} files")
            return None
        try:
            content = self.files(name)
        except InputError as error:
            self._wrong(path, str(error))
            return None
        self.size += len(content)
        if self.size > MOST_BYTES:
            most = MOST_BYTES // 1024
            self._wrong(path, f"the files of a step are larger than {most} KiB")
            return None
        return content

    def _wrong(self, path: Path, what: str) -> None:
        while path and path not in self.values:
            path = path[:-1]
        self._tell([(self.values[path], what)])

    def _tell(self, found: Iterable[Problem]) -> None:
        self.wrong = True
        self.problems.extend(found)
