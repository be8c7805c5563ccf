"""Stable codes: one for every kind of finding and error.

A program relies on the code of a finding, an error or an outcome; the wording of its
message may improve at any time. A code keeps its meaning and is never used again for
another one.
"""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Self


class Code(StrEnum):
    """A kind of finding or error; ``meaning`` says in one sentence what it is.

    The value of ``PLAN_TIME`` is ``HG-PLAN-TIME``.
    """

    meaning: str

    @staticmethod
    def _generate_next_value_(name: str, *_: object) -> str:
        return f"HG-{name.replace('_', '-')}"

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member from its value and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # Defaults of the classes of errors.
    ERROR = auto(), "An error without a code of its own."
    INPUT = auto(), "A file, an event or an argument is not valid."
    CANNOT_MEASURE = auto(), "A step could not measure."
    ACCESS_DENIED = auto(), "AWS denied a call."
    NOT_FOUND = auto(), "AWS has no resource of this name."
    INCONCLUSIVE = auto(), "There are too few samples to decide."
    NO_DATA = auto(), "There is no data to decide by."
    DEFECT = auto(), "A validator breaks the rules of the API."
    NO_RESPONSE = auto(), "The target did not respond, or not as required."
    IDENTITY = auto(), "A response failed the identity check."
    REPORT = auto(), "The status could not be reported to CodeDeploy."
    REHEARSAL = auto(), "The emulator did not reach an expected state."

    # Steps and hooks.
    STEP_SKIPPED = auto(), "A step that this step needs did not pass."
    STEP_DESELECTED = auto(), "The step was left out by --only or --skip."
    STEP_NOT_STARTED = auto(), "No time was left to start the step."
    STEP_TIMEOUT = auto(), "The step did not end within its timeout."
    STEP_CRASHED = auto(), "The validator raised an unexpected exception."
    STEP_OUTPUT = auto(), "The output of the step could not be logged."
    NO_FINDINGS = auto(), "The validator yielded no finding."
    NOT_STABLE = auto(), "The step did not pass for long enough in a row."
    REPEAT = auto(), "The number of attempts that failed or did not measure."
    HOOK_TIMEOUT = auto(), "A part of the hook did not end in time."
    HOOK_LATE = auto(), "The report could miss CodeDeploy's limit of one hour."
    HOOK_DEFECT = auto(), "Hookgate itself has a defect."
    HOOK_PROCESS = auto(), "A validator damaged the process it runs in."
    HOOK_SILENT = auto(), "The hook ended without a report."

    # Files in YAML.
    FILE_UNREADABLE = auto(), "A file cannot be read."
    FILE_SIZE = auto(), "A file is too large."
    FILE_ENCODING = auto(), "A file is not text in UTF-8."
    FILE_CHARACTER = auto(), "A file contains a character that is not allowed in text."
    YAML_SYNTAX = auto(), "The YAML has a syntax error, or a line is indented by a tab."
    YAML_FEATURE = auto(), "A file uses a YAML feature that Hookgate does not read."
    YAML_KEY = auto(), "A key is not text."
    YAML_DUPLICATE_KEY = auto(), "A mapping has the same key twice."
    YAML_NUMBER = auto(), "A number is not finite, or has too many digits."
    YAML_SIZE = auto(), "A file has too many values, or too many levels."
    YAML_EMPTY = auto(), "A file has no content."
    YAML_NOT_A_MAPPING = auto(), "A file is not a mapping."

    # Keys and options of plans and scenarios.
    PLAN_UNKNOWN_KEY = auto(), "A key or option does not exist."
    PLAN_MISSING_KEY = auto(), "A required key or option is missing."
    PLAN_TYPE = auto(), "A value is not of the expected type."
    PLAN_RANGE = auto(), "A number, a length or a count is out of range."
    PLAN_CHOICE = auto(), "A value is not one of the choices."
    PLAN_FORMAT = auto(), "A text does not have the expected format."
    PLAN_VALUE = auto(), "The value of a key or option is not valid."
    PLAN_NULL = auto(), "A key has no value."
    PLAN_MORE = auto(), "A file has more problems than are listed."

    # Plans.
    PLAN_VERSION = auto(), "The version of the plan is not supported."
    PLAN_EVENT = auto(), "A key of events is not a lifecycle event with hooks."
    PLAN_BUNDLED = auto(), "The bundled plan replaces a missing one (a waiver)."
    PLAN_NO_STEPS = auto(), "A lifecycle event has no steps."
    PLAN_NEVER_PASSES = auto(), "No step of an event is blocking."
    PLAN_TIME = auto(), "The worst-case time of the steps does not fit."
    PLAN_STEP_NAME = auto(), "The name of a step is not valid."
    PLAN_STEP_TWICE = auto(), "Two steps of an event have the same name."
    PLAN_TIMEOUT = auto(), "The timeout of a step is out of range."
    PLAN_NEED_TWICE = auto(), "A step names the same need twice."
    PLAN_NEED_UNKNOWN = auto(), "A step needs one that its event does not have."
    PLAN_NEED_BLOCKING = auto(), "A blocking step needs one that is not blocking."
    PLAN_NEED_CYCLE = auto(), "A step needs itself, directly or through others."
    PLAN_HOST = auto(), "A host is not a host name."
    PLAN_ADDRESS = auto(), "An address is not a host with a port in a plain spelling."
    ADDRESS = auto(), "The address policy does not allow an address."
    PLAN_PLACEHOLDER = auto(), "A placeholder does not exist."
    PLAN_PLACEHOLDER_SYNTAX = (
        auto(),
        "A placeholder is not closed, or a text has too many.",
    )
    PLAN_PLACEHOLDER_EVENT = auto(), "A placeholder has no value at this event yet."
    PLAN_PLACEHOLDER_PLACE = auto(), "A placeholder is in a place that takes none."
    PLACEHOLDER_VALUE = auto(), "A placeholder has no value in this deployment."
    PLAN_NO_IDENTITY = auto(), "The plan has no identity check."
    PLAN_TARGET_SECRET = auto(), "The target contains a secret."
    PLAN_LISTENER = auto(), "A step needs the test listener before it serves green."
    PLAN_ONLY_RUN = auto(), "A validator works in hookgate run only."
    VALIDATOR_UNKNOWN = auto(), "No validator has this name."
    VALIDATOR_AMBIGUOUS = auto(), "Two packages provide a validator of the same name."
    VALIDATOR_BROKEN = auto(), "A validator cannot be loaded or used."
    SECOND_LAYER = auto(), "A validator needs the second layer or extra `protocols`."

    # Options of validators, and keys of scenarios that are alike.
    OPTION_QUANTITY = auto(), "A quantity is not valid or has no unit."
    OPTION_REGEX = auto(), "A text is not a regular expression of RE2."
    OPTION_BOUND = auto(), "A text is not a bound, or no value can satisfy it."
    OPTION_STATUS = auto(), "A value is not an HTTP status or a class of statuses."
    OPTION_ONE_OF = auto(), "Not exactly one of several options is given."
    OPTION_TOGETHER = auto(), "Options are given that cannot be combined."
    OPTION_RETRY = auto(), "The retry options cannot be satisfied."
    OPTION_STOP_ON = auto(), "A value of stop_on is not a status or a code."
    OPTION_TLS = auto(), "The TLS options are not valid."
    OPTION_HEADER = auto(), "A header is given twice."
    OPTION_SECRET = auto(), "A secret is written out in the plan."
    ASSERT_QUERY = auto(), "The query of an assertion is not valid."
    ASSERT_FILTER = auto(), "A filter does not exist."
    ASSERT_ARGUMENT = auto(), "The argument of a filter or a predicate is not valid."
    ASSERT_PREDICATE = auto(), "An assertion has no predicate."
    ASSERT_KIND = auto(), "A filter or a predicate does not take a value of this kind."
    ROWS = auto(), "The rows of a loop cannot be read, or there are none or too many."
    SCENARIO_SIZE = auto(), "A scenario sends too many requests."
    SCENARIO_VARIABLE = auto(), "A variable has no value at a step, or no valid name."
    TRAFFIC_SIZE = auto(), "The load sends too many requests."
    TRAFFIC_UNDECIDABLE = auto(), "The load sends too few requests to decide."
    TRAFFIC_UNSAFE = auto(), "A request must not go to production."
    TRAFFIC_NAME_TWICE = auto(), "Two requests have the same name."
    THRESHOLD_METRIC = auto(), "The metric of a threshold is unknown."

    # Files that a plan includes.
    INCLUDE_NAME = auto(), "The name of a file beside the plan is not valid."
    INCLUDE_MISSING = auto(), "The plan has no files, or a file does not exist."
    INCLUDE_SIZE = auto(), "The files of a step are too large or too many."
    INCLUDE_CYCLE = auto(), "Files include each other in a cycle."
    INCLUDE_CONTENT = auto(), "An included file does not contain steps."

    # Discovery of a deployment, and what a hook works with.
    HOOK_PAYLOAD = auto(), "The payload is not a lifecycle hook event."
    HOOK_EVENT = auto(), "The function is for another lifecycle event."
    DEPLOYMENT_OVER = auto(), "The deployment or its event has ended."
    DISCOVERY_PLATFORM = auto(), "The deployment is not one to ECS."
    DISCOVERY_SERVICE = auto(), "The ECS service was not found."
    DISCOVERY_TASK_SET = auto(), "A task set was not found."
    DISCOVERY_TARGET_GROUP = auto(), "The target group of a task set is not certain."
    DISCOVERY_LISTENER = auto(), "A listener cannot be used."
    APPSPEC_UNREADABLE = auto(), "The AppSpec cannot be read."
    REVISION = auto(), "The revision cannot be read."
    PLAN_MISSING = auto(), "There is no plan for the deployment."
    SECRET = auto(), "A secret, which must exist and have a value."
    S3_OBJECT = auto(), "An S3 object could not be read to its end."
    IDEMPOTENCY = auto(), "The idempotency table cannot be used."
    CONTEXT = auto(), "A part of the deployment is not known here."
    AWS_REFUSED = auto(), "AWS refused a call."
    AWS_UNREACHABLE = auto(), "A service of AWS did not respond."
    AWS_WRITE = auto(), "A validator made a call that changes something."
    RUN_NEEDS_AWS = auto(), "A step of hookgate run needs AWS."
    NO_TIME = auto(), "No time was left for an attempt, a request or a measurement."

    # Connections, TLS and DNS.
    DNS_RESOLVE = auto(), "A host name does not resolve."
    CONNECTION_REFUSED = auto(), "No address accepted a connection."
    CONNECTION_TIMEOUT = auto(), "The peer did not respond in time."
    CONNECTION_CLOSED = auto(), "The peer closed the connection early."
    TCP_CONNECTED = auto(), "A TCP connection."
    TLS_HANDSHAKE = auto(), "The TLS handshake failed."
    TLS_UNTRUSTED = auto(), "The chain of trust of the server's certificate."
    TLS_CERTIFICATE = auto(), "The server has no readable certificate."
    TLS_CLIENT = auto(), "The client certificate and its key are not usable."
    TLS_VERSION = auto(), "The TLS version of a connection."
    TLS_EXPIRY = auto(), "The time until the certificate expires."
    TLS_KEY = auto(), "The type and the size of the certificate's key."
    DNS_QUESTION = auto(), "The question cannot be sent to a resolver."
    DNS_NO_RESPONSE = auto(), "No resolver responded."
    DNS_CODE = auto(), "The response code of DNS."
    DNS_RECORDS = auto(), "The DNS records of a name."

    # HTTP, WebSocket and gRPC.
    HTTP_STATUS = auto(), "The status code of a response."
    HTTP_TIMEOUT = auto(), "The HTTP response did not arrive in time."
    HTTP_PROTOCOL = auto(), "The peer did not respond in HTTP."
    HTTP_TRUNCATED = auto(), "The response was incomplete."
    HTTP_ENCODING = auto(), "The body is not in its Content-Encoding."
    HTTP_BODY_SIZE = auto(), "The body is larger than max_body."
    HTTP_REDIRECTS = auto(), "The redirects do not lead to a response."
    HTTP_REDIRECT_AWAY = auto(), "A redirect leads to another host."
    HTTP_REQUEST = auto(), "A request cannot be sent in HTTP."
    HTTP_HOST = auto(), "No host name is known for the request."
    HTTP_RULE = auto(), "The listener rule does not take the request."
    HTTP_NO_LISTENER = auto(), "No listener takes the request."
    AUTH = auto(), "The token endpoint did not give a token."
    COOKIE_SIZE = auto(), "The cookies are too large or too many."
    COOKIE_WITHHELD = auto(), "A cookie was not sent over plain HTTP."
    WEBSOCKET_HANDSHAKE = auto(), "The WebSocket handshake failed."
    WEBSOCKET_SUBPROTOCOL = auto(), "The subprotocol of a WebSocket connection."
    DIALOGUE = auto(), "A turn of a dialogue."
    DIALOGUE_BEFORE_TLS = auto(), "Text arrived before TLS began."
    GRPC_CALL = auto(), "The gRPC call failed."
    GRPC_STATUS = auto(), "The health status that a gRPC service reports."

    # Assertions on responses.
    ASSERT_VALUE = auto(), "A value of a response, compared with its predicate."
    ASSERT_MISSING = auto(), "A value that is needed is missing."
    ASSERT_UNREADABLE = auto(), "A value cannot be read."

    # Scenarios of requests, and OpenAPI.
    SCENARIO_STEP = auto(), "A request of a scenario that passed."
    CAPTURE = auto(), "A value cannot be captured, or cannot be used afterwards."
    OPENAPI_DOCUMENT = auto(), "The OpenAPI document cannot be used."
    OPENAPI_CONFORMITY = auto(), "A response, compared with the OpenAPI document."
    OPENAPI_COVERAGE = auto(), "The number of operations that were called."

    # Routing, targets and tasks.
    ROUTING_UNPROVEN = auto(), "Nothing proves which version responded."
    ROUTING_RULE = auto(), "The listener rule does not exist any more."
    ROUTING_TARGET = auto(), "The target group that a listener rule forwards to."
    ROUTING_HEALTH = auto(), "The health of a listener rule's target group."
    TARGET_HEALTH = auto(), "The number of healthy targets."
    TARGET_UNATTACHED = auto(), "No listener uses the target group; it is not checked."
    SERVICE_STEADY = auto(), "The stability of the task set."
    SERVICE_STOPPED = auto(), "The number of tasks that stopped."
    TASK_DEFINITION_DEPLOYED = auto(), "The task definition that the task set runs."
    TASK_DEFINITION_CONTAINER = (
        auto(),
        "The AppSpec's container in the task definition.",
    )
    TASK_DEFINITION_IMAGE = auto(), "An image of the task definition."
    SECRET_ROLE = auto(), "The permission of the execution role to read the secrets."

    # CloudWatch.
    CLOUDWATCH_PARTIAL = auto(), "CloudWatch returned partial data."
    ALARM_STATE = auto(), "The state of an alarm."
    ALARM_MISSING = auto(), "An alarm does not exist."
    ALARM_GROUP = auto(), "The alarms of the deployment group."
    METRIC_VALUE = auto(), "The value of a metric."
    METRIC_RELATIVE = auto(), "The value of a metric, relative to an earlier window."
    TARGET_METRIC = auto(), "The value of a metric of the target group."
    TARGET_METRIC_LISTENER = auto(), "The load balancer has no such metrics."
    LOGS_ROWS = auto(), "The rows that a query of the logs returns."
    LOGS_GROUP = auto(), "The task definition has no log group."
    LOGS_QUERY = auto(), "The query of the logs failed."

    # Traffic.
    TRAFFIC_SENT = auto(), "The responses to the load, and the version that gave them."
    THRESHOLD = auto(), "A threshold of the load."
    TRAFFIC_LOG = auto(), "The requests in an access log."

    # Programs and functions that decide.
    FOREIGN_ANSWER = auto(), "A command or function did not return findings."
    COMMAND_FAILED = auto(), "A command failed, took too long or wrote too much."
    COMMAND_MISSING = auto(), "A command cannot be started."
    LAMBDA_FAILED = auto(), "The Lambda function failed."

    # AppSpecs.
    APPSPEC_VERSION = auto(), "The version of the AppSpec is not 0.0."
    APPSPEC_UNKNOWN_KEY = auto(), "A key of the AppSpec is unknown."
    APPSPEC_RESOURCES = auto(), "The AppSpec does not have exactly one ECS service."
    APPSPEC_TASK_DEFINITION = (
        auto(),
        "The task definition is not an ARN with a revision.",
    )
    APPSPEC_CONTAINER = auto(), "The container's name or port is missing or not valid."
    APPSPEC_PROPERTY = auto(), "A property of the service is not valid."
    APPSPEC_HOOKS = auto(), "Hooks is not a list of events and functions."
    APPSPEC_EVENT = auto(), "A hook is not for a lifecycle event, or for one twice."
    APPSPEC_NO_STEPS = auto(), "The plan has no steps for a hook."
    APPSPEC_NO_HOOK = auto(), "The AppSpec has no hook for steps."
    APPSPEC_FUNCTION = auto(), "A hook does not name a function."

    # CloudFormation templates with a blue/green hook.
    TEMPLATE_HOOK = auto(), "There is not exactly one hook with functions."
    TEMPLATE_UNKNOWN_KEY = auto(), "A property or an event of the hook does not exist."
    TEMPLATE_FUNCTION = auto(), "An event names no function, or another event's."
    TEMPLATE_FUNCTION_NAME = auto(), "The managed policy does not allow the function."
    TEMPLATE_VALUE = auto(), "A value of the hook is not valid."
    TEMPLATE_RESOURCE = auto(), "Applications names no ECS service of the template."

    # Scenarios.
    SECRET_VARIABLE = auto(), "The environment variable of a secret is not set."
    SCENARIO_SECRET = auto(), "A secret is not text or {env: VARIABLE}."
    SCENARIO_IMAGE = auto(), "An image is not among the scenario's images."
    SCENARIO_FILE = auto(), "A file that the scenario names is missing."
    SCENARIO_CERTIFICATE = (
        auto(),
        "A certificate and its key are not valid PEM or do not match.",
    )
    SCENARIO_FAULT = auto(), "A fault cannot occur in this scenario."
    SCENARIO_ALARM = auto(), "Neither the scenario nor the group has this alarm."
    SCENARIO_NAME_TWICE = auto(), "Two items have the same name."
    SCENARIO_CALL = auto(), "An AWS call of a fault does not exist."
    SCENARIO_ALARM_RULE = auto(), "The rule of an alarm is not valid."
    SCENARIO_EXPECT = auto(), "An assertion of the scenario cannot pass."
    SCENARIO_HEALTH_CHECK = (
        auto(),
        "The timeout of a health check is not shorter than its interval.",
    )
    SCENARIO_LISTENERS = auto(), "Listeners conflict, or have no certificate."
