"""A service that knows the secret of the plan and repeats it in every way."""

import base64
import html
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest
from support.answering import answering
from support.command import hookgate

SECRET = "Zx9Qw8Lk7&Vb6Nm5Jh4<Tg3Rf2Ed1/Pq0Mn8Bv7 Ys7Xa6Wb5"
PLAIN = SECRET.encode()
SPELLINGS = {
    "go": SECRET.replace("&", r"\u0026").replace("<", r"\u003c"),
    "php": SECRET.replace("/", r"\/"),
    "html": html.escape(SECRET),
    "lower": quote(SECRET, safe="").replace("%2F", "%2f"),
    "component": quote(SECRET, safe="!'()*"),
    "mime": base64.encodebytes(b"gate:" + PLAIN).decode(),
    "hex": PLAIN.hex(),
    "line": f"[{SECRET}]",
}
#: Parts of the secret and of its encodings, of which no output has any.
PARTS = (
    *("Zx9Qw", "Vb6Nm", "Tg3Rf", "Pq0Mn", "Ys7Xa"),
    *(base64.b64encode(b"gate:" + PLAIN).decode()[12:24], PLAIN.hex()[:12]),
)
#: What Hookgate quotes of a response only up to a limit, filled so that the limit is in
#: the middle of the secret.
LOCATION = f"http://other.example/{'a' * 165}{quote(SECRET)}"
BAD_LOCATION = f"http://[{'a' * 180}{SECRET.replace(' ', '%20')}"
REFERENCE = {"openapi": "3.1.0", "x": {"$ref": f"http://x/{'a' * 180}{SECRET}"}}
INVALID = {"openapi": "3.1.0", "info": f"{'a' * 280}{SECRET}", "paths": {}}


class _Service(BaseHTTPRequestHandler):
    """Repeats the secret as the path says."""

    def do_GET(self):
        way = self.path[1:]
        if way == "garbage":
            self.close_connection = True
            self.wfile.write(b"a" * 20 + PLAIN)
            return
        body = {"reference": REFERENCE, "invalid": INVALID}.get(way)
        self.send_response(302 if "location" in way else 200)
        if location := {"location": LOCATION, "bad-location": BAD_LOCATION}.get(way):
            self.send_header("Location", location)
        if way == "cookie":
            self.send_header("Set-Cookie", f"{'c' * 45}{SECRET}={'x' * 5000}")
        if way == "identity":
            self.send_header("X-Version", "b" * 80 + SECRET)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        text = json.dumps(body) if body else SPELLINGS.get(way, "")
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


def _get(way, **options):
    return {"use": "http", "name": way, "with": {"path": f"/{way}", **options}}


def _steps():
    """Steps that fail with a reason which quotes the response."""
    expect = [{"body": {"equals": "${secret.key}"}}, {"header": "A", "equals": "b"}]
    follow = {"follow": 3}
    return [
        *(_get(each, expect=expect) for each in SPELLINGS),
        *(_get(each, **follow) for each in ("location", "bad-location")),
        _get("garbage"),
        {
            "use": "scenario",
            "name": "cookie",
            "with": {"steps": [{"name": "a", "path": "/cookie"}]},
        },
        *(
            {"use": "openapi", "name": each, "with": {"document": f"/{each}"}}
            for each in ("reference", "invalid")
        ),
    ]


@pytest.mark.parametrize(
    ("target", "steps"),
    [
        pytest.param({}, _steps(), id="responses"),
        pytest.param(
            {"identity": {"header": "X-Version", "equals": "1"}},
            [_get("identity")],
            id="identity",
        ),
    ],
)
def test_no_output_has_a_part_of_the_secret(target, steps, monkeypatch, tmp_path):
    """Spelled in any way, and where its quotation is cut, it is in no output."""
    monkeypatch.setenv("SHOP_KEY", f"{SECRET}\n")
    reveal = {
        "use": "tcp",
        "name": "reveal",
        "with": {"dialogue": [{"send": "${secret.key}"}], "unproven": "pass"},
    }
    events = {
        "AfterAllowTestTraffic": [
            reveal,
            *({**each, "needs": ["reveal"]} for each in steps),
        ]
    }
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        json.dumps({"version": 1, "target": target, "events": events}), "utf-8"
    )
    files = [tmp_path / "a.json", tmp_path / "a.xml"]
    with answering(ThreadingHTTPServer(("127.0.0.1", 0), _Service), 0.05) as server:
        done = hookgate(
            *("--debug", "run", "AfterAllowTestTraffic", "--plan", plan),
            *("--url", f"http://127.0.0.1:{server.server_port}"),
            *("--secret-env", "key=SHOP_KEY"),
            *("--json", files[0], "--junit", files[1]),
        )
    assert files[0].exists(), done
    outputs = [done.stdout, done.stderr, *(each.read_text("utf-8") for each in files)]
    outcomes = json.loads(outputs[2])["outcomes"][1:]
    assert done.returncode == 1, outputs
    for each in outcomes:
        assert each["status"] in {"failed", "errored"}, each
        assert "«secret»" in each["reason"], each
    assert [] == [part for part in PARTS for text in outputs if part in text]
