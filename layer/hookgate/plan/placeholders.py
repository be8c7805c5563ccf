"""Placeholders such as ``${green.image.tag}``: values of the deployment in a plan.

``$${`` is a literal ``${``. Names are checked when the plan is read; values are known
when there is a deployment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Image
from hookgate.errors import CannotMeasure, closest
from hookgate.model import LifecycleEvent
from hookgate.yaml_reader import Path, shown

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

#: Prefixes of names that end in one of the user's choice.
NAMED = ("green.env.", "green.label.", "secret.")

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")

_TASK_SET = "green.task_set.id"

# The maximum number of different placeholders in one text.
_MOST = 50

_NAME = re.compile(r"[^\s{}]{1,512}")


def holds(text: str) -> bool:
    """Whether ``text`` contains a placeholder or an escaped one."""
    return "${" in text


def fill(text: str, value_of: Callable[[str], str]) -> str:
    """Replace placeholders by values, and remove escapes.

    Args:
        text: a text whose syntax has been checked.
        value_of: returns the value of a name such as ``green.image.tag``.
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
    """Find what is wrong with the placeholders in ``text``.

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
    """Each text in ``data`` with its path; the depth of ``data`` is bounded."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from texts(value, (*path, index))


def substituted(data: Any, substitute: Callable[[str], str]) -> Any:
    """Return a copy of ``data`` with ``substitute`` applied to each text."""
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
    """Suggest the closest name; the user's own part of a name is not compared."""
    for prefix in NAMED:
        if name == prefix or name == prefix[:-1]:
            return f"; add a name: ${{{prefix}NAME}}"
    candidates = [*FIXED, *(f"{prefix}NAME" for prefix in NAMED)]
    head, dot, _ = name.strip().rpartition(".")
    close = closest(name.strip(), candidates)
    if close is None and dot:
        close = closest(f"{head}.NAME", candidates)
    if close is None:
        return f"; there are: {', '.join(candidates)}"
    return f"; did you mean ${{{close}}}?"


_Read = Callable[[DeploymentContext], str | None]


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of one deployment.

    ``secrets`` returns the value of a secret by its name, or raises CannotMeasure.
    It is called only for names in the plan. ``given`` has values that precede
    those of the context, as in ``hookgate run --set``; secrets are not among them.
    """

    context: DeploymentContext
    secrets: Callable[[str], str]
    given: Mapping[str, str] = field(default_factory=dict)

    def substitute(self, text: str) -> str:
        """Replace the placeholders in ``text`` by their values.

        Raises:
            CannotMeasure: a value is not known; the message has the reason.
        """
        return fill(text, self._value)

    def _value(self, name: str) -> str:
        # Before ``given``: only the values of ``secrets`` are masked.
        if name.startswith("secret."):
            return self.secrets(name.removeprefix("secret."))
        if name in self.given:
            return self.given[name]
        value = _value_in(name, self.context)
        if value is None:
            what = f"${{{name}}} is not known: {_why(name, self.context)}"
            raise CannotMeasure(what, code=Code.PLACEHOLDER_VALUE)
        return value


def _value_in(name: str, context: DeploymentContext) -> str | None:
    container = context.green_container
    for prefix, kind in (("green.env.", "environment"), ("green.label.", "labels")):
        if name.startswith(prefix):
            values: Mapping[str, str] = getattr(container, kind, {})
            return values.get(name.removeprefix(prefix))
    read = _READ.get(name)
    return read(context) if read else None


def _why(name: str, context: DeploymentContext) -> str:
    """Why a value is not known."""
    if name not in _READ and not name.startswith(("green.env.", "green.label.")):
        return "no placeholder has this name"
    if context.deployment is None and not name.endswith(".url"):
        return "there is no deployment, as in hookgate run"
    if name.startswith("green.task_definition.") or (
        context.task_definition is None and _is_of_container(name)
    ):
        return "the task definition has not been read"
    if _is_of_container(name):
        return _why_not_in_container(name, context)
    return _REASONS.get(name, "the deployment does not have it")


def _is_of_container(name: str) -> bool:
    return name.startswith(("green.image.", "green.env.", "green.label."))


def _why_not_in_container(name: str, context: DeploymentContext) -> str:
    container = context.green_container
    if container is None:
        wanted = context.appspec.container_name if context.appspec else "none"
        return f"the task definition has no container named {wanted}"
    _, kind, key = name.split(".", 2)
    if kind == "image":
        return f"the image {container.image.name} has no {key}"
    what = "environment variable" if kind == "env" else "Docker label"
    return f"the container {container.name} has no {what} {key}"


_FIRST = "there is no original task set, as in a first deployment"

_REASONS = {
    "green.task_set.id": "the replacement task set does not exist yet",
    "blue.task_set.id": _FIRST,
    "blue.task_definition.arn": _FIRST,
    "test.url": "the deployment group has no test listener",
    "production.url": "there is no production listener",
}


def _image(read: Callable[[Image], str | None]) -> _Read:
    def of_green(context: DeploymentContext) -> str | None:
        container = context.green_container
        return read(container.image) if container else None

    return of_green


_READ: Mapping[str, _Read] = {
    "event": lambda context: context.event.value,
    "deployment.id": lambda c: c.deployment.id if c.deployment else None,
    "deployment.application": lambda c: (
        c.deployment.application if c.deployment else None
    ),
    "deployment.group": lambda c: c.deployment.group if c.deployment else None,
    "deployment.configuration": lambda c: (
        c.deployment.configuration if c.deployment else None
    ),
    "green.image.name": _image(lambda image: image.name),
    "green.image.repository": _image(lambda image: image.repository),
    "green.image.tag": _image(lambda image: image.tag),
    "green.image.digest": _image(lambda image: image.digest),
    "green.task_definition.family": lambda c: (
        c.task_definition.family if c.task_definition else None
    ),
    "green.task_definition.revision": lambda c: (
        str(c.task_definition.revision) if c.task_definition else None
    ),
    "green.task_definition.arn": lambda c: (
        c.task_definition.arn if c.task_definition else None
    ),
    "green.task_set.id": lambda c: (
        c.green.task_set.id if c.green and c.green.task_set else None
    ),
    "blue.task_set.id": lambda c: (
        c.blue.task_set.id if c.blue and c.blue.task_set else None
    ),
    "blue.task_definition.arn": lambda c: (
        c.blue.task_set.task_definition_arn if c.blue and c.blue.task_set else None
    ),
    "test.url": lambda c: c.test.url if c.test else None,
    "production.url": lambda c: c.production.url if c.production else None,
}
