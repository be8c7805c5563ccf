"""Options of ``http`` that a case table does not show."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hookgate.http.request import Certificate, Trust
from hookgate.testing import a_reply, check
from hookgate_validators.http import Http


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        pytest.param({"body": "tea=1"}, b"tea=1", None, id="text"),
        pytest.param({"json": {"a": 1}}, b'{"a": 1}', "application/json", id="JSON"),
        pytest.param({"json": None}, b"null", "application/json", id="null"),
        pytest.param({}, None, None, id="none"),
    ],
)
def test_body_is_sent(options, body, kind):
    """Text is sent unchanged, JSON with its Content-Type."""
    asked = []

    def app(request):
        asked.append(request)
        return 200

    check(Http.model_validate({"method": "POST", **options}), app=app)
    assert (asked[0].body, asked[0].headers.get("Content-Type")) == (body, kind)


def test_evidence_of_a_failure_shows_the_answer():
    """Who answered what, when; the engine masks the body and then cuts it."""
    finding = check(Http(), replies=[a_reply(500, "x" * 9000, duration=0.25)])[0]
    assert finding.evidence == {
        "method": "GET",
        "path": "/",
        "status": 500,
        "duration_ms": 250.0,
        "peer": "192.0.2.1",
        "body": "x" * 9000,
    }


def test_good_answer_is_not_kept():
    """What is right is not copied into the record."""
    assert "body" not in check(Http(), replies=[a_reply(200, "secret")])[0].evidence


def test_worst_case():
    """One try takes no longer than its timeout."""
    assert Http.model_validate({"timeout": "2s"}).worst_case() == 2


@pytest.mark.parametrize("depth", [100_000])
def test_deep_json_is_refused(depth):
    """A body that would exhaust the stack is reported as such."""
    http = Http.model_validate({"expect": [{"jsonpath": "$..a", "equals": 1}]})
    finding = check(http, replies=[a_reply(200, "[" * depth + "]" * depth)])[1]
    assert not finding.ok
    assert "JSON" in finding.summary


def test_request_is_what_the_options_say():
    """Every option that shapes the request reaches the probe."""
    asked = []

    def app(request):
        asked.append(request)
        return 200

    options = {
        "follow": 3,
        "compression": "br",
        "http2": False,
        "ip": "prefer 6",
        "max_body": "2KiB",
        "timeout": "3s",
        "tls": {
            "server_name": "shop.internal",
            "min_version": "1.3",
            "verify": False,
        },
    }
    check(Http.model_validate(options), app=app)
    request = asked[0]

    assert (3, ("br",), False, "6?") == (
        request.follow,
        request.encodings,
        request.http2,
        request.ip,
    )
    assert (2048, 3.0) == (request.max_body, request.timeout)
    trust = Trust(server_name="shop.internal", minimum="1.3", verify=False)
    assert trust == request.trust


def test_unverified_certificate_is_listed():
    """The verdict lists a step that verifies no certificate, and only over TLS."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    shown = Certificate(
        subject="", issuer="", serial="", not_before=at, not_after=at, names=()
    )
    http = Http.model_validate({"tls": {"verify": False}})
    replies = [a_reply(certificate=shown)]

    assert "verify: false, the certificate is not verified" == (
        check(http, replies=replies)[0].waiver
    )
    assert "" == check(http, replies=[a_reply()])[0].waiver


def test_token_that_is_refused_is_a_finding():
    """Without a token the request is not made, and the reason names the endpoint."""
    secret = "${secret.client}"
    oauth2 = {"token_path": "/token", "client_id": "gate", "client_secret": secret}
    http = Http.model_validate({"auth": {"oauth2": oauth2}})
    found = check(http, replies=[a_reply(401), a_reply(200)])

    assert [(False, "HG-AUTH")] == [(each.ok, each.code) for each in found]
    assert "/token" in found[0].summary
    assert 20 == http.worst_case()
