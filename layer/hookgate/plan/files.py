"""Files beside a plan: data, bodies and steps that it includes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError, InvalidValue, PlanError
from hookgate.files import Reading
from hookgate.model import LifecycleEvent
from hookgate.plan import messages, placeholders
from hookgate.yaml_reader import Dialect, Document, Problems, parse, shown

#: Reads a file by its name relative to the plan; raises InputError if it cannot.
Files = Callable[[str], bytes]

#: Of one file, and of all files of one plan's step.
MOST_BYTES = 1024 * 1024
MOST_FILES = 50
_DEEPEST = 5
_STEPS = Dialect(starts="steps:")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*(?:/[A-Za-z0-9_][A-Za-z0-9_. -]*)*")


@dataclass(frozen=True, slots=True)
class Beside:
    """Reads files from the folder of a plan, and from nowhere else."""

    folder: Path

    def __call__(self, name: str) -> bytes:
        """The content of a file."""
        path = (self.folder / checked(name)).resolve()
        if not path.is_relative_to(self.folder):
            what = f"{name} is outside of the plan's folder"
            raise InputError(what, code=Code.INCLUDE_NAME)
        if not path.is_file():
            what = f"there is no file {name} beside the plan"
            raise InputError(what, code=Code.INCLUDE_MISSING)
        with path.open("rb") as file:
            return bounded(file.read(MOST_BYTES + 1), name)


def beside(plan: Path) -> Beside:
    """The files in the folder of a plan."""
    return Beside(plan.resolve().parent)


def large(name: str, files: Files) -> str:
    """Return the path of a file that is too large to be part of a plan.

    Raises:
        InputError: it does not exist, or the plan has no such files beside it.
    """
    if Path(name).is_absolute():
        return name
    if isinstance(files, Beside):
        path = files.folder / name
        if path.is_file():
            return str(path)
        what = f"there is no file {name} beside the plan"
        raise InputError(what, code=Code.INCLUDE_MISSING)
    raise InputError(
        f"{name} cannot be read: a log is beside a plan only "
        "where the plan is a file. Write s3://bucket/key, or the log's full path",
        code=Code.INCLUDE_MISSING,
    )


def nowhere(plan: str) -> Files:
    """Return a reader that refuses files, for a plan that is not a file."""

    def read(name: str) -> bytes:
        raise InputError(
            f"{name} cannot be read: the plan {plan} has no files beside it. Keep the "
            "plan in an S3 bucket or in hooks/plans/, or write the content out",
            code=Code.INCLUDE_MISSING,
        )

    return read


def checked(name: str) -> str:
    """Check a file's name.

    Raises:
        InputError: it could be outside of the plan's folder.
    """
    if len(name) > 200 or not _NAME.fullmatch(name) or "/." in f"/{name}":
        raise InputError(
            f"{name[:64]!r} is not a file beside the plan: write a name such as "
            "data/users.csv, below the plan's own folder",
            code=Code.INCLUDE_NAME,
        )
    return name


def bounded(content: bytes, name: str) -> bytes:
    """Check a file's size.

    Raises:
        InputError: it is too large.
    """
    if len(content) > MOST_BYTES:
        what = f"{name} is larger than {MOST_BYTES // 1024} KiB"
        raise InputError(what, code=Code.INCLUDE_SIZE)
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFiles:
    """The files that one step names: each is read once, with the plan.

    Attributes:
        files: reads a file.
        event: the lifecycle event of the step.
        filled: whether placeholders have their values.
        chain: the files that include what is being read.
    """

    files: Files
    event: LifecycleEvent | None = None
    filled: bool = False
    chain: tuple[str, ...] = ()
    _contents: dict[str, bytes] = field(default_factory=dict)
    _documents: dict[str, Document] = field(default_factory=dict)
    _included: list[str] = field(default_factory=list)

    @property
    def reading(self) -> Reading:
        """The context in which the options of the step are validated."""
        return Reading(
            read=self._read,
            locate=self._locate,
            include=self._include,
            filled=self.filled,
        )

    def texts(self) -> Iterator[str]:
        """The texts of all included steps."""
        for document in self._documents.values():
            for _, text in placeholders.texts(document.data):
                yield text

    def fill(self, substitute: Callable[[str], str]) -> StepFiles:
        """The same files, with values for the placeholders in included steps."""
        documents = {
            name: replace(each, data=placeholders.substituted(each.data, substitute))
            for name, each in self._documents.items()
        }
        return replace(self, filled=True, _documents=documents, _included=[])

    def _read(self, name: str) -> bytes:
        if name not in self._contents:
            if len(self._contents) >= MOST_FILES:
                what = f"a step reads at most {MOST_FILES} files"
                raise InvalidValue(what, code=Code.INCLUDE_SIZE)
            try:
                content = self.files(name)
            except InputError as error:
                raise InvalidValue(str(error), code=error.code) from None
            if len(content) + sum(map(len, self._contents.values())) > MOST_BYTES:
                most = MOST_BYTES // 1024
                what = f"the files of a step are larger than {most} KiB"
                raise InvalidValue(what, code=Code.INCLUDE_SIZE)
            self._contents[name] = content
        return self._contents[name]

    def _locate(self, name: str) -> str:
        if name.startswith("s3:") or placeholders.holds(name):
            return name
        try:
            return large(name, self.files)
        except InputError as error:
            raise InvalidValue(str(error), code=error.code) from None

    def _include(self, name: str, model: type[BaseModel]) -> BaseModel:
        """The steps of a file as ``model``, whose only key here is ``steps``.

        Raises:
            ValueError: the file cannot be read.
            WrongFile: its content is wrong.
        """
        if name in self.chain:
            way = " includes ".join(shown(each) for each in (*self.chain, name))
            what = f"the includes form a cycle: {way}; remove one include"
            raise InvalidValue(what, code=Code.INCLUDE_CYCLE)
        if len(self.chain) >= _DEEPEST:
            what = f"files include files at most {_DEEPEST} deep"
            raise InvalidValue(what, code=Code.INCLUDE_SIZE)
        if len(self._included) >= MOST_FILES:
            what = f"a step includes files at most {MOST_FILES} times"
            raise InvalidValue(what, code=Code.INCLUDE_SIZE)
        self._included.append(name)
        document, problems = self._document(name)
        within = replace(self, chain=(*self.chain, name))
        try:
            made = model.model_validate(document.data, context=within.reading)
        except ValidationError as error:
            blamed = problems.places()
            for fault in messages.faults(error, model, document.data, "option"):
                if (place := fault.place_in(document)) not in blamed:
                    problems.add(place, fault.code, fault.what)
        if problems:
            raise messages.WrongFile(problems.error().problems)
        return made

    def _document(self, name: str) -> tuple[Document, Problems]:
        if name in self._documents:
            return self._documents[name], Problems()
        try:
            document, problems = parse(self._read(name), name, _STEPS)
        except PlanError as error:
            raise messages.WrongFile(error.problems) from None
        for each in document.data:
            if each != "steps":
                what = f"an included file contains only steps; remove {shown(each)}"
                problems.add(document.key((each,)), Code.INCLUDE_CONTENT, what)
        for fault in (
            *messages.secret_faults(document.data),
            *messages.placeholder_faults(document.data, self.event),
        ):
            problems.add(fault.place_in(document), fault.code, fault.what)
        self._documents[name] = document
        return document, problems
