"""What a scenario sends, keeps and tells, against an app that remembers."""

from __future__ import annotations

import base64
import json
import re

import pytest
from support.coded import raises

from hookgate.errors import CannotMeasure, NotGreen
from hookgate.files import Reading
from hookgate.redaction import Secrets
from hookgate.testing import a_reply, check
from hookgate_validators.scenario import Scenario

READING = Reading(read=lambda _name: b"\x89PNG")


def run(options, app, **more):
    """The findings of a scenario, as (ok, summary)."""
    findings = check(Scenario.model_validate(options, context=READING), app=app, **more)
    return [(each.ok, each.summary) for each in findings]


def sent(step, **more):
    """The one request that a step makes."""
    asked = []

    def app(request):
        asked.append(request)
        return a_reply(200, "{}")

    assert [True] == [ok for ok, _ in run({"steps": [step], **more}, app)]
    return asked[0]


@pytest.mark.parametrize(
    ("step", "method", "body", "kind"),
    [
        pytest.param({}, "GET", None, None, id="none"),
        pytest.param({"body": "tea"}, "POST", b"tea", None, id="text"),
        pytest.param({"body": {"file": "a"}}, "POST", b"\x89PNG", None, id="file"),
        pytest.param(
            {"json": {"a": [1, None]}},
            "POST",
            b'{"a": [1, null]}',
            "application/json",
            id="JSON",
        ),
        pytest.param(
            {"json": None, "method": "PUT"},
            "PUT",
            b"null",
            "application/json",
            id="null",
        ),
        pytest.param(
            {"form": {"tea": "green & mild", "n": [1, 2], "gift": True}},
            "POST",
            b"tea=green+%26+mild&n=1&n=2&gift=true",
            "application/x-www-form-urlencoded",
            id="form",
        ),
        pytest.param(
            {"graphql": {"query": "{ tea }", "variables": {"id": 1}, "operation": "T"}},
            "POST",
            b'{"query": "{ tea }", "variables": {"id": 1}, "operationName": "T"}',
            "application/json",
            id="GraphQL",
        ),
        pytest.param(
            {"json": {}, "headers": {"content-type": "application/x"}},
            "POST",
            b"{}",
            None,
            id="own type",
        ),
    ],
)
def test_body(step, method, body, kind):
    """Each kind of body goes out in its form, with its Content-Type."""
    request = sent({"path": "/", **step})
    found = request.headers.get("Content-Type")
    assert (method, body, kind) == (request.method, request.body, found)


def test_multipart():
    """Parts are texts and files, as RFC 7578 has them."""
    parts = [
        {"name": "title", "text": "Tea"},
        {"name": "photo", "file": "img/pot.png", "type": "image/png"},
    ]
    request = sent({"path": "/", "multipart": parts})
    boundary = re.fullmatch(
        "multipart/form-data; boundary=(.+)", request.headers["Content-Type"]
    )
    assert boundary is not None
    pieces = request.body.split(b"--" + boundary[1].encode())
    assert b'name="title"' in pieces[1]
    assert b'name="photo"; filename="pot.png"' in pieces[2]
    assert b"Content-Type: image/png\r\n\r\n\x89PNG\r\n" in pieces[2]


def test_query():
    """Parameters are added to the query that the path has."""
    step = {"path": "/search?a=1", "query": {"q": "green tea", "tag": ["x", "y"]}}
    assert "/search?a=1&q=green+tea&tag=x&tag=y" == sent(step).path


@pytest.mark.parametrize(
    ("step", "field", "wanted"),
    [
        pytest.param({"path": "/t/{{text}}"}, "path", "/t/a%2Fb%3F", id="in a path"),
        pytest.param({"path": "{{path}}"}, "path", "/orders/5?x=1", id="whole path"),
        pytest.param(
            {"path": "/", "query": {"q": "{{text}}"}},
            "path",
            "/?q=a%2Fb%3F",
            id="query",
        ),
        pytest.param(
            {"path": "/", "json": {"n": "{{n}}", "t": "n={{n}}"}},
            "body",
            b'{"n": 5, "t": "n=5"}',
            id="kind is kept",
        ),
        pytest.param(
            {"path": "/", "json": {"content": "{{n}}"}},
            "body",
            b'{"content": 5}',
            id="a key named content",
        ),
        pytest.param(
            {"path": "/", "json": "{{row}}"},
            "body",
            b'{"a": [1, {"b": "c"}]}',
            id="object",
        ),
        pytest.param(
            {"path": "/", "body": "{{ row.a.1.b }}"}, "body", b"c", id="inside"
        ),
        pytest.param(
            {"path": "/", "body": r"\{{n}} {{n}}"}, "body", b"{{n}} 5", id="escape"
        ),
        pytest.param(
            {"path": "/", "json": {"path": "/t/{{text}}"}},
            "body",
            b'{"path": "/t/a/b?"}',
            id="path in a body",
        ),
        pytest.param({"path": "/", "form": {"a": "{{n}}"}}, "body", b"a=5", id="form"),
        pytest.param(
            {
                "path": "/",
                "graphql": {"query": "{ a { b } }", "variables": {"x": "{{n}}"}},
            },
            "body",
            b'{"query": "{ a { b } }", "variables": {"x": 5}}',
            id="GraphQL",
        ),
    ],
)
def test_variables(step, field, wanted):
    """A variable alone keeps its kind; in a text it is written, in a path encoded."""
    variables = {"text": "a/b?", "path": "/orders/5?x=1", "n": 5}
    group = {"for_each": [{"a": [1, {"b": "c"}]}], "steps": [step]}
    assert wanted == getattr(sent(group, variables=variables), field)


