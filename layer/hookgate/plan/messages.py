"""Convert the errors of pydantic to problems of a plan, with place and code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from hookgate.codes import Code
from hookgate.errors import Problem, did_you_mean
from hookgate.plan.placeholders import Fault, holds
from hookgate.units import Deferred
from hookgate.yaml_reader import Document, Path, Problems, shown


def path_of(loc: Iterable[int | str], data: Any) -> Path:
    """Return ``loc`` as a path in ``data``, without pydantic's names of branches."""
    path: list[int | str] = []
    for part in loc:
        if isinstance(data, dict):
            inside = part in data
        else:
            inside = isinstance(data, list) and part in range(len(data))
        if inside:
            data = data[part]
            path.append(part)
    return tuple(path)


def keys_at(model: type[BaseModel], loc: Iterable[int | str]) -> tuple[str, ...]:
    """The keys of the model at ``loc``."""
    models = [model]
    for part in loc:
        branch = [each for each in models if each.__name__ == part]
        inner = [
            found
            for each in models
            for name, info in each.model_fields.items()
            if part in {name, info.alias}
            for found in models_of(info)
        ]
        models = branch or inner or models
    return tuple(
        dict.fromkeys(
            info.alias or name for each in models for name, info in _own_first(each)
        )
    )


def _own_first(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """A model's fields, those that it shares with others last."""
    bases = [each for each in model.__bases__ if issubclass(each, BaseModel)]
    inherited = {name for each in bases for name in each.model_fields}
    return sorted(model.model_fields.items(), key=lambda field: field[0] in inherited)


def models_of(field: FieldInfo) -> Iterator[type[BaseModel]]:
    """The models in the type of a field, such as in ``list[Request]``."""
    for part in (field.annotation, *field.metadata):
        yield from _models(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, Deferred):
        annotation = annotation.type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    **dict.fromkeys(("dict", "mapping", "model", "dataclass"), "a mapping"),
    **dict.fromkeys(("list", "tuple", "set", "frozen"), "a list"),
}

_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text of {min_length} characters or more",
    "string_too_long": "text of {max_length} characters or fewer",
    "too_short": "{min_length} or more of them",
    "too_long": "{max_length} or fewer of them",
    "literal_error": "{expected}",
    "enum": "{expected}",
}

_CODES = {
    **dict.fromkeys(_BOUNDS, Code.PLAN_RANGE),
    "literal_error": Code.PLAN_CHOICE,
    "enum": Code.PLAN_CHOICE,
    "extra_forbidden": Code.PLAN_UNKNOWN_KEY,
    "missing": Code.PLAN_MISSING_KEY,
    "string_pattern_mismatch": Code.PLAN_FORMAT,
}


class WrongFile(ValueError):
    """A file that an option names is wrong; each problem has its place in it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(each.message for each in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Error:
    """One of pydantic's errors, with the path it has in the data."""

    path: Path
    name: str
    type: str
    value: Any
    message: str
    expected: str | None
    code: str
    known: tuple[str, ...] = ()
    elsewhere: tuple[Problem, ...] = ()


def faults(
    error: ValidationError, model: type[BaseModel], data: Any, noun: str
) -> Iterator[Fault]:
    """Convert an error of pydantic; the branches of a union become one sentence.

    Args:
        error: the error of validating ``data``.
        model: the model that validated it.
        data: plain data from the plan.
        noun: the word for a field, ``key`` or ``option``.
    """
    found = [_read(each, model, data) for each in error.errors(include_url=False)]
    groups: dict[tuple[Path, str, bool], list[_Error]] = {}
    for each in found:
        for other in each.elsewhere:
            where, code, what = other.place, other.code, other.message
            yield Fault(path=each.path, code=code, what=what, place=where)
        is_reported = each.elsewhere or each.type == "none_required"
        if not is_reported and not _is_noise(each, found):
            at_key = each.type in {"extra_forbidden", "key"}
            groups.setdefault((each.path, each.name, at_key), []).append(each)
    for (path, name, at_key), same in groups.items():
        code, what = _sentence(same, noun)
        full = (*path, name) if at_key and name else path
        yield Fault(path=full, at_key=at_key, code=code, what=what)


