"""ECS's API: moto's, with real task sets, tasks and counts.

Moto stores clusters, services and task definitions; the scheduler has the task sets of
services under the controllers CODE_DEPLOY and EXTERNAL.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate_rehearsal.ecs.scheduler import EcsTaskSet, Scheduler, Task
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    BadTokenError,
    JsonService,
    Operation,
    answer_problems,
    page,
    service_model,
)

OPTIONS = (
    *("launchType", "platformVersion", "networkConfiguration"),
    "capacityProviderStrategy",
)
CONTROLLED = {"CODE_DEPLOY", "EXTERNAL"}
#: What UpdateService does not change under CODE_DEPLOY, by the request's member.
#: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
_OF_CODEDEPLOY = {
    "taskDefinition": "Unable to update task definition",
    "loadBalancers": "Unable to update load balancers",
    "networkConfiguration": "Unable to update network parameters",
    "platformVersion": "Unable to update platform version",
    "forceNewDeployment": "Cannot force a new deployment",
}
PAGE = 100  # the maximum number of tasks of one response, and of one request
MAX_RUN = 10  # the maximum number of tasks of one RunTask
_ROLE = re.compile(r"(arn:aws[\w-]*:iam::\d{12}:role/)?[\w+=,.@/-]+")

Request = Mapping[str, Any]
Response = dict[str, Any]


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsContext:
    """What every ECS operation works with.

    ``moto`` calls moto's ECS. ``is_attached`` is whether any load balancer uses the
    target group with an ARN. ``created`` and ``run`` are the requests of CreateService
    and RunTask by cluster and client token.
    """

    scheduler: Scheduler
    moto: Callable[[str, Request], Response]
    is_attached: Callable[[str], bool]
    created: dict[str, Request] = field(default_factory=dict)
    run: dict[str, tuple[Request, EcsTaskSet]] = field(default_factory=dict)

    def check_cluster(self, request: Request) -> None:
        """Refuse a cluster that does not exist."""
        self.moto("ListServices", {"cluster": _cluster(request)})

    def services(self, cluster: str, *names: str) -> list[Response]:
        """Services by name or ARN, as moto knows them."""
        request = {"cluster": cluster, "services": names}
        return list(self.moto("DescribeServices", request)["services"])

    def service(self, request: Request) -> Response:
        """The service that a request names, as moto knows it."""
        cluster, name = _cluster(request), last_part(request["service"])
        for service in self.services(cluster, name):
            return service
        message = f"There is no service {name} in the cluster {cluster}."
        raise ApiError("ServiceNotFoundException", message)

    def active_service(self, request: Request) -> Response:
        """The service that a request names, unless it is deleted."""
        service = self.service(request)
        if service["status"] != "ACTIVE":
            message = f"The service {service['serviceName']} is not ACTIVE."
            raise ApiError("ServiceNotActiveException", message)
        return service

    def task_sets(self, cluster: str, service: str) -> list[EcsTaskSet]:
        """The task sets of a service by names or ARNs, PRIMARY first."""
        key, all_ = (last_part(cluster), last_part(service)), self.scheduler.task_sets
        found = [each for each in all_ if (each.cluster, each.service) == key]
        return sorted(found, key=lambda each: each.status != "PRIMARY")

    def task_set(self, request: Request, member: str = "taskSet") -> EcsTaskSet:
        """The task set that a request names by id or by ARN."""
        for task_set in self.task_sets(_cluster(request), request["service"]):
            if request[member] in (task_set.id, task_set.arn):
                return task_set
        message = f"The service has no task set {request[member]}."
        raise ApiError("TaskSetNotFoundException", message)

    def add_task_set(
        self, request: Request, service: Response, **settings: Any
    ) -> EcsTaskSet:
        """Start a task set of a service with the settings that a request names."""
        cluster, name = last_part(service["clusterArn"]), service["serviceName"]
        balancers = request.get("loadBalancers") or []
        task_set = EcsTaskSet(
            cluster=cluster,
            service=name,
            arn=self.scheduler.location.new_task_set(cluster, name),
            definition=self.checked(request["taskDefinition"], balancers),
            load_balancers=balancers,
            options={name: request[name] for name in OPTIONS if name in request},
            **settings,
        )
        self.scheduler.add(task_set)
        return task_set

    def definition(self, task_definition: str) -> Response:
        """A task definition as it was registered."""
        request = {"taskDefinition": task_definition}
        return dict(self.moto("DescribeTaskDefinition", request)["taskDefinition"])

    def checked(self, task_definition: str, balancers: list[Response]) -> Response:
        """A task definition with the containers and ports of load balancers.

        Without them, its tasks would get no requests and be steady.
        """
        definition = self.definition(task_definition)
        containers = {each["name"]: each for each in definition["containerDefinitions"]}
        for balancer in balancers:
            name, port = balancer.get("containerName"), balancer.get("containerPort")
            if name not in containers:
                raise _invalid(
                    f"The container {name} does not exist in the task definition."
                )
            mappings = containers[name].get("portMappings") or []
            if port not in {each.get("containerPort") for each in mappings}:
                raise _invalid(
                    f"The container {name} did not have a container port {port} "
                    "defined."
                )
        return definition

    def all_tasks(self, request: Request) -> Iterator[tuple[EcsTaskSet, Task]]:
        """The tasks of a request's cluster with their task sets."""
        self.check_cluster(request)
        cluster = last_part(_cluster(request))
        for task_set in self.scheduler.task_sets:
            if task_set.cluster == cluster:
                for task in task_set.tasks:
                    yield task_set, task

    def describe(self, task_set: EcsTaskSet) -> Response:
        """A task set in the API's shape."""
        location = self.scheduler.location
        is_steady = self.scheduler.is_steady(task_set)
        return {
            **{name: task_set.options.get(name) for name in OPTIONS},
            "id": task_set.id,
            "taskSetArn": task_set.arn,
            "serviceArn": location.service(task_set.cluster, task_set.service),
            "clusterArn": location.cluster(task_set.cluster),
            "startedBy": task_set.started_by,
            "externalId": task_set.external_id,
            "status": task_set.status,
            "taskDefinition": task_set.definition["taskDefinitionArn"],
            "computedDesiredCount": task_set.wanted,
            "pendingCount": task_set.count("PENDING"),
            "runningCount": task_set.count("RUNNING"),
            "createdAt": task_set.created_at,
            "updatedAt": task_set.updated_at,
            "loadBalancers": task_set.load_balancers,
            "serviceRegistries": [],
            "scale": {"value": task_set.scale, "unit": "PERCENT"},
            "stabilityStatus": "STEADY_STATE" if is_steady else "STABILIZING",
            "tags": [],
        }

    def describe_task(self, task_set: EcsTaskSet, task: Task) -> Response:
        """A task in the API's shape."""
        return {
            "taskArn": task.arn,
            "clusterArn": self.scheduler.location.cluster(task_set.cluster),
            "taskDefinitionArn": task.task_definition_arn,
            "group": task_set.group or f"service:{task_set.service}",
            "startedBy": task_set.id if task_set.service else task_set.started_by,
            "lastStatus": task.status,
            "desiredStatus": "RUNNING" if task.is_wanted else "STOPPED",
            "launchType": task_set.options.get("launchType"),
            "overrides": task_set.options.get("overrides", {"containerOverrides": []}),
            "containers": [
                _container(task, name, image) for name, image in task.containers.items()
            ],
            "createdAt": task.created_at,
            "startedAt": task.started_at,
            "stoppingAt": task.stopping_at,
            "stoppedAt": task.stopped_at,
            "stoppedReason": task.stopped_reason,
            "stopCode": task.stop_code,
            "version": 1,
            "tags": [],
        }

    def describe_service(self, service: Response) -> Response:
        """A service with its real counts, and the settings of its PRIMARY task set."""
        if service["deploymentController"]["type"] not in CONTROLLED:
            return service
        name = service["serviceName"]
        found = self.task_sets(service["clusterArn"], name)
        shape = {
            **service,
            "events": self.scheduler.events.of(last_part(service["clusterArn"]), name),
            "taskSets": [self.describe(task_set) for task_set in found],
            "runningCount": sum(task_set.count("RUNNING") for task_set in found),
            "pendingCount": sum(task_set.count("PENDING") for task_set in found),
            "deployments": [],
        }
        if found and found[0].status == "PRIMARY":
            shape |= {
                "taskDefinition": found[0].definition["taskDefinitionArn"],
                "loadBalancers": found[0].load_balancers,
                "networkConfiguration": found[0].options.get("networkConfiguration"),
            }
        return shape


