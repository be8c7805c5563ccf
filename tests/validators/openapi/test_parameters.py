"""What is asked for the operations of a document, as it goes over the wire."""

from __future__ import annotations

import json

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.testing import a_reply
from hookgate_validators.openapi.document import OpenApiDocument

OK = {"200": {"description": "ok"}}


def asked(parameters, *, servers=(), path="/a/{p}", given=None, **where):
    """The one operation that a document with these parameters has."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "a", "version": "1"},
        "paths": {path: {"get": {"parameters": parameters, "responses": OK}}},
    }
    if servers:
        document["servers"] = list(servers)
    body = json.dumps(document).encode()
    found = OpenApiDocument(body, **where, parameters=given or {})
    return next(iter(found.operations()))


def parameter(where, value, name="p"):
    return {"name": name, "in": where, "required": True, "schema": {}, "example": value}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param("a b/c", "/a/a%20b%2Fc", id="text"),
        pytest.param(7, "/a/7", id="number"),
        pytest.param(True, "/a/true", id="boolean"),
        pytest.param([1, 2], "/a/1,2", id="array"),
    ],
)
def test_path(value, path):
    """A value in a path is in OpenAPI's simple style, percent-encoded."""
    assert path == asked([parameter("path", value)]).path


def test_query_headers_and_cookies():
    """Each goes where the document says, booleans in JSON's words."""
    found = asked(
        [
            parameter("query", True, "t"),
            parameter("query", ["x", "y"], "many"),
            parameter("header", False, "X-F"),
            parameter("cookie", 1, "a"),
            parameter("cookie", 2, "b"),
            {"name": "optional", "in": "query", "schema": {}, "example": 1},
        ],
        path="/a",
    )
    assert "/a?t=true&many=x&many=y" == found.path
    assert {"X-F": "false", "Cookie": "a=1; b=2"} == found.headers


def test_object():
    """An object can be written in several ways, so it is not sent."""
    found = asked([parameter("query", {"a": 1})], path="/a")
    assert "its parameter p is an object" == found.why_not


def test_values_of_the_plan():
    """The plan's values go before the document's, and make optional ones sent."""
    optional = {"name": "page", "in": "query", "schema": {}}
    found = asked([parameter("path", 7), optional], given={"p": 8, "page": 2})
    assert "/a/8?page=2" == found.path


@pytest.mark.parametrize(
    ("servers", "place", "base", "path"),
    [
        pytest.param([], "/docs/o.json", None, "/a", id="none"),
        pytest.param([{"url": "/"}], "/o.json", None, "/a", id="root"),
        pytest.param([{"url": "/api/"}], "/o.json", None, "/api/a", id="absolute path"),
        pytest.param([{"url": "v1"}], "/docs/o.json", None, "/docs/v1/a", id="beside"),
        pytest.param([{"url": "../v1"}], "/docs/o.json", None, "/v1/a", id="above"),
        pytest.param([{"url": "."}], "/docs/o.json", None, "/docs/a", id="here"),
        pytest.param(
            [{"url": "https://other.example/v2"}], "/o.json", None, "/v2/a", id="host"
        ),
        pytest.param(
            [
                {
                    "url": "https://{h}/{v}",
                    "variables": {"h": {"default": "x"}, "v": {"default": "v3"}},
                }
            ],
            "/o.json",
            None,
            "/v3/a",
            id="variables",
        ),
        pytest.param([{"url": "/api"}], "/o.json", "/own/", "/own/a", id="own"),
    ],
)
def test_server(servers, place, base, path):
    """Paths begin with the first server's, which may be relative to the document."""
    found = asked([], servers=servers, place=place, base=base, path="/a")
    assert path == found.path


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "AUTHORIZATION", "Cookie", "Transfer-Encoding", "Content-Length"),
        *("Upgrade", "Connection", "TE", "Expect"),
    ],
)
def test_header_that_a_document_may_not_set(name):
    """The service could steer the request, or get the plan's credentials elsewhere."""
    found = asked([parameter("header", "x", name)], path="/a", given={name: "y"})
    assert {} == found.headers
    assert f"parameter {name} is a header" in found.why_not


def test_operation_without_responses():
    """OpenAPI 3.1 allows it; there is nothing to compare a response with."""
    document = {"openapi": "3.1.0", "info": {"title": "a", "version": "1"}}
    body = json.dumps(document | {"paths": {"/a": {"get": {}}}}).encode()
    (operation,) = OpenApiDocument(body).operations()
    assert "the document contains no response of it" == operation.why_not


def test_schema_that_the_libraries_cannot_follow():
    """The document is the reason, not a crash of the validator."""
    content = {"application/json": {"schema": True}}
    responses = {"200": {"description": "ok", "content": content}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "a", "version": "1"},
        "paths": {"/a": {"get": {"responses": responses}}},
    }
    opened = OpenApiDocument(json.dumps(document).encode())
    (operation,) = opened.operations()
    reply = a_reply(body="1", headers={"Content-Type": "application/json"})
    with raises(CannotMeasure, Code.OPENAPI_DOCUMENT):
        list(opened.faults(operation, reply))
