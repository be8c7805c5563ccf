"""The JSON Schema of a plan, for editors."""

from __future__ import annotations

import json

from hookgate.model import LifecycleEvent
from hookgate.plan import PlanFile

SCHEMA = PlanFile.model_json_schema()


def test_schema_names_the_events():
    """An editor can offer the lifecycle events."""
    assert [str(each) for each in LifecycleEvent] == SCHEMA["$defs"]["LifecycleEvent"][
        "enum"
    ]


def test_schema_calls_options_with():
    """A step's options are under ``with``, as in a plan."""
    assert "with" in SCHEMA["$defs"]["StepFile"]["properties"]


def test_schema_takes_no_null():
    """What may be left out may not be null."""
    assert '"type": "null"' not in json.dumps(SCHEMA)


def test_every_key_is_described():
    """An editor can say what each key is for."""
    models = [SCHEMA, *SCHEMA["$defs"].values()]
    undescribed = [
        name
        for model in models
        for name, key in model.get("properties", {}).items()
        if "description" not in key
    ]
    assert [] == undescribed