def last_part(name_or_arn: str) -> str:
    """The name in a name or an ARN of a cluster, a service or a task."""
    return name_or_arn.rsplit("/", 1)[-1]


def _cluster(request: Request) -> str:
    return str(request.get("cluster", "default"))


def _token(request: Request) -> str:
    """The client token of a request, which counts for its cluster; empty if none."""
    token = request.get("clientToken")
    return f"{last_part(_cluster(request))} {token}" if token else ""


def _container(task: Task, name: str, image: str) -> Response:
    process = task.processes.get(name)
    bindings = []
    if process is not None:
        target = process.target
        bindings = [{"bindIP": target.id, "hostPort": target.port, "protocol": "tcp"}]
    return {
        "containerArn": f"{task.arn}/{name}",
        "taskArn": task.arn,
        "name": name,
        "image": image,
        "lastStatus": task.status,
        "exitCode": process.exit_code if process is not None else None,
        "reason": task.stopped_reason if process is None else None,
        "networkBindings": bindings,
    }


def _missing(keys: Iterable[str]) -> list[Response]:
    return [{"arn": key, "reason": "MISSING"} for key in keys]


# Services


def _create_service(context: EcsContext, request: Request) -> Response:
    token = _token(request)
    found = context.services(_cluster(request), request["serviceName"])
    if any(each["status"] != "INACTIVE" for each in found):
        # A repeated client token with the same parameters is documented to succeed:
        # docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html. That
        # all else is refused is inferred from users' reports of this message.
        if not token or context.created.get(token) != request:
            raise _invalid("Creation of service was not idempotent.")
        return {"service": context.describe_service(found[0])}
    _check_new(context, request)
    # Moto would look the subnets up in EC2; an emulator's tasks are in none.
    own = {k: v for k, v in request.items() if k != "networkConfiguration"}
    service = context.moto("CreateService", own)["service"]
    context.created[token] = request
    context.scheduler.events.forget(
        last_part(service["clusterArn"]), service["serviceName"]
    )
    if service["deploymentController"]["type"] == "CODE_DEPLOY":
        desired = request.get("desiredCount", 1)
        context.add_task_set(request, service, desired=desired, status="PRIMARY")
    return {"service": context.describe_service(service)}