def shop(request):
    """A basket of one visitor, who is known by a cookie."""
    own = request.headers.get("Cookie") == "visit=7"
    if request.path == "/login":
        return a_reply(
            200, '{"token": "t0p-secret"}', cookies=("visit=7; Path=/; HttpOnly",)
        )
    if request.headers.get("Authorization") != "Bearer t0p-secret" or not own:
        return a_reply(401, json.dumps({"got": request.headers.get("Authorization")}))
    return a_reply(201, json.dumps({"id": 42}), {"Location": "/orders/42"})


def test_captures_and_cookies():
    """What one step captures and what its answer sets go with the next."""
    steps = [
        {
            "path": "/login",
            "capture": {"token": {"jsonpath": "$.token", "secret": True}},
        },
        {
            "path": "/orders",
            "method": "POST",
            "headers": {"Authorization": "Bearer {{token}}"},
            "capture": {
                "order": {
                    "header": "Location",
                    "filter": [{"split": "/"}, "last", "to_integer"],
                }
            },
        },
        {
            "path": "/orders/{{order}}",
            "headers": {"Authorization": "Bearer {{token}}"},
            "expect": [{"jsonpath": "$.id", "equals": "{{order}}"}],
        },
    ]
    assert [True] * 3 == [ok for ok, _ in run({"steps": steps}, shop)]
    without = [steps[0], {**steps[1], "headers": {"Cookie": "visit=8"}}]
    assert [True, False] == [ok for ok, _ in run({"steps": without}, shop)][:2]


def test_secret_is_masked():
    """A captured value that is marked secret is masked in all output."""
    secrets = Secrets(lambda name: name)
    secrets.mask_this_thread()
    steps = [
        {
            "path": "/login",
            "capture": {"token": {"jsonpath": "$.token", "secret": True}},
        },
        {
            "path": "/orders",
            "headers": {"Authorization": "{{token}}"},
            "expect": [{"jsonpath": "$.got", "equals": "x"}],
        },
    ]
    results = run({"steps": steps}, shop)
    assert "t0p-secret" not in secrets.mask(str(results))
    assert "«secret»" in secrets.mask(str(results))


def test_parts_of_a_secret_are_masked():
    """Of a secret object each value is masked, however the answer is spelled."""
    secrets = Secrets(lambda name: name)
    secrets.mask_this_thread()
    steps = [
        {
            "path": "/",
            "capture": {"auth": {"jsonpath": "$.auth", "secret": True}},
            "expect": [{"jsonpath": "$.auth.token", "equals": "other"}],
        }
    ]
    body = '{"auth":{"token":"t0p-secret","pins":[4711],"none":null}}'
    findings = check(
        Scenario.model_validate({"steps": steps}), app=lambda _: a_reply(200, body)
    )
    output = secrets.mask(str(findings))
    assert "t0p-secret" not in output
    assert "4711" not in output
    assert "none" in output


def test_a_secret_of_too_many_parts():
    """What could not be masked within bounds is not captured as a secret."""
    steps = [{"path": "/", "capture": {"a": {"jsonpath": "$", "secret": True}}}]
    results = run(
        {"steps": steps}, lambda _: a_reply(200, json.dumps(list(range(200))))
    )
    assert [(False, True)] == [
        (ok, "capture the secret alone" in summary) for ok, summary in results
    ]


def test_cleanup_runs_when_green_cannot_be_proven():
    """An unidentified response ends the scenario, and the cleanup runs."""
    asked = []

    def app(request):
        asked.append(request.path)
        return NotGreen("answered by 'v1'") if request.path == "/b" else 200

    options = {
        "steps": [{"path": p} for p in ("/a", "/b", "/c")],
        "cleanup": [{"path": "/d"}],
    }
    assert [True, False, True] == [ok for ok, _ in run(options, app)]
    assert ["/a", "/b", "/d"] == asked


def test_cleanup_goes_on_after_a_failure():
    """A failed cleanup step does not prevent the others from running."""
    options = {"steps": [{"path": "/"}], "cleanup": [{"path": "/x"}, {"path": "/y"}]}
    results = run(options, lambda request: 500 if request.path == "/x" else 200)
    assert [(True, "GET /"), (False, "cleanup, GET /x"), (True, "cleanup, GET /y")] == [
        (ok, summary.partition(":")[0]) for ok, summary in results
    ]


