"""``${…}``: values of the deployment that a plan may ask for, and how they are written.

``$${`` stands for a literal ``${``. Whether a value is there is known only when a
deployment is; whether there can be one of that name is known when the plan is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hookgate.codes import Code
from hookgate.model import LifecycleEvent
from hookgate.plan.composer import Path
from hookgate.plan.problems import shown
from hookgate.registry import closest

#: Names that mean the same in every plan.
FIXED = (
    "event",
    "deployment.id",
    "deployment.application",
    "deployment.group",
    "deployment.configuration",
    "green.image.name",
    "green.image.repository",
    "green.image.tag",
    "green.image.digest",
    "green.task_definition.family",
    "green.task_definition.revision",
    "green.task_definition.arn",
    "green.task_set.id",
    "blue.task_set.id",
    "blue.task_definition.arn",
    "test.url",
    "production.url",
)
#: Names that end in one the service chose.
NAMED = ("green.env.", "green.label.", "secret.")

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_TASK_SET = "green.task_set.id"

# Different placeholders in one text: more than make sense, few enough to look up.
_MOST = 50
_NAME = re.compile(r"[^\s{}]{1,512}")


def holds(text: str) -> bool:
    """Whether ``text`` holds a placeholder or an escaped one."""
    return "${" in text


def fill(text: str, value_of: Callable[[str], str]) -> str:
    """Put values in the place of placeholders, and take escapes away.

    Args:
        text: what the plan says; its syntax has been checked.
        value_of: gives the value of a name such as ``green.image.tag``.
    """

    def replaced(token: re.Match[str]) -> str:
        name = token["name"]
        return "${" if name is None else value_of(name)

    return _TOKEN.sub(replaced, text)


def names(text: str) -> Iterator[str]:
    """The names of the placeholders in ``text``, in order."""
    for token in _TOKEN.finditer(text):
        if token["name"] is not None:
            yield token["name"]


def faults(
    text: str, event: LifecycleEvent | None = None
) -> Iterator[tuple[Code, str]]:
    """Say what is wrong with the placeholders in ``text``.

    Args:
        text: a text value of a plan.
        event: the lifecycle event it is for, where there is one.
    """
    tokens = {token[0]: token["name"] for token in _TOKEN.finditer(text)}
    if len(tokens) > _MOST:
        what = f"{len(tokens)} different placeholders in one text; at most {_MOST}"
        yield Code.PLAN_PLACEHOLDER_SYNTAX, what
        return
    for written, name in tokens.items():
        if written == "${":
            what = (
                f"the placeholder in {shown(text)} is not closed; write ${{name}}, or "
                "$${ for a literal ${"
            )
            yield Code.PLAN_PLACEHOLDER_SYNTAX, what
        elif name is not None and not _is_known(name):
            what = f"unknown placeholder {shown(written)}{_instead(name)}"
            yield Code.PLAN_PLACEHOLDER, what
        elif name == _TASK_SET and event is LifecycleEvent.BEFORE_INSTALL:
            what = (
                f"{written} is not known at BeforeInstall: the replacement task set "
                "does not exist yet; use it from AfterInstall on"
            )
            yield Code.PLAN_PLACEHOLDER_EVENT, what


def texts(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text value in ``data`` with the path to it; its depth is bounded."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from texts(value, (*path, index))


def substituted(data: Any, substitute: Callable[[str], str]) -> Any:
    """A copy of ``data`` with ``substitute`` applied to every text value."""
    if isinstance(data, str):
        return substitute(data) if holds(data) else data
    if isinstance(data, dict):
        return {key: substituted(value, substitute) for key, value in data.items()}
    if isinstance(data, list):
        return [substituted(value, substitute) for value in data]
    return data


def _is_known(name: str) -> bool:
    return name in FIXED or any(
        name.startswith(prefix) and _NAME.fullmatch(name.removeprefix(prefix))
        for prefix in NAMED
    )


def _instead(name: str) -> str:
    """Suggest the nearest name, comparing only what is Hookgate's in it."""
    for prefix in NAMED:
        if name == prefix or name == prefix[:-1]:
            return f"; say which one: ${{{prefix}NAME}}"
    candidates = [*FIXED, *(f"{prefix}NAME" for prefix in NAMED)]
    head, dot, _ = name.strip().rpartition(".")
    close = closest(name.strip(), candidates)
    if close is None and dot:
        close = closest(f"{head}.NAME", candidates)
    if close is None:
        return f"; there are: {', '.join(candidates)}"
    return f"; did you mean ${{{close}}}?"