def _check_new(context: EcsContext, request: Request) -> None:
    _check_role(request.get("role"), "InvalidParameterException")
    balancers = request.get("loadBalancers") or []
    for arn in (each.get("targetGroupArn") for each in balancers):
        if arn and not context.is_attached(arn):
            raise _invalid(
                f"The target group with targetGroupArn {arn} does not have an "
                "associated load balancer."
            )
    _check_count(request)
    if "taskDefinition" not in request:
        if (request.get("deploymentController") or {}).get("type") == "EXTERNAL":
            return
        raise _invalid("TaskDefinition can not be blank.")
    _check_network(context.definition(request["taskDefinition"]), request)
    if (request.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        if not balancers:
            raise _invalid(
                "A load balancer must be provided for a service with a CODE_DEPLOY "
                "deployment controller."
            )
        context.checked(request["taskDefinition"], balancers)


def _check_count(request: Request) -> None:
    if (count := request.get("desiredCount", 0)) < 0:
        raise _invalid(f"desiredCount is {count}; it must be at least 0.")


def _check_network(definition: Response, request: Request) -> None:
    is_awsvpc = definition.get("networkMode") == "awsvpc"
    if is_awsvpc and not request.get("networkConfiguration"):
        raise _invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is "
            "specified."
        )


def _check_role(role: str | None, code: str) -> None:
    """Refuse what is neither an IAM role's ARN nor its name."""
    if role is not None and not _ROLE.fullmatch(role):
        raise ApiError(code, "Role is not valid")


def _register_task_definition(context: EcsContext, request: Request) -> Response:
    for member in ("taskRoleArn", "executionRoleArn"):
        _check_role(request.get(member), "ClientException")
    if not request["containerDefinitions"]:
        raise ApiError("ClientException", "Container list cannot be empty.")
    return context.moto("RegisterTaskDefinition", request)


def _describe_services(context: EcsContext, request: Request) -> Response:
    response = context.moto("DescribeServices", request)
    services = [context.describe_service(each) for each in response["services"]]
    return {**response, "services": services}


def _update_service(context: EcsContext, request: Request) -> Response:
    before = context.active_service(request)
    _check_count(request)
    if before["deploymentController"]["type"] == "CODE_DEPLOY":
        for member, refusal in _OF_CODEDEPLOY.items():
            if request.get(member):
                raise _invalid(
                    f"{refusal} on services with a CODE_DEPLOY deployment controller. "
                    "Use AWS CodeDeploy to trigger a new deployment."
                )
    service = context.moto("UpdateService", request)["service"]
    for task_set in context.task_sets(service["clusterArn"], service["serviceName"]):
        task_set.desired = service["desiredCount"]
    return {"service": context.describe_service(service)}