def test_cleanup_runs_when_nothing_can_be_measured():
    """A question that cannot be asked is raised after the cleanup."""
    asked = []

    def app(request):
        asked.append(request.path)
        return CannotMeasure("no such listener") if request.path == "/a" else 200

    with raises(CannotMeasure, "HG-CANNOT-MEASURE", "no such listener"):
        run({"steps": [{"path": "/a"}], "cleanup": [{"path": "/b"}]}, app)
    assert ["/a", "/b"] == asked


def test_cleanup_runs_after_a_crash():
    """A defect of ours in a step is raised after the cleanup, too."""
    asked = []

    def app(request):
        asked.append(request.path)
        return ZeroDivisionError("oops") if request.path == "/a" else 200

    with pytest.raises(ZeroDivisionError):
        run({"steps": [{"path": "/a"}], "cleanup": [{"path": "/b"}]}, app)
    assert ["/a", "/b"] == asked


def test_headers_and_auth_go_with_every_request():
    """What all requests have in common is sent, unless a step says otherwise."""
    asked = []

    def app(request):
        asked.append(request.headers)
        return 200

    options = {
        "headers": {"X-Tenant": "tea", "X-Step": "no"},
        "auth": {"basic": {"username": "gate", "password": "${secret.p}"}},
        "steps": [
            {"path": "/", "headers": {"x-step": "yes"}},
            {"path": "/", "headers": {"authorization": "own"}},
        ],
    }
    run(options, app)
    basic = base64.b64encode(b"gate:${secret.p}").decode()
    assert [
        {"X-Tenant": "tea", "x-step": "yes", "Authorization": f"Basic {basic}"},
        {"X-Tenant": "tea", "X-Step": "no", "authorization": "own"},
    ] == asked


def test_token_is_asked_for_once():
    """All requests of a run share the token of its first."""
    asked = []

    def app(request):
        asked.append((request.path, request.headers.get("Authorization", "")[:8]))
        return a_reply(200, '{"access_token": "t0p"}')

    secret = {"token_path": "/t", "client_id": "a", "client_secret": "${secret.c}"}
    run({"auth": {"oauth2": secret}, "steps": [{"path": "/a"}, {"path": "/b"}]}, app)
    assert [("/t", "Basic YT"), ("/a", "Bearer t"), ("/b", "Bearer t")] == asked


def test_cookies_of_a_redirect_are_kept():
    """A cookie that a redirect sets goes to where it leads, and on from there."""

    def app(request):
        if request.path == "/login":
            return a_reply(
                303, "", {"Location": "/home"}, cookies=("sid=1; Path=/; HttpOnly",)
            )
        return a_reply(200, json.dumps({"got": request.headers.get("Cookie")}))

    holds = [{"jsonpath": "$.got", "equals": "sid=1"}]
    steps = [
        {"path": "/login", "form": {"user": "ann"}, "follow": 1, "expect": holds},
        {"path": "/basket", "expect": holds},
    ]
    assert [True, True] == [ok for ok, _ in run({"steps": steps}, app)]


def test_time_is_kept_for_the_cleanup():
    """Steps that use up all of the time leave the cleanup its share."""
    options = {
        "steps": [{"path": "/slow", "within": "10m", "every": "5s", "timeout": "5s"}],
        "cleanup": [{"path": "/clean", "timeout": "5s"}],
    }
    results = run(
        options, lambda request: 503 if request.path == "/slow" else 200, seconds=60
    )
    assert [False, True] == [ok for ok, _ in results]


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        pytest.param({"steps": [{"path": "/"}]}, 10, id="one"),
        pytest.param(
            {"steps": [{"path": "/", "timeout": "2s", "within": "60s"}]},
            62,
            id="within",
        ),
        pytest.param(
            {
                "steps": [
                    {"for_each": [1, 2, 3], "steps": [{"path": "/"}, {"path": "/b"}]}
                ]
            },
            60,
            id="rows",
        ),
        pytest.param(
            {"steps": [{"path": "/"}], "cleanup": [{"path": "/", "consecutive": 2}]},
            31,
            id="cleanup",
        ),
    ],
)
def test_worst_case(options, seconds):
    """The longest time is that of all requests one after the other."""
    assert seconds == Scenario.model_validate(options).worst_case()


def test_step_that_is_none_once_filled_in():
    """A captured value that makes no step is a finding."""
    steps = [
        {"path": "/", "capture": {"next": {"header": "Location"}}},
        {"path": "{{next}}"},
    ]
    results = run(
        {"steps": steps},
        lambda request: a_reply(200, "", {"Location": "http://other/"}),
    )
    assert not results[1][0]
    assert "with the values of its variables: path" in results[1][1]


def test_captured_value_is_bounded():
    """A value beyond all use is not kept."""
    options = {"steps": [{"path": "/", "capture": {"all": {"body": {}}}}]}
    results = run(options, lambda request: a_reply(200, "x" * 70_000))
    assert [(False, True)] == [
        (ok, "more than 65536" in summary) for ok, summary in results
    ]
