"""What ``${…}`` stands for in one deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Image
from hookgate.errors import CannotMeasure
from hookgate.plan.placeholders import fill

_Read = Callable[[DeploymentContext], str | None]


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of one deployment.

    ``secrets`` gives the value of a secret by its name, and raises CannotMeasure if it
    cannot. It is asked only for what a plan names. ``given`` holds values that go
    before what the context tells, as in ``hookgate run --set``; secrets are not among
    them.
    """

    context: DeploymentContext
    secrets: Callable[[str], str]
    given: Mapping[str, str] = field(default_factory=dict)

    def substitute(self, text: str) -> str:
        """Put the values in the place of the placeholders in ``text``.

        Raises:
            CannotMeasure: a value is not known; the message says which and why.
        """
        return fill(text, self._value)

    def _value(self, name: str) -> str:
        # Before what is given: only what comes from ``secrets`` is masked.
        if name.startswith("secret."):
            return self.secrets(name.removeprefix("secret."))
        if name in self.given:
            return self.given[name]
        value = _named(name, self.context)
        if value is None:
            what = f"${{{name}}} is not known: {_why(name, self.context)}"
            raise CannotMeasure(what, code=Code.PLACEHOLDER_VALUE)
        return value


def _named(name: str, context: DeploymentContext) -> str | None:
    container = context.green_container
    for prefix, kind in (("green.env.", "environment"), ("green.label.", "labels")):
        if name.startswith(prefix):
            values: Mapping[str, str] = getattr(container, kind, {})
            return values.get(name.removeprefix(prefix))
    read = _READ.get(name)
    return read(context) if read else None


def _why(name: str, context: DeploymentContext) -> str:
    """Why a value is not known, as far as the context tells."""
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
    return _REASONS.get(name, "the deployment does not tell")


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
