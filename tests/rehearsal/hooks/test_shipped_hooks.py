"""The shipped hooks run on an emulator with what template.yaml gives them in AWS."""

import pytest
from support.template import of_type, parameter, sub, template

from hookgate.model import LifecycleEvent
from hookgate_rehearsal.hooks import hook_name, shipped_hooks

GLOBALS = template()["Globals"]["Function"]
FUNCTIONS = of_type("AWS::Serverless::Function")
SHIPPED = {
    each.name: each
    for each in shipped_hooks({each: hook_name(each) for each in LifecycleEvent})
}
#: Variables that the emulator sets itself, or leaves unchanged by default.
OTHERS = {
    "AWS_ENDPOINT_URL",
    "HOOKGATE_BUNDLED_PLAN",
    "HOOKGATE_PLAN_KEY_PREFIX",
    "POWERTOOLS_LOG_LEVEL",
}
#: Variables whose values are the emulator's own names of things.
OF_THE_EMULATOR = {
    "HOOKGATE_IDEMPOTENCY_TABLE",
    "HOOKGATE_PLAN_BUCKET",
    "HOOKGATE_PLAN_PARAMETER_PREFIX",
    "HOOKGATE_SECRET_PREFIX",
}


def setting(name, key):
    """A setting of a function: its own, else the template's for all."""
    return default(FUNCTIONS[name].get(key, GLOBALS.get(key)))


def default(value):
    """What a parameter, or a list joined to text, is by default."""
    if isinstance(value, dict) and "Fn::Join" in value:
        value = value["Fn::Join"][1]
    is_parameter = isinstance(value, dict) and "Ref" in value
    return parameter(value["Ref"])["Default"] if is_parameter else value


def shipped(name):
    called = sub(FUNCTIONS[name]["FunctionName"]["Fn::Sub"], NamePrefix="hookgate")
    return SHIPPED[called]


def test_every_function_of_the_template_is_there():
    """Five hooks and the fallback report have the default names of the template."""
    assert len(FUNCTIONS) == len(SHIPPED)
    assert list(FUNCTIONS) == [
        shipped(name).name.rsplit("_", 1)[1] for name in FUNCTIONS
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_templates_limits(name):
    """Handler, memory and time-out are what a deployed function has."""
    function = shipped(name)
    assert (
        FUNCTIONS[name]["Handler"],
        setting(name, "MemorySize"),
        setting(name, "Timeout"),
    ) == (function.handler, function.memory, function.timeout)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_templates_retries(name):
    """Attempts, the age of an event and its destination are the template's."""
    config = setting(name, "EventInvokeConfig")
    asynchronous = shipped(name).asynchronous
    assert (
        default(config["MaximumRetryAttempts"]),
        config["MaximumEventAgeInSeconds"],
    ) == (asynchronous.retries, asynchronous.event_age)
    destination = config["DestinationConfig"].get("OnFailure")
    if destination is None:
        assert asynchronous.on_failure is None
    else:
        assert {"Fn::GetAtt": "FallbackReport.Arn"} == destination["Destination"]
        last = shipped("FallbackReport").name
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{last}"
        assert arn == asynchronous.on_failure


def test_functions_have_the_templates_variables():
    """Each variable of the template is set, or the emulator need not set it."""
    declared = GLOBALS["Environment"]["Variables"]
    (variables,) = {frozenset(each.environment.items()) for each in SHIPPED.values()}
    assert declared.keys() - OTHERS == {name for name, _ in variables}
    same = {n: v for n, v in variables if n not in OF_THE_EMULATOR}
    assert {name: default(declared[name]) for name in same} == same


def test_log_level_of_debug(caplog):
    """At level DEBUG of the logger, the functions log at every level."""
    caplog.set_level("DEBUG", "hookgate.hooks")
    levels = {
        each.environment["POWERTOOLS_LOG_LEVEL"]
        for each in shipped_hooks({LifecycleEvent.AFTER_INSTALL: "hook"})
    }

    assert {"DEBUG"} == levels
