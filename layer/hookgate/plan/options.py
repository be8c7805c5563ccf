"""The options of a step, checked when the plan is read and when they are filled in.

They may name files beside the plan: data, bodies and steps to include.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError, InvalidValue, Place, PlanError
from hookgate.files import Reading
from hookgate.model import LifecycleEvent
from hookgate.plan import messages, placeholders
from hookgate.plan.placeholders import Fault
from hookgate.validator import Validator
from hookgate.yaml_reader import Dialect, Document, Path, Problems, parse, shown

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

    folder: FilePath

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


def beside(plan: FilePath) -> Beside:
    """The files in the folder of a plan."""
    return Beside(plan.resolve().parent)


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
        """The path of a file that is too large to be part of a plan, such as a log."""
        is_path = FilePath(name).is_absolute() or name.startswith("s3:")
        if is_path or placeholders.holds(name):
            return name
        if not isinstance(self.files, Beside):
            raise InvalidValue(
                f"{name} cannot be read: a log is beside a plan only where the plan is "
                "a file. Write s3://bucket/key, or the log's full path",
                code=Code.INCLUDE_MISSING,
            )
        path = self.files.folder / name
        if not path.is_file():
            what = f"there is no file {name} beside the plan"
            raise InvalidValue(what, code=Code.INCLUDE_MISSING)
        return str(path)

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
        if len(self.chain) >= _DEEPEST or len(self._included) >= MOST_FILES:
            raise InvalidValue(
                f"a step includes files at most {MOST_FILES} times and {_DEEPEST} deep",
                code=Code.INCLUDE_SIZE,
            )
        self._included.append(name)
        document, problems = self._document(name)
        within = replace(self, chain=(*self.chain, name))
        try:
            made = model.model_validate(document.data, context=within.reading)
        except ValidationError as error:
            messages.report(error, model, document, "option", problems)
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
        found = (
            *placeholders.secret_faults(document.data),
            *placeholders.placeholder_faults(document.data, self.event),
        )
        problems.extend(each.problem(document) for each in found)
        self._documents[name] = document
        return document, problems


def build(
    validator: type[Validator],
    options: Mapping[str, Any],
    reading: Reading | None = None,
) -> Validator | tuple[Fault, ...]:
    """Build a validator, or return the faults of its options.

    ``reading`` is the context in which pydantic validates them.
    """
    try:
        built = validator.model_validate(dict(options), context=reading)
    except ValidationError as error:
        return tuple(messages.faults(error, validator, dict(options), "option"))
    # A validator is a plugin and may raise anything.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        what = f"the validator cannot read its options: {type(error).__name__}: {error}"
        return (Fault(path=(), code=Code.VALIDATOR_BROKEN, what=what),)
    return tuple(_not_finite(built)) or built


def filled(
    validator: type[Validator],
    options: Mapping[str, Any],
    written: Iterable[str],
    place: Place,
    reading: Reading,
) -> Validator:
    """Build a validator from options in which placeholders have been replaced.

    Args:
        validator: its class.
        options: the options with values in place of placeholders.
        written: the texts of the options in the plan.
        place: where the step is.
        reading: the context in which pydantic validates them.

    Raises:
        PlanError: the options are not valid; the message has no value of a secret.
    """
    built = build(validator, options, reading)
    if isinstance(built, Validator):
        return built
    problems = Problems()
    for fault in built:
        problems.add(place, fault.code, _discreet(fault, written))
    raise problems.error()


def _discreet(fault: Fault, written: Iterable[str]) -> str:
    """The message of a fault; without details if they could contain a secret."""
    names = [name for text in written for name in placeholders.names(text)]
    secret = next((name for name in names if name.startswith("secret.")), None)
    if secret is None:
        return f"{fault.what} (after ${{…}} was filled in)"
    label = ".".join(str(part) for part in fault.path) or "the options"
    return f"{label}: not valid once ${{{secret}}} and the like are filled in"


def worst_case(validator: Validator) -> float:
    """The worst-case time of a validator in seconds.

    Raises:
        ValueError: the validator's own computation fails or is not a number.
    """
    try:
        seconds = validator.retry_policy.worst_case(float(validator.worst_case()))
    # As in build: a plugin may raise anything.
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"worst_case() of the validator failed: {type(error).__name__}: {error}"
        ) from error
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"worst_case() of the validator returned {seconds} seconds")
    return seconds


def _not_finite(validator: Validator) -> Iterator[Fault]:
    """Find options that are infinite or not a number.

    pydantic reads the text ``nan`` as a number, and every comparison with it is false.
    """
    for path, number in _numbers(validator, ()):
        if not math.isfinite(number):
            label = ".".join(str(part) for part in path)
            what = f"{label}: {number} is not a finite number"
            yield Fault(path=path, code=Code.YAML_NUMBER, what=what)


def _numbers(value: Any, path: Path) -> Iterator[tuple[Path, float]]:
    inner: Mapping[Any, Any] = {}
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, BaseModel):
        inner = {name: getattr(value, name) for name in value.model_fields_set}
    elif isinstance(value, dict):
        inner = value
    elif isinstance(value, list | tuple):
        inner = dict(enumerate(value))
    for key, each in inner.items():
        yield from _numbers(each, (*path, key))
