"""Types that come in with the first value."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError
from support.template import ROOT

from hookgate.assertions import assertion
from hookgate.files import FILLED
from hookgate.http import request
from hookgate.http.tls import TlsSettings
from hookgate.units import deferred

Tls = deferred("hookgate.http.tls", "TlsSettings")
Auth = deferred("hookgate.http.request", "Auth")
Assertion = deferred("hookgate.assertions.assertion", "Assertion")


class Options(BaseModel):
    """Options as a validator has them."""

    tls: Tls | None = None
    auth: Auth | None = None
    expect: tuple[Assertion, ...] = ()


class Direct(BaseModel):
    """Options as a validator has them."""

    tls: TlsSettings | None = None
    auth: request.Auth | None = None
    expect: tuple[assertion.Assertion, ...] = ()


def test_value_is_read_by_the_type():
    """A value becomes one of the type."""
    assert "1.3" == Options(tls={"min_version": "1.3"}).tls.min_version


def test_value_of_the_type_stays():
    """What was read before is not read again."""
    tls = Options(tls={}).tls
    assert tls is Options(tls=tls).tls


def test_context_is_handed_on():
    """A secret that was filled in passes, as it does with the type itself."""
    read = Options.model_validate({"auth": {"bearer": "abc"}}, context=FILLED)
    assert "abc" == read.auth.bearer


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ({"tls": {"min_version": "1.1"}}, ("tls", "min_version")),
        ({"tls": {"cipher": "x"}}, ("tls", "cipher")),
        ({"auth": {"bearer": "abc"}}, ("auth", "bearer")),
        ({"expect": [{"url": {"equal": "x"}}]}, ("expect", 0, "url", "equal")),
    ],
)
def test_error_has_its_path(written, where):
    """An error inside of the value has its path."""
    with pytest.raises(ValidationError) as caught:
        Options.model_validate(written)
    assert [where] == [each["loc"] for each in caught.value.errors()]


def test_schema_is_the_types_own():
    """The schema is that of the type itself."""
    own, expected = Options.model_json_schema(), Direct.model_json_schema()
    assert expected["$defs"] == own["$defs"]
    assert expected["properties"]["expect"] == own["properties"]["expect"]


_PROGRAM = """
import sys
from hookgate.plan import read_plan
from hookgate.registry import resolve
plan = "version: 1\\nevents:\\n  AfterAllowTestTraffic:\\n    - use: http\\n"
read_plan(plan + sys.argv[1], "shop.yaml", resolve)
import hookgate.invocation
print(*sorted(each for each in sys.modules if each in sys.argv[2:]))
"""
_ENTRY, _TLS = "hookgate.assertions.assertion", "hookgate.http.tls"
_FILTERS = "hookgate.assertions.filters"
_LATER = (
    _ENTRY,
    _FILTERS,
    "hookgate.assertions.markup",
    _TLS,
    "hookgate.http.connection",
    "boto3",
    "grpc",
    "jsonpath",
    "lxml",
    "openapi_core",
    "pycurl",
    "re2",
    "urllib3",
    "websockets",
)


@pytest.mark.parametrize(
    ("options", "imported"),
    [
        pytest.param("", "", id="no option"),
        pytest.param("expect: [{status: {above: 1}}]", _ENTRY, id="expect"),
        pytest.param(
            "expect: [{body: {filter: [trim], equals: a}}]",
            f"{_ENTRY} {_FILTERS} hookgate.assertions.markup",
            id="filter",
        ),
        pytest.param("auth: {bearer: '${secret.A}'}", "", id="auth"),
        pytest.param("tls: {}", _TLS, id="tls"),
        pytest.param(
            "expect: [{body: {matches: a}}]", f"{_ENTRY} re2", id="expression"
        ),
    ],
)
def test_plan_imports_what_it_uses(options, imported):
    """What a plan does not write is not imported to read it and to judge by it."""
    written = f"      with: {{{options}}}\n"
    done = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", _PROGRAM, written, *_LATER],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert imported == done.stdout.strip()
