"""Where pydantic's ``loc`` is in the data, and in the model that read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hookgate.deferred import Deferred
from hookgate.plan.composer import Path


def path_of(loc: Iterable[int | str], data: Any) -> Path:
    """Follow ``loc`` through ``data``, leaving out pydantic's names of branches."""
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
    """The keys that the model at ``loc`` has."""
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
    """The models that a field such as ``list[Request]`` is made of."""
    for part in (field.annotation, *field.metadata):
        yield from _models(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, Deferred):
        annotation = annotation.type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