def report(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    noun: str,
    problems: Problems,
) -> None:
    """Add the faults of a document; a place that has a problem gets no second one."""
    blamed = problems.places()
    found = faults(error, model, document.data, noun)
    named = [each.problem(document) for each in found]
    problems.extend(each for each in named if each.place not in blamed)


def _read(error: Any, model: type[BaseModel], data: Any) -> _Error:
    kind, loc, context = error["type"], error["loc"], error.get("ctx", {})
    name = ""
    if kind in {"missing", "extra_forbidden"}:
        loc, name = loc[:-1], str(loc[-1])
    if loc and loc[-1] == "[key]":
        loc, kind = loc[:-1], "key"
    message = str(context["error"]) if "error" in context else str(error["msg"]).lower()
    return _Error(
        path=path_of(loc, data),
        name=name,
        type=kind,
        value=error["input"],
        message=message,
        expected=_expected(kind, context),
        code=_code(kind, context.get("error")),
        known=keys_at(model, loc) if kind == "extra_forbidden" else (),
        elsewhere=getattr(context.get("error"), "problems", ()),
    )


def _expected(kind: str, context: Mapping[str, Any]) -> str | None:
    if words := getattr(context.get("error"), "expected", None):
        return str(words)
    if kind == "string_pattern_mismatch":
        return f"text that matches {context.get('pattern', '…')}"
    if kind in _BOUNDS and context:
        # A plugin may use pydantic's name of an error without what belongs to it.
        return _BOUNDS[kind].format_map(defaultdict(lambda: "…", context))
    if kind.endswith(("_type", "_parsing", "_from_float", "_attributes_type")):
        return _EXPECTED.get(kind.partition("_")[0])
    return None


def _code(kind: str, error: object) -> str:
    """The code of the check that failed, or that of pydantic's kind of error."""
    raised = getattr(error, "code", None)
    if isinstance(raised, str):
        return raised
    if kind.endswith(("_type", "_parsing", "_from_float")):
        return Code.PLAN_TYPE
    return _CODES.get(kind, Code.PLAN_VALUE)


def _is_noise(error: _Error, found: Iterable[_Error]) -> bool:
    """Whether another branch of a union got further into the same value."""
    depth = len(error.path)
    return error.expected is not None and any(
        each.path[:depth] == error.path and (len(each.path) > depth or each.name)
        for each in found
    )


def _sentence(same: list[_Error], noun: str) -> tuple[str, str]:
    first = same[0]
    label = _label((*first.path, first.name) if first.name else first.path)
    if first.type == "extra_forbidden":
        hint = did_you_mean(first.name, first.known)
        return first.code, f"unknown {noun} {shown(first.name)}{hint}"
    if first.type == "missing":
        return first.code, f"the {noun} {label!r} is missing; add it"
    if first.type == "key":
        return first.code, first.message
    code = first.code
    expected = [each.expected for each in same]
    if all(expected):
        choice = " or ".join(dict.fromkeys(each for each in expected if each))
        what = f"expected {choice}, got {_got(first.value)}{_remedy(same)}"
    else:
        others = [each for each in same if not each.expected]
        code = others[0].code
        what = " or ".join(dict.fromkeys(each.message for each in others))
    is_text = isinstance(first.value, str)
    if is_text and holds(first.value) and "${…}" not in what:
        what = f"${{…}} is not allowed, because this is not free text ({what})"
        code = Code.PLAN_PLACEHOLDER_PLACE
    return code, f"{label}: {what}" if label else what


def _label(path: Path) -> str:
    """Name a field in a message; a step's keys need no path to the step."""
    if path[:1] == ("events",) and len(path) > 3:
        path = path[3:]
    label = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in path
    )
    return label.removeprefix(".")


def _got(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping"


def _remedy(same: list[_Error]) -> str:
    value, kinds = same[0].value, {each.type for each in same}
    if len(kinds) > 1:
        return ""
    if "string_type" in kinds and isinstance(value, int | float):
        return "; put it in quotes"
    if isinstance(value, str) and value in {"true", "false"}:
        return "; write it without quotes"
    if kinds & {"list_type", "tuple_type"} and not isinstance(value, dict | list):
        return "; put it in [ ]"
    return ""
