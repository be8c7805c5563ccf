"""Stable codes: one for every kind of finding and error.

A program relies on the code of a finding, an error or an outcome; the wording of its
message may improve at any time. A code keeps its meaning and is never used again for
another one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A kind of finding or error; ``meaning`` says in one sentence what it is."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member from its value and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # Defaults of the classes of errors.
    ERROR = "HG-ERROR", "An error without a code of its own."
    INPUT = "HG-INPUT", "A file, an event or an argument is not valid."
    CANNOT_MEASURE = "HG-CANNOT-MEASURE", "A step could not measure."
    ACCESS_DENIED = "HG-ACCESS-DENIED", "AWS denied a call."
    NOT_FOUND = "HG-NOT-FOUND", "AWS has no resource of this name."
    INCONCLUSIVE = "HG-INCONCLUSIVE", "There are too few samples to decide."
    NO_DATA = "HG-NO-DATA", "There is no data to decide by."
    DEFECT = "HG-DEFECT", "A validator breaks the rules of the API."
    NO_RESPONSE = "HG-NO-RESPONSE", "The target did not respond, or not as required."
    IDENTITY = "HG-IDENTITY", "A response failed the identity check."
    REPORT = "HG-REPORT", "The status could not be reported to CodeDeploy."
    REHEARSAL = "HG-REHEARSAL", "The emulator did not reach an expected state."

    # Steps and hooks.
    STEP_SKIPPED = "HG-STEP-SKIPPED", "A step that this step needs did not pass."
    STEP_DESELECTED = "HG-STEP-DESELECTED", "The step was left out by --only or --skip."
    STEP_NOT_STARTED = "HG-STEP-NOT-STARTED", "No time was left to start the step."
    STEP_TIMEOUT = "HG-STEP-TIMEOUT", "The step did not end within its timeout."
    STEP_CRASHED = "HG-STEP-CRASHED", "The validator raised an unexpected exception."
    STEP_OUTPUT = "HG-STEP-OUTPUT", "The output of the step could not be logged."
    NO_FINDINGS = "HG-NO-FINDINGS", "The validator yielded no finding."
    NOT_STABLE = "HG-NOT-STABLE", "The step did not pass for long enough in a row."
    REPEAT = "HG-REPEAT", "The number of attempts that failed or did not measure."
    HOOK_TIMEOUT = "HG-HOOK-TIMEOUT", "A part of the hook did not end in time."
    HOOK_LATE = "HG-HOOK-LATE", "The report could miss CodeDeploy's limit of one hour."
    HOOK_DEFECT = "HG-HOOK-DEFECT", "Hookgate itself has a defect."
    HOOK_PROCESS = "HG-HOOK-PROCESS", "A validator damaged the process it runs in."
    HOOK_SILENT = "HG-HOOK-SILENT", "The hook ended without a report."

    # Files in YAML.
    FILE_UNREADABLE = "HG-FILE-UNREADABLE", "A file cannot be read."
    FILE_SIZE = "HG-FILE-SIZE", "A file is too large."
    FILE_ENCODING = "HG-FILE-ENCODING", "A file is not text in UTF-8."
    FILE_CHARACTER = (
        "HG-FILE-CHARACTER",
        "A file contains a character that is not allowed in text.",
    )
    YAML_SYNTAX = (
        "HG-YAML-SYNTAX",
        "The YAML has a syntax error, or a line is indented by a tab.",
    )
    YAML_FEATURE = (
        "HG-YAML-FEATURE",
        "A file uses a YAML feature that Hookgate does not read.",
    )
    YAML_KEY = "HG-YAML-KEY", "A key is not text."
    YAML_DUPLICATE_KEY = "HG-YAML-DUPLICATE-KEY", "A mapping has the same key twice."
    YAML_NUMBER = "HG-YAML-NUMBER", "A number is not finite, or has too many digits."
    YAML_SIZE = "HG-YAML-SIZE", "A file has too many values, or too many levels."
    YAML_EMPTY = "HG-YAML-EMPTY", "A file has no content."
    YAML_NOT_A_MAPPING = "HG-YAML-NOT-A-MAPPING", "A file is not a mapping."

    # Keys and options of plans and scenarios.
    PLAN_UNKNOWN_KEY = "HG-PLAN-UNKNOWN-KEY", "A key or option does not exist."
    PLAN_MISSING_KEY = "HG-PLAN-MISSING-KEY", "A required key or option is missing."
    PLAN_TYPE = "HG-PLAN-TYPE", "A value is not of the expected type."
    PLAN_RANGE = "HG-PLAN-RANGE", "A number, a length or a count is out of range."
    PLAN_CHOICE = "HG-PLAN-CHOICE", "A value is not one of the choices."
    PLAN_FORMAT = "HG-PLAN-FORMAT", "A text does not have the expected format."
    PLAN_VALUE = "HG-PLAN-VALUE", "The value of a key or option is not valid."
    PLAN_NULL = "HG-PLAN-NULL", "A key has no value."
    PLAN_MORE = "HG-PLAN-MORE", "A file has more problems than are listed."

    # Plans.
    PLAN_VERSION = "HG-PLAN-VERSION", "The version of the plan is not supported."
    PLAN_EVENT = (
        "HG-PLAN-EVENT",
        "A key of events is not a lifecycle event that can have a hook.",
    )
    PLAN_BUNDLED = (
        "HG-PLAN-BUNDLED",
        "The bundled plan applies in place of a missing one (a waiver).",
    )
    PLAN_NO_STEPS = "HG-PLAN-NO-STEPS", "A lifecycle event has no steps."
    PLAN_NEVER_PASSES = "HG-PLAN-NEVER-PASSES", "No step of an event is blocking."
    PLAN_TIME = "HG-PLAN-TIME", "The worst-case time of the steps does not fit."
    PLAN_STEP_NAME = "HG-PLAN-STEP-NAME", "The name of a step is not valid."
    PLAN_STEP_TWICE = "HG-PLAN-STEP-TWICE", "Two steps of an event have the same name."
    PLAN_TIMEOUT = "HG-PLAN-TIMEOUT", "The timeout of a step is out of range."
    PLAN_NEED_TWICE = "HG-PLAN-NEED-TWICE", "A step names the same need twice."
    PLAN_NEED_UNKNOWN = (
        "HG-PLAN-NEED-UNKNOWN",
        "A step needs one that its event does not have.",
    )
    PLAN_NEED_BLOCKING = (
        "HG-PLAN-NEED-BLOCKING",
        "A blocking step needs one that is not blocking.",
    )
    PLAN_NEED_CYCLE = (
        "HG-PLAN-NEED-CYCLE",
        "A step needs itself, directly or through others.",
    )
    PLAN_HOST = "HG-PLAN-HOST", "A host is not a host name."
    PLAN_ADDRESS = (
        "HG-PLAN-ADDRESS",
        "An address is not a host with a port in a plain spelling.",
    )
    ADDRESS = "HG-ADDRESS", "The address policy does not allow an address."
    PLAN_PLACEHOLDER = "HG-PLAN-PLACEHOLDER", "A placeholder does not exist."
    PLAN_PLACEHOLDER_SYNTAX = (
        "HG-PLAN-PLACEHOLDER-SYNTAX",
        "A placeholder is not closed, or a text has too many.",
    )
    PLAN_PLACEHOLDER_EVENT = (
        "HG-PLAN-PLACEHOLDER-EVENT",
        "A placeholder has no value yet at this lifecycle event.",
    )
    PLAN_PLACEHOLDER_PLACE = (
        "HG-PLAN-PLACEHOLDER-PLACE",
        "A placeholder is in a key or a value that takes none.",
    )
    PLACEHOLDER_VALUE = (
        "HG-PLACEHOLDER-VALUE",
        "A placeholder has no value in this deployment.",
    )
    PLAN_NO_IDENTITY = "HG-PLAN-NO-IDENTITY", "The plan has no identity check."
    PLAN_TARGET_SECRET = "HG-PLAN-TARGET-SECRET", "The target contains a secret."
    PLAN_LISTENER = (
        "HG-PLAN-LISTENER",
        "A step needs the test listener before it serves the replacement.",
    )
    PLAN_ONLY_RUN = "HG-PLAN-ONLY-RUN", "A validator works in hookgate run only."
    VALIDATOR_UNKNOWN = "HG-VALIDATOR-UNKNOWN", "No validator has this name."
    VALIDATOR_AMBIGUOUS = (
        "HG-VALIDATOR-AMBIGUOUS",
        "Two packages provide a validator of the same name.",
    )
    VALIDATOR_BROKEN = "HG-VALIDATOR-BROKEN", "A validator cannot be loaded or used."
    SECOND_LAYER = (
        "HG-SECOND-LAYER",
        "A validator needs the second Lambda layer, or the extra `protocols`.",
    )

    # Options of validators, and keys of scenarios that are alike.
    OPTION_QUANTITY = "HG-OPTION-QUANTITY", "A quantity is not valid or has no unit."
    OPTION_REGEX = "HG-OPTION-REGEX", "A text is not a regular expression of RE2."
    OPTION_BOUND = (
        "HG-OPTION-BOUND",
        "A text is not a bound, or no value can satisfy it.",
    )
    OPTION_STATUS = (
        "HG-OPTION-STATUS",
        "A value is not an HTTP status or a class of statuses.",
    )
    OPTION_ONE_OF = "HG-OPTION-ONE-OF", "Not exactly one of several options is given."
    OPTION_TOGETHER = "HG-OPTION-TOGETHER", "Options are given that cannot be combined."
    OPTION_RETRY = "HG-OPTION-RETRY", "The retry options cannot be satisfied."
    OPTION_STOP_ON = (
        "HG-OPTION-STOP-ON",
        "A value of stop_on is not a status or a code.",
    )
    OPTION_TLS = "HG-OPTION-TLS", "The TLS options are not valid."
    OPTION_HEADER = "HG-OPTION-HEADER", "A header is given twice."
    OPTION_SECRET = "HG-OPTION-SECRET", "A secret is written out in the plan."
    ASSERT_QUERY = "HG-ASSERT-QUERY", "The query of an assertion is not valid."
    ASSERT_FILTER = "HG-ASSERT-FILTER", "A filter does not exist."
    ASSERT_ARGUMENT = (
        "HG-ASSERT-ARGUMENT",
        "The argument of a filter or a predicate is not valid.",
    )
    ASSERT_PREDICATE = "HG-ASSERT-PREDICATE", "An assertion has no predicate."
    ASSERT_KIND = (
        "HG-ASSERT-KIND",
        "A filter or a predicate does not take a value of this kind.",
    )
    ROWS = (
        "HG-ROWS",
        "The rows of a loop cannot be read, or there are none or too many.",
    )
    SCENARIO_SIZE = "HG-SCENARIO-SIZE", "A scenario sends too many requests."
    SCENARIO_VARIABLE = (
        "HG-SCENARIO-VARIABLE",
        "A variable has no value at a step, or no valid name.",
    )
    TRAFFIC_SIZE = "HG-TRAFFIC-SIZE", "The load sends too many requests."
    TRAFFIC_UNDECIDABLE = (
        "HG-TRAFFIC-UNDECIDABLE",
        "The load sends too few requests to decide.",
    )
    TRAFFIC_UNSAFE = "HG-TRAFFIC-UNSAFE", "A request must not go to production."
    TRAFFIC_NAME_TWICE = "HG-TRAFFIC-NAME-TWICE", "Two requests have the same name."
    THRESHOLD_METRIC = "HG-THRESHOLD-METRIC", "The metric of a threshold is unknown."

    # Files that a plan includes.
    INCLUDE_NAME = "HG-INCLUDE-NAME", "The name of a file beside the plan is not valid."
    INCLUDE_MISSING = (
        "HG-INCLUDE-MISSING",
        "A file beside the plan does not exist, or the plan has no files.",
    )
    INCLUDE_SIZE = "HG-INCLUDE-SIZE", "The files of a step are too large or too many."
    INCLUDE_CYCLE = "HG-INCLUDE-CYCLE", "Files include each other in a cycle."
    INCLUDE_CONTENT = "HG-INCLUDE-CONTENT", "An included file does not contain steps."

    # Discovery of a deployment, and what a hook works with.
    HOOK_PAYLOAD = "HG-HOOK-PAYLOAD", "The payload is not a lifecycle hook event."
    HOOK_EVENT = "HG-HOOK-EVENT", "The function is for another lifecycle event."
    DEPLOYMENT_OVER = "HG-DEPLOYMENT-OVER", "The deployment or its event has ended."
    DISCOVERY_PLATFORM = "HG-DISCOVERY-PLATFORM", "The deployment is not one to ECS."
    DISCOVERY_SERVICE = "HG-DISCOVERY-SERVICE", "The ECS service was not found."
    DISCOVERY_TASK_SET = "HG-DISCOVERY-TASK-SET", "A task set was not found."
    DISCOVERY_TARGET_GROUP = (
        "HG-DISCOVERY-TARGET-GROUP",
        "The target group of a task set is not certain.",
    )
    DISCOVERY_LISTENER = "HG-DISCOVERY-LISTENER", "A listener cannot be used."
    APPSPEC_UNREADABLE = "HG-APPSPEC-UNREADABLE", "The AppSpec cannot be read."
    REVISION = "HG-REVISION", "The revision cannot be read."
    PLAN_MISSING = "HG-PLAN-MISSING", "There is no plan for the deployment."
    SECRET = "HG-SECRET", "Whether the secrets that are named exist and have values."
    S3_OBJECT = "HG-S3-OBJECT", "An S3 object could not be read to its end."
    IDEMPOTENCY = "HG-IDEMPOTENCY", "The idempotency table cannot be used."
    CONTEXT = "HG-CONTEXT", "A part of the deployment is not known here."
    AWS_REFUSED = "HG-AWS-REFUSED", "AWS refused a call."
    AWS_UNREACHABLE = "HG-AWS-UNREACHABLE", "A service of AWS did not respond."
    AWS_WRITE = "HG-AWS-WRITE", "A validator made a call that changes something."
    RUN_NEEDS_AWS = "HG-RUN-NEEDS-AWS", "A step of hookgate run needs AWS."
    NO_TIME = (
        "HG-NO-TIME",
        "No time was left for an attempt, a request or a measurement.",
    )

    # Connections, TLS and DNS.
    DNS_RESOLVE = "HG-DNS-RESOLVE", "A host name does not resolve."
    CONNECTION_REFUSED = "HG-CONNECTION-REFUSED", "No address accepted a connection."
    CONNECTION_TIMEOUT = "HG-CONNECTION-TIMEOUT", "The peer did not respond in time."
    CONNECTION_CLOSED = "HG-CONNECTION-CLOSED", "The peer closed the connection early."
    TCP_CONNECTED = "HG-TCP-CONNECTED", "Whether a TCP connection was accepted."
    TLS_HANDSHAKE = "HG-TLS-HANDSHAKE", "The TLS handshake failed."
    TLS_UNTRUSTED = "HG-TLS-UNTRUSTED", "Whether the certificate is trusted."
    TLS_CERTIFICATE = "HG-TLS-CERTIFICATE", "The server has no readable certificate."
    TLS_CLIENT = "HG-TLS-CLIENT", "The client certificate and its key are not usable."
    TLS_VERSION = "HG-TLS-VERSION", "Whether the TLS version is one that is allowed."
    TLS_EXPIRY = "HG-TLS-EXPIRY", "Whether the certificate is valid for long enough."
    TLS_KEY = "HG-TLS-KEY", "Whether the key of the certificate is strong enough."
    DNS_QUESTION = "HG-DNS-QUESTION", "The question cannot be sent to a resolver."
    DNS_NO_RESPONSE = "HG-DNS-NO-RESPONSE", "No resolver responded."
    DNS_CODE = "HG-DNS-CODE", "Whether the response code of DNS is an expected one."
    DNS_RECORDS = "HG-DNS-RECORDS", "Whether the DNS records are the expected ones."

    # HTTP, WebSocket and gRPC.
    HTTP_STATUS = "HG-HTTP-STATUS", "Whether the HTTP status is an expected one."
    HTTP_TIMEOUT = "HG-HTTP-TIMEOUT", "The HTTP response did not arrive in time."
    HTTP_PROTOCOL = "HG-HTTP-PROTOCOL", "The peer did not respond in HTTP."
    HTTP_TRUNCATED = "HG-HTTP-TRUNCATED", "The response was incomplete."
    HTTP_ENCODING = "HG-HTTP-ENCODING", "The body is not in its Content-Encoding."
    HTTP_BODY_SIZE = "HG-HTTP-BODY-SIZE", "The body is larger than max_body."
    HTTP_REDIRECTS = "HG-HTTP-REDIRECTS", "The redirects do not lead to a response."
    HTTP_REDIRECT_AWAY = "HG-HTTP-REDIRECT-AWAY", "A redirect leads to another host."
    HTTP_REQUEST = "HG-HTTP-REQUEST", "A request cannot be sent in HTTP."
    HTTP_HOST = "HG-HTTP-HOST", "No host name is known for the request."
    HTTP_RULE = "HG-HTTP-RULE", "The listener rule does not take the request."
    HTTP_NO_LISTENER = "HG-HTTP-NO-LISTENER", "No listener takes the request."
    AUTH = "HG-AUTH", "The token endpoint did not give a token."
    COOKIE_SIZE = "HG-COOKIE-SIZE", "The cookies are too large or too many."
    COOKIE_WITHHELD = "HG-COOKIE-WITHHELD", "A cookie was not sent over plain HTTP."
    WEBSOCKET_HANDSHAKE = "HG-WEBSOCKET-HANDSHAKE", "The WebSocket handshake failed."
    WEBSOCKET_SUBPROTOCOL = (
        "HG-WEBSOCKET-SUBPROTOCOL",
        "Whether the subprotocol is an expected one.",
    )
    DIALOGUE = "HG-DIALOGUE", "Whether a turn of a dialogue went as expected."
    DIALOGUE_BEFORE_TLS = "HG-DIALOGUE-BEFORE-TLS", "Text arrived before TLS began."
    GRPC_CALL = "HG-GRPC-CALL", "The gRPC call failed."
    GRPC_STATUS = "HG-GRPC-STATUS", "Whether the health status is the expected one."

    # Assertions on responses.
    ASSERT_VALUE = "HG-ASSERT-VALUE", "Whether a value satisfies its predicate."
    ASSERT_MISSING = "HG-ASSERT-MISSING", "A value that is needed is missing."
    ASSERT_UNREADABLE = "HG-ASSERT-UNREADABLE", "A value cannot be read."

    # Scenarios of requests, and OpenAPI.
    SCENARIO_STEP = (
        "HG-SCENARIO-STEP",
        "Whether all assertions of a request are satisfied.",
    )
    CAPTURE = (
        "HG-CAPTURE",
        "A value could not be captured, or what was captured cannot be used.",
    )
    OPENAPI_DOCUMENT = "HG-OPENAPI-DOCUMENT", "The OpenAPI document cannot be used."
    OPENAPI_CONFORMITY = (
        "HG-OPENAPI-CONFORMITY",
        "Whether a response conforms to the OpenAPI document.",
    )
    OPENAPI_COVERAGE = (
        "HG-OPENAPI-COVERAGE",
        "The number of operations that were called.",
    )

    # Routing, targets and tasks.
    ROUTING_UNPROVEN = "HG-ROUTING-UNPROVEN", "Nothing proves which version responded."
    ROUTING_RULE = "HG-ROUTING-RULE", "The listener rule does not exist any more."
    ROUTING_TARGET = "HG-ROUTING-TARGET", "Whether the rule forwards as expected."
    ROUTING_HEALTH = "HG-ROUTING-HEALTH", "Whether a target group has healthy targets."
    TARGET_HEALTH = "HG-TARGET-HEALTH", "Whether enough targets are healthy."
    TARGET_UNATTACHED = (
        "HG-TARGET-UNATTACHED",
        "No listener uses the target group, so its targets are not checked.",
    )
    SERVICE_STEADY = "HG-SERVICE-STEADY", "Whether the task set is in a steady state."
    SERVICE_STOPPED = "HG-SERVICE-STOPPED", "The number of tasks that stopped."
    TASK_DEFINITION_DEPLOYED = (
        "HG-TASK-DEFINITION-DEPLOYED",
        "Whether the task set runs the task definition of the AppSpec.",
    )
    TASK_DEFINITION_CONTAINER = (
        "HG-TASK-DEFINITION-CONTAINER",
        "Whether the container of the AppSpec is in the task definition.",
    )
    TASK_DEFINITION_IMAGE = (
        "HG-TASK-DEFINITION-IMAGE",
        "Whether an image satisfies the policy.",
    )
    SECRET_ROLE = "HG-SECRET-ROLE", "Whether the execution role may read the secrets."

    # CloudWatch.
    CLOUDWATCH_PARTIAL = "HG-CLOUDWATCH-PARTIAL", "CloudWatch returned partial data."
    ALARM_STATE = "HG-ALARM-STATE", "Whether an alarm is not in ALARM."
    ALARM_MISSING = "HG-ALARM-MISSING", "An alarm does not exist."
    ALARM_GROUP = "HG-ALARM-GROUP", "Whether the deployment group has alarms."
    METRIC_VALUE = "HG-METRIC-VALUE", "Whether a metric is within its bound."
    METRIC_RELATIVE = (
        "HG-METRIC-RELATIVE",
        "Whether a metric is within its bound relative to an earlier window.",
    )
    TARGET_METRIC = "HG-TARGET-METRIC", "Whether a metric of the target group passes."
    TARGET_METRIC_LISTENER = (
        "HG-TARGET-METRIC-LISTENER",
        "The load balancer has no such metrics.",
    )
    LOGS_ROWS = "HG-LOGS-ROWS", "Whether a query returned the expected rows."
    LOGS_GROUP = "HG-LOGS-GROUP", "The task definition has no log group."
    LOGS_QUERY = "HG-LOGS-QUERY", "The query of the logs failed."

    # Traffic.
    TRAFFIC_SENT = "HG-TRAFFIC-SENT", "Whether the replacement gave every response."
    THRESHOLD = "HG-THRESHOLD", "Whether a threshold is satisfied."
    TRAFFIC_LOG = "HG-TRAFFIC-LOG", "Whether the requests of an access log can be sent."

    # Programs and functions that decide.
    FOREIGN_ANSWER = (
        "HG-FOREIGN-ANSWER",
        "A command or function did not return findings.",
    )
    COMMAND_FAILED = (
        "HG-COMMAND-FAILED",
        "A command failed, took too long or wrote too much.",
    )
    COMMAND_MISSING = "HG-COMMAND-MISSING", "A command cannot be started."
    LAMBDA_FAILED = "HG-LAMBDA-FAILED", "The Lambda function failed."

    # AppSpecs.
    APPSPEC_VERSION = "HG-APPSPEC-VERSION", "The version of the AppSpec is not 0.0."
    APPSPEC_UNKNOWN_KEY = "HG-APPSPEC-UNKNOWN-KEY", "A key of the AppSpec is unknown."
    APPSPEC_RESOURCES = (
        "HG-APPSPEC-RESOURCES",
        "The AppSpec does not have exactly one ECS service.",
    )
    APPSPEC_TASK_DEFINITION = (
        "HG-APPSPEC-TASK-DEFINITION",
        "The task definition is not an ARN with a revision.",
    )
    APPSPEC_CONTAINER = (
        "HG-APPSPEC-CONTAINER",
        "The name or the port of the container is missing or not valid.",
    )
    APPSPEC_PROPERTY = "HG-APPSPEC-PROPERTY", "A property of the service is not valid."
    APPSPEC_HOOKS = "HG-APPSPEC-HOOKS", "Hooks is not a list of events and functions."
    APPSPEC_EVENT = (
        "HG-APPSPEC-EVENT",
        "A hook is not for a lifecycle event, or for one twice.",
    )
    APPSPEC_NO_STEPS = "HG-APPSPEC-NO-STEPS", "The plan has no steps for a hook."
    APPSPEC_NO_HOOK = "HG-APPSPEC-NO-HOOK", "The AppSpec has no hook for steps."
    APPSPEC_FUNCTION = "HG-APPSPEC-FUNCTION", "A hook does not name a function."

    # CloudFormation templates with a blue/green hook.
    TEMPLATE_HOOK = (
        "HG-TEMPLATE-HOOK",
        "The template does not have exactly one hook with functions.",
    )
    TEMPLATE_UNKNOWN_KEY = (
        "HG-TEMPLATE-UNKNOWN-KEY",
        "A property or an event of the hook does not exist.",
    )
    TEMPLATE_FUNCTION = (
        "HG-TEMPLATE-FUNCTION",
        "A lifecycle event names no function, or that of another event.",
    )
    TEMPLATE_FUNCTION_NAME = (
        "HG-TEMPLATE-FUNCTION-NAME",
        "The managed policy does not let CloudFormation invoke a function.",
    )
    TEMPLATE_VALUE = "HG-TEMPLATE-VALUE", "A value of the hook is not valid."
    TEMPLATE_RESOURCE = (
        "HG-TEMPLATE-RESOURCE",
        "Applications names no ECS service of the template.",
    )

    # Scenarios.
    SECRET_VARIABLE = (
        "HG-SECRET-VARIABLE",
        "The environment variable of a secret is not set.",
    )
    SCENARIO_SECRET = "HG-SCENARIO-SECRET", "A secret is not text or {env: VARIABLE}."
    SCENARIO_IMAGE = "HG-SCENARIO-IMAGE", "An image is not among the scenario's images."
    SCENARIO_FILE = "HG-SCENARIO-FILE", "A file that the scenario names is missing."
    SCENARIO_CERTIFICATE = (
        "HG-SCENARIO-CERTIFICATE",
        "A certificate and its key are not valid PEM or do not match.",
    )
    SCENARIO_FAULT = "HG-SCENARIO-FAULT", "A fault cannot occur in this scenario."
    SCENARIO_ALARM = (
        "HG-SCENARIO-ALARM",
        "The scenario or the deployment group has no alarm of this name.",
    )
    SCENARIO_NAME_TWICE = "HG-SCENARIO-NAME-TWICE", "Two items have the same name."
    SCENARIO_CALL = "HG-SCENARIO-CALL", "An AWS call of a fault does not exist."
    SCENARIO_ALARM_RULE = "HG-SCENARIO-ALARM-RULE", "The rule of an alarm is not valid."
    SCENARIO_EXPECT = "HG-SCENARIO-EXPECT", "An assertion of the scenario cannot pass."
    SCENARIO_HEALTH_CHECK = (
        "HG-SCENARIO-HEALTH-CHECK",
        "The timeout of a health check is not shorter than its interval.",
    )
    SCENARIO_LISTENERS = (
        "HG-SCENARIO-LISTENERS",
        "The listeners do not fit each other or have no certificate.",
    )
