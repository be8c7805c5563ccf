"""``use: task_definition``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hookgate import (
    AppSpec,
    Container,
    DeploymentContext,
    Finding,
    Image,
    LifecycleEvent,
    Tools,
    Validator,
    known,
)
from hookgate import (
    TaskDefinition as Definition,
)
from hookgate.codes import Code


class TaskDefinition(Validator):
    """Does the task set run the AppSpec's task definition, with pinned images?

    A tag can move to another image at any time; a digest cannot:
    docs.aws.amazon.com/AmazonECS/latest/developerguide/container-considerations.html

    Example:
        - use: task_definition
          with:
            digest: true
            allowed_repositories:
              - 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop
    """

    needs_aws: ClassVar[bool] = True

    tags: Literal["forbid_latest", "any"] = Field(
        "forbid_latest",
        description="Whether an image without a digest needs a tag other than latest.",
    )
    digest: bool = Field(
        default=False, description="Whether every image must have a digest."
    )
    allowed_repositories: tuple[str, ...] = Field(
        (),
        description="Allowed sources of images: a registry, or a path in one, "
        "such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop. "
        "Empty allows all.",
    )
    containers: Literal["all", "app"] = Field(
        "all",
        description="The containers to check: all, or only the one that the "
        "AppSpec names.",
    )

    def worst_case(self) -> float:
        """No calls: the hook has read everything."""
        return 1.0

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Compare the task set, the AppSpec and the task definition."""
        appspec = known(context.appspec, "the AppSpec")
        definition = known(context.task_definition, "the task definition")
        yield _deployed(context, definition)
        yield _served(appspec, definition)
        for each in definition.containers:
            yield self._image(each, appspec)

    def _image(self, container: Container, appspec: AppSpec) -> Finding:
        judged = self.containers == "all" or container.name == appspec.container_name
        fault = self._fault(container.image)
        option = "containers: app" if fault and not judged else ""
        if not fault and self.tags == "any" and (fault := _movable(container.image)):
            option = "tags: any"
        summary = f"container {container.name}: image {container.image.name} "
        summary += fault or "meets the policy"
        return Finding(
            ok=not fault or bool(option),
            summary=summary,
            waiver=f"{option}: {summary}" if option else "",
            code=Code.TASK_DEFINITION_IMAGE,
        )

    def _fault(self, image: Image) -> str:
        if self.digest and not image.digest:
            return "has no digest; push it, and use its digest (@sha256:…)"
        if self.tags == "forbid_latest" and (movable := _movable(image)):
            return f"{movable}; give it a unique tag"
        if self.allowed_repositories and not self._allowed(image):
            return f"is not from {' or '.join(self.allowed_repositories)}"
        return ""

    def _allowed(self, image: Image) -> bool:
        return any(
            f"{image.repository}/".startswith(f"{each.rstrip('/')}/")
            for each in self.allowed_repositories
        )


def _deployed(context: DeploymentContext, definition: Definition) -> Finding:
    task_set = context.green.task_set if context.green else None
    if task_set is None:
        before = context.event is LifecycleEvent.BEFORE_INSTALL
        summary = "the replacement task set does not exist" + (" yet" if before else "")
        return Finding(ok=before, summary=summary, code=Code.TASK_DEFINITION_DEPLOYED)
    actual = task_set.task_definition_arn
    return Finding(
        ok=actual == definition.arn,
        summary=f"task definition: expected {_short(definition.arn)} of the AppSpec, "
        f"got {_short(actual)}",
        evidence={"task_set": actual, "appspec": definition.arn},
        code=Code.TASK_DEFINITION_DEPLOYED,
    )


def _served(appspec: AppSpec, definition: Definition) -> Finding:
    name, port = appspec.container_name, appspec.container_port
    container = definition.container(name)
    if container is None:
        names = ", ".join(each.name for each in definition.containers)
        return Finding(
            ok=False,
            summary=f"expected the AppSpec's container {name} in the task definition, "
            f"got {names}",
            code=Code.TASK_DEFINITION_CONTAINER,
        )
    ports = ", ".join(map(str, container.ports)) or "no port"
    return Finding(
        ok=port in container.ports,
        summary=f"container {name}: expected port {port} of the AppSpec, got {ports}",
        code=Code.TASK_DEFINITION_CONTAINER,
    )


def _movable(image: Image) -> str:
    if image.digest:
        return ""
    if image.tag is None:
        return "has no tag, which means latest"
    return "has the tag latest" if image.tag == "latest" else ""


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