def _delete_service(context: EcsContext, request: Request) -> Response:
    before = context.service(request)
    service = context.moto("DeleteService", request)["service"]
    for task_set in context.task_sets(before["clusterArn"], before["serviceName"]):
        context.scheduler.drain(task_set)
    return {"service": context.describe_service(service)}


def _delete_cluster(context: EcsContext, request: Request) -> Response:
    cluster = {"cluster": request["cluster"]}
    token: Response | None = {}
    while token is not None:
        services = context.moto("ListServices", {**cluster, **token})
        found = context.services(request["cluster"], *services["serviceArns"])
        if any(each["status"] != "INACTIVE" for each in found):
            message = "The Cluster cannot be deleted while Services are active."
            raise ApiError("ClusterContainsServicesException", message)
        following = services.get("nextToken")
        token = {"nextToken": following} if following else None
    return context.moto("DeleteCluster", cluster)


# Task sets


def _create_task_set(context: EcsContext, request: Request) -> Response:
    service = context.active_service(request)
    controller = service["deploymentController"]["type"]
    if controller not in CONTROLLED:
        raise _invalid(f"A service under the {controller} controller has no task sets.")
    task_set = context.add_task_set(
        request,
        service,
        desired=service["desiredCount"],
        scale=_scale(request.get("scale") or {}),
        external_id=request.get("externalId"),
        started_by="CODE_DEPLOY" if controller == "CODE_DEPLOY" else None,
    )
    return {"taskSet": context.describe(task_set)}


def _scale(scale: Response) -> float:
    value = float(scale.get("value", 0.0))
    if not 0 <= value <= 100:
        raise _invalid(f"The scale is {value}; it must be 0 to 100 percent.")
    return value


def _describe_task_sets(context: EcsContext, request: Request) -> Response:
    service = context.service(request)
    found = context.task_sets(service["clusterArn"], service["serviceName"])
    wanted = request.get("taskSets") or [each.arn for each in found]
    known = {key: each for each in found for key in (each.id, each.arn)}
    return {
        "taskSets": [context.describe(known[key]) for key in wanted if key in known],
        "failures": _missing(key for key in wanted if key not in known),
    }


def _update_task_set(context: EcsContext, request: Request) -> Response:
    task_set = context.task_set(request)
    task_set.scale = _scale(request["scale"])
    task_set.updated_at = time.time()
    return {"taskSet": context.describe(task_set)}


def _make_primary(context: EcsContext, request: Request) -> Response:
    chosen = context.task_set(request, "primaryTaskSet")
    for each in context.task_sets(chosen.cluster, chosen.service):
        if each.status == "PRIMARY":
            each.status = "ACTIVE"
    chosen.status, chosen.updated_at = "PRIMARY", time.time()
    return {"taskSet": context.describe(chosen)}


def _delete_task_set(context: EcsContext, request: Request) -> Response:
    task_set = context.task_set(request)
    if task_set.status == "PRIMARY":
        raise _invalid(f"{task_set.id} is PRIMARY: make another one PRIMARY first.")
    context.scheduler.drain(task_set)
    return {"taskSet": context.describe(task_set)}


# Tasks


def _run_task(context: EcsContext, request: Request) -> Response:
    context.check_cluster(request)
    token, definition = _token(request), context.definition(request["taskDefinition"])
    known, task_set = context.run.get(token) or (request, None)
    if known != request:
        raise ApiError("ConflictException", "Another RunTask had this clientToken.")
    if task_set is None:
        _check_network(definition, request)
        if not 1 <= (count := request.get("count", 1)) <= MAX_RUN:
            raise _invalid(f"count is {count}; it must be 1 to {MAX_RUN}.")
        cluster = last_part(_cluster(request))
        task_set = EcsTaskSet(
            cluster=cluster,
            service="",
            arn=context.scheduler.location.new_task_set(cluster, "run-task"),
            definition=_overridden(definition, request.get("overrides") or {}),
            load_balancers=[],
            desired=count,
            started_by=request.get("startedBy"),
            options={
                name: request[name]
                for name in (*OPTIONS, "overrides")
                if name in request
            },
            group=request.get("group") or f"family:{definition['family']}",
        )
        context.scheduler.run(task_set)
        if token:
            context.run[token] = (request, task_set)
    tasks = [context.describe_task(task_set, task) for task in task_set.tasks]
    return {"tasks": tasks, "failures": []}


