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
    NOT_FOUND = "HG-NOT-FOUND", "AWS does not have what a call asked for."
    INCONCLUSIVE = "HG-INCONCLUSIVE", "There are too few samples to decide."
    NO_DATA = "HG-NO-DATA", "There is no data to decide by."
    DEFECT = "HG-DEFECT", "A validator does not do what a validator must."
    NO_RESPONSE = "HG-NO-RESPONSE", "The target did not respond as it must."
    IDENTITY = "HG-IDENTITY", "A response failed the identity check."
    REPORT = "HG-REPORT", "The status could not be reported to CodeDeploy."
    REHEARSAL = "HG-REHEARSAL", "The emulator did not reach an expected state."

    # Steps and hooks.
    STEP_SKIPPED = "HG-STEP-SKIPPED", "A step that this step needs did not pass."
    STEP_NOT_STARTED = "HG-STEP-NOT-STARTED", "No time was left to start the step."
    STEP_TIMEOUT = "HG-STEP-TIMEOUT", "The step did not end within its timeout."
    STEP_CRASHED = "HG-STEP-CRASHED", "The validator raised an unexpected exception."
    STEP_OUTPUT = "HG-STEP-OUTPUT", "The output of the step could not be logged."
    NO_FINDINGS = "HG-NO-FINDINGS", "The validator stated no finding."
    NOT_STABLE = "HG-NOT-STABLE", "The step did not pass for long enough in a row."
    REPEAT = "HG-REPEAT", "The number of attempts that failed or did not measure."
    REPEAT_TIME = "HG-REPEAT-TIME", "The time was over before the last attempt."
    HOOK_TIMEOUT = "HG-HOOK-TIMEOUT", "A part of the hook did not end in time."
    HOOK_LATE = "HG-HOOK-LATE", "The hour of the lifecycle event is over."
    HOOK_DEFECT = "HG-HOOK-DEFECT", "Hookgate itself has a defect."
    HOOK_SILENT = "HG-HOOK-SILENT", "The hook did not report its status itself."

    # Files in YAML.
    FILE_UNREADABLE = "HG-FILE-UNREADABLE", "A file cannot be read."
    FILE_SIZE = "HG-FILE-SIZE", "A file is too large."
    FILE_ENCODING = "HG-FILE-ENCODING", "A file is not text in UTF-8."
    FILE_CHARACTER = "HG-FILE-CHARACTER", "A file has a character that text has not."
    YAML_TAB = "HG-YAML-TAB", "A line is indented by a tab."
    YAML_SYNTAX = "HG-YAML-SYNTAX", "The YAML has a syntax error."
    YAML_QUOTE = "HG-YAML-QUOTE", "A quote is not closed, or its escape is not valid."
    YAML_BRACKET = "HG-YAML-BRACKET", "A bracket is not closed."
    YAML_INDENTATION = "HG-YAML-INDENTATION", "A line is not indented as it must be."
    YAML_DOCUMENTS = "HG-YAML-DOCUMENTS", "A file has more than one YAML document."
    YAML_DIRECTIVE = "HG-YAML-DIRECTIVE", "A file has a YAML directive."
    YAML_ALIAS = "HG-YAML-ALIAS", "A value is a YAML alias."
    YAML_ANCHOR = "HG-YAML-ANCHOR", "A value has a YAML anchor."
    YAML_TAG = "HG-YAML-TAG", "A value has a YAML tag."
    YAML_MERGE_KEY = "HG-YAML-MERGE-KEY", "A mapping has a merge key."
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
    PLAN_NOT_FINITE = "HG-PLAN-NOT-FINITE", "A number is infinite or not a number."
    PLAN_MORE = "HG-PLAN-MORE", "A file has more problems than are listed."

    # Plans.
    PLAN_VERSION = "HG-PLAN-VERSION", "The version of the plan is not supported."
    PLAN_EVENT = "HG-PLAN-EVENT", "A key of events is not a lifecycle event with hook."
    PLAN_NO_STEPS = "HG-PLAN-NO-STEPS", "A lifecycle event has no steps."
    PLAN_NEVER_PASSES = "HG-PLAN-NEVER-PASSES", "No step of an event is blocking."
    PLAN_TIME = "HG-PLAN-TIME", "The worst-case time of the steps does not fit."
    PLAN_STEP_NAME = "HG-PLAN-STEP-NAME", "The name of a step is not valid."
    PLAN_STEP_TWICE = "HG-PLAN-STEP-TWICE", "Two steps of an event have the same name."
    PLAN_TIMEOUT = "HG-PLAN-TIMEOUT", "The timeout of a step is out of range."
    PLAN_NEED_SELF = "HG-PLAN-NEED-SELF", "A step needs itself."
    PLAN_NEED_TWICE = "HG-PLAN-NEED-TWICE", "A step names the same need twice."
    PLAN_NEED_UNKNOWN = "HG-PLAN-NEED-UNKNOWN", "A step needs one that does not exist."
    PLAN_NEED_EVENT = "HG-PLAN-NEED-EVENT", "A step needs one of another event."
    PLAN_NEED_BLOCKING = (
        "HG-PLAN-NEED-BLOCKING",
        "A blocking step needs one that is not blocking.",
    )
    PLAN_NEED_CYCLE = "HG-PLAN-NEED-CYCLE", "Steps need each other in a circle."
    PLAN_HOST = "HG-PLAN-HOST", "A host is not a host name."
    PLAN_HEADER = "HG-PLAN-HEADER", "The name of a header is not valid."
    PLAN_ADDRESS = "HG-PLAN-ADDRESS", "An address is not a host with a port."
    PLAN_ADDRESS_SPELLING = (
        "HG-PLAN-ADDRESS-SPELLING",
        "An address has a legacy spelling, such as 127.1.",
    )
    ADDRESS = "HG-ADDRESS", "The address policy does not allow an address."
    PLAN_PLACEHOLDER = "HG-PLAN-PLACEHOLDER", "A placeholder does not exist."
    PLAN_PLACEHOLDER_SYNTAX = (
        "HG-PLAN-PLACEHOLDER-SYNTAX",
        "A placeholder is not closed.",
    )
    PLAN_PLACEHOLDER_COUNT = (
        "HG-PLAN-PLACEHOLDER-COUNT",
        "A text has too many placeholders.",
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
    PLAN_TARGET_SECRET = "HG-PLAN-TARGET-SECRET", "The target contains a secret."
    PLAN_LISTENER = (
        "HG-PLAN-LISTENER",
        "A step needs the test listener before it serves the replacement.",
    )
    PLAN_ONLY_RUN = "HG-PLAN-ONLY-RUN", "A validator works in hookgate run only."
    VALIDATOR_NAME = "HG-VALIDATOR-NAME", "The name of a validator is not valid."
    VALIDATOR_UNKNOWN = "HG-VALIDATOR-UNKNOWN", "A validator does not exist."
    VALIDATOR_AMBIGUOUS = (
        "HG-VALIDATOR-AMBIGUOUS",
        "Two packages provide a validator of the same name.",
    )
    VALIDATOR_BROKEN = "HG-VALIDATOR-BROKEN", "A validator cannot be loaded."
    VALIDATOR_INVALID = (
        "HG-VALIDATOR-INVALID",
        "A class is not a complete validator.",
    )
    SECOND_LAYER = "HG-SECOND-LAYER", "A validator needs the second Lambda layer."
    VALIDATOR_OPTIONS = (
        "HG-VALIDATOR-OPTIONS",
        "A validator crashed when it read its options.",
    )
    VALIDATOR_TIME = (
        "HG-VALIDATOR-TIME",
        "A validator does not state its worst-case time.",
    )

    # Files that a plan includes.
    INCLUDE_NAME = "HG-INCLUDE-NAME", "The name of a file beside the plan is not valid."
    INCLUDE_MISSING = "HG-INCLUDE-MISSING", "A file beside the plan does not exist."
    INCLUDE_UNAVAILABLE = (
        "HG-INCLUDE-UNAVAILABLE",
        "A plan that is not a file names a file beside it.",
    )
    INCLUDE_SIZE = "HG-INCLUDE-SIZE", "The files of a step are too large or too many."
    INCLUDE_CYCLE = "HG-INCLUDE-CYCLE", "Files include each other without an end."
    INCLUDE_CONTENT = "HG-INCLUDE-CONTENT", "An included file does not contain steps."

    # AppSpecs.
    APPSPEC_VERSION = "HG-APPSPEC-VERSION", "The version of the AppSpec is not 0.0."
    APPSPEC_UNKNOWN_KEY = "HG-APPSPEC-UNKNOWN-KEY", "A key of the AppSpec is unknown."
    APPSPEC_RESOURCES = (
        "HG-APPSPEC-RESOURCES",
        "The AppSpec does not have exactly one resource.",
    )
    APPSPEC_TYPE = "HG-APPSPEC-TYPE", "The resource is not an ECS service."
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
    APPSPEC_EVENT = "HG-APPSPEC-EVENT", "A hook is not one of a lifecycle event of ECS."
    APPSPEC_EVENT_TWICE = "HG-APPSPEC-EVENT-TWICE", "An event has two functions."
    APPSPEC_FUNCTION = "HG-APPSPEC-FUNCTION", "A hook does not name a function."

    # CloudFormation templates with a blue/green hook.
    TEMPLATE_HOOK = "HG-TEMPLATE-HOOK", "The template does not have exactly one hook."
    TEMPLATE_HOOKS = (
        "HG-TEMPLATE-HOOKS",
        "LifecycleEventHooks is not a mapping of events to functions.",
    )
    TEMPLATE_UNKNOWN_KEY = (
        "HG-TEMPLATE-UNKNOWN-KEY",
        "A property of the hook does not exist.",
    )
    TEMPLATE_EVENT = "HG-TEMPLATE-EVENT", "A lifecycle event does not exist."
    TEMPLATE_FUNCTION = (
        "HG-TEMPLATE-FUNCTION",
        "A lifecycle event names no function, or that of another event.",
    )
    TEMPLATE_FUNCTION_NAME = (
        "HG-TEMPLATE-FUNCTION-NAME",
        "The managed policy does not let CloudFormation invoke a function.",
    )
    TEMPLATE_ROUTING = "HG-TEMPLATE-ROUTING", "The type of traffic routing is unknown."
    TEMPLATE_RANGE = "HG-TEMPLATE-RANGE", "A number of the hook is out of range."
    TEMPLATE_APPLICATION = (
        "HG-TEMPLATE-APPLICATION",
        "Applications does not have exactly one ECS service.",
    )
    TEMPLATE_RESOURCE = "HG-TEMPLATE-RESOURCE", "A resource is not in the template."

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
    SCENARIO_ALARM = "HG-SCENARIO-ALARM", "An alarm is not among those it must be in."
    SCENARIO_NAME_TWICE = "HG-SCENARIO-NAME-TWICE", "Two things have the same name."
