"""``docs/http-options.md`` is true: it can be written, and does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hookgate.files import Reading
from hookgate.plan.options import build
from hookgate.testing import a_reply, check
from hookgate.validator import Validator
from hookgate_validators.http import Http

PAGE = Path(__file__).parent.parent.parent / "docs" / "http-options.md"
SHOWN = re.findall(r"`(\{.+?\})`(?=[,;:| \n.]|$)", PAGE.read_text("utf-8"))
#: Every option of blackbox_exporter 0.28's http prober.
THEIRS = """
valid_status_codes valid_http_versions method headers http_headers body body_file
body_size_limit compression follow_redirects fail_if_ssl fail_if_not_ssl
fail_if_body_matches_regexp fail_if_body_not_matches_regexp
fail_if_body_json_matches_cel fail_if_body_json_not_matches_cel
fail_if_header_matches fail_if_header_not_matches tls_config basic_auth authorization
oauth2 proxy_url no_proxy proxy_from_environment proxy_connect_header
skip_resolve_phase_with_proxy enable_http2 enable_http3 preferred_ip_protocol
ip_protocol_fallback hostname
"""


@pytest.mark.parametrize("text", SHOWN)
def test_every_option_can_be_written(text):
    """What the page shows is taken as it stands."""
    options = yaml.safe_load(text)
    built = build(Http, options, Reading(read=lambda _name: b""))
    assert isinstance(built, Validator), built


@pytest.mark.parametrize("option", THEIRS.split())
def test_every_option_of_theirs_is_listed(option):
    """No option is passed over, be it with a reason why not."""
    assert f"`{option}" in PAGE.read_text("utf-8")


def shown(option: str) -> dict:
    """The first thing that the page says for an option of theirs."""
    row = next(
        each
        for each in PAGE.read_text("utf-8").splitlines()
        if each.startswith(f"| `{option}`")
    )
    return yaml.safe_load(re.findall(r"`(\{.+?\})`(?=[,;:| ]|$)", row)[0])


UP, DOWN = '{"status": "UP"}', '{"status": "DOWN"}'
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("valid_status_codes", a_reply(302), a_reply(404)),
        ("valid_http_versions", a_reply(), a_reply(http_version="1.0")),
        ("fail_if_ssl", a_reply(url="http://a/"), a_reply(url="https://a/")),
        ("fail_if_not_ssl", a_reply(url="https://a/"), a_reply(url="http://a/")),
        (
            "fail_if_body_matches_regexp",
            a_reply(body="fine"),
            a_reply(body="Could not connect"),
        ),
        ("fail_if_body_not_matches_regexp", a_reply(body="Welcome"), a_reply()),
        ("fail_if_body_json_matches_cel", a_reply(body=UP), a_reply(body=DOWN)),
        ("fail_if_body_json_not_matches_cel", a_reply(body=UP), a_reply(body=DOWN)),
        (
            "fail_if_header_matches",
            a_reply(headers={"X-Debug": "off"}),
            a_reply(headers={"X-Debug": "on"}),
        ),
        ("fail_if_header_not_matches", a_reply(headers=JSON), a_reply()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_good_passes_and_bad_is_refused(option, good, bad):
    """The assertion that stands for an option of theirs passes good, fails bad."""
    http = Http.model_validate(shown(option))
    results = [
        all(each.ok for each in check(http, replies=[reply])) for reply in (good, bad)
    ]
    assert [True, False] == results