def _overridden(definition: Response, overrides: Response) -> Response:
    """A task definition with the commands and variables of RunTask."""
    changes = {o.get("name"): o for o in overrides.get("containerOverrides", [])}
    containers = definition["containerDefinitions"]
    for name in changes.keys() - {each["name"] for each in containers}:
        raise _invalid(
            f"Override for container named {name} is not a container in the "
            "TaskDefinition."
        )
    merged = []
    for container in containers:
        change = changes.get(container["name"], {})
        variables = [*container.get("environment", []), *change.get("environment", [])]
        command = change.get("command") or container.get("command")
        merged.append({**container, "environment": variables, "command": command})
    return {**definition, "containerDefinitions": merged}


def _list_tasks(context: EcsContext, request: Request) -> Response:
    name = request.get("serviceName")
    if name and not context.services(_cluster(request), last_part(name)):
        raise ApiError("ServiceNotFoundException", "Service not found.")
    is_wanted = request.get("desiredStatus", "RUNNING") == "RUNNING"
    found = [
        task.arn
        for task_set, task in context.all_tasks(request)
        if (name is None or last_part(name) == task_set.service)
        and request.get("family") in (None, task_set.definition["family"])
        and task.is_wanted == is_wanted
        and request.get("startedBy")
        in (None, task_set.id if task_set.service else task_set.started_by)
    ]
    size = request.get("maxResults", PAGE)
    if not 1 <= size <= PAGE:
        raise _invalid(f"maxResults is {size}; it must be 1 to {PAGE}.")
    try:
        part, following = page(found, request.get("nextToken"), size)
    except BadTokenError as error:
        raise _invalid(str(error)) from error
    return {"taskArns": found[part], "nextToken": following}


def _describe_tasks(context: EcsContext, request: Request) -> Response:
    wanted = request["tasks"]
    if not wanted:
        raise _invalid("Tasks cannot be empty.")
    if len(wanted) > PAGE:
        raise _invalid(
            f"At most {PAGE} tasks can be described at once, not {len(wanted)}."
        )
    known = {task.id: (task_set, task) for task_set, task in context.all_tasks(request)}
    found = [known[last_part(each)] for each in wanted if last_part(each) in known]
    return {
        "tasks": [context.describe_task(*each) for each in found],
        "failures": _missing(each for each in wanted if last_part(each) not in known),
    }


def _stop_task(context: EcsContext, request: Request) -> Response:
    for task_set, task in context.all_tasks(request):
        if task.id == last_part(request["task"]):
            reason = request.get("reason", "Task stopped by user")
            context.scheduler.stop_task(task_set, task, reason)
            return {"task": context.describe_task(task_set, task)}
    cluster = last_part(_cluster(request))
    raise _invalid(f"There is no task {request['task']} in the cluster {cluster}.")


OPERATIONS: Mapping[str, Callable[[EcsContext, Request], Response]] = {
    "RegisterTaskDefinition": _register_task_definition,
    "CreateService": _create_service,
    "DescribeServices": _describe_services,
    "UpdateService": _update_service,
    "DeleteService": _delete_service,
    "DeleteCluster": _delete_cluster,
    "CreateTaskSet": _create_task_set,
    "DescribeTaskSets": _describe_task_sets,
    "UpdateTaskSet": _update_task_set,
    "UpdateServicePrimaryTaskSet": _make_primary,
    "DeleteTaskSet": _delete_task_set,
    "RunTask": _run_task,
    "ListTasks": _list_tasks,
    "DescribeTasks": _describe_tasks,
    "StopTask": _stop_task,
}


def ecs_service(context: EcsContext) -> JsonService:
    """Build the part of the API that moto lacks."""

    def locked(
        name: str, operation: Callable[[EcsContext, Request], Response]
    ) -> Operation:
        shape = service_model("ecs").operation_model(name).input_shape

        def run(request: Response) -> Response:
            if problems := answer_problems(request, shape):  # those of enums
                raise _invalid(problems)
            with context.scheduler.lock:
                return operation(context, request)

        return run

    table = {name: locked(name, operation) for name, operation in OPERATIONS.items()}
    return JsonService("ecs", table, extends_moto=True)
