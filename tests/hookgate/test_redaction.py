"""A secret that was revealed comes out of nothing."""

import base64
import html
import io
import json
import logging
import threading
import time

import pytest

from hookgate.engine.step_runner import routed_output
from hookgate.redaction import Secrets, hide, masked

VALUE = "pass word/+é"


@pytest.fixture(name="secrets")
def _secrets():
    secrets = Secrets(lambda _name: VALUE)
    secrets.reveal("password")
    return secrets


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(VALUE, id="plain"),
        pytest.param("pass%20word%2F%2B%C3%A9", id="quoted"),
        pytest.param(base64.b64encode(VALUE.encode()).decode(), id="base64"),
        pytest.param(base64.urlsafe_b64encode(VALUE.encode()).decode(), id="urlsafe"),
        pytest.param("pass+word%2F%2B%C3%A9", id="form"),
        pytest.param("pass word/+\\u00e9", id="json"),
    ],
)
def test_forms(secrets, form):
    """Each spelling in which a secret could come back is masked."""
    assert secrets.mask(f"got {form}!") == "got «secret»!"


SIGNS = "p ss/w&rd=1<'\"\\>\né😀"
LINES = f"{'Ab+/' * 16}\n{'Zz+/' * 16}"
PEM = f"-----BEGIN PRIVATE KEY-----\n{LINES}\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param("a&b<c", r"a\u0026b\u003cc", id="JSON of Go"),
        pytest.param("a/b", r"a\/b", id="JSON of PHP"),
        pytest.param("a&b", r"a\\\\u0026b", id="JSON in JSON"),
        pytest.param(SIGNS, html.escape(SIGNS), id="HTML"),
        pytest.param(
            SIGNS, SIGNS.encode("ascii", "xmlcharrefreplace").decode(), id="XML"
        ),
        pytest.param("a&b", "a&amp;amp;b", id="HTML in HTML"),
        pytest.param("a'b", "a&#x27;b", id="reference in hex"),
        pytest.param("a/b&é", "a%2fb%26%c3%a9", id="URL in lower case"),
        pytest.param("a/b", "a%252Fb", id="URL in a URL"),
        pytest.param("it's (a) b!", "it's%20(a)%20b!", id="encodeURIComponent"),
        pytest.param("p ss/w&rd=1", "p%20ss/w&rd=1", id="path that was sent"),
        pytest.param(SIGNS, repr(SIGNS)[1:-1], id="Python"),
        pytest.param(SIGNS, json.dumps(json.dumps(SIGNS))[3:-3], id="twice in JSON"),
        pytest.param(SIGNS, SIGNS.encode().hex(), id="hex"),
        pytest.param(SIGNS, SIGNS.encode().hex().upper(), id="hex in upper case"),
        pytest.param(
            "x?>y" * 30, base64.encodebytes(b"x?>y" * 30).decode().strip(), id="MIME"
        ),
        pytest.param(
            "x?>y?>", base64.urlsafe_b64encode(b"x?>y?>").decode(), id="base64url"
        ),
        pytest.param("t0ken\n", "t0ken", id="without its line end"),
        pytest.param('{"user": "u", "password": "a&b/c"}', "a&amp;b/c", id="in JSON"),
        pytest.param('[{"keys": ["k-1234"]}]', "k-1234", id="deeper in JSON"),
        pytest.param(PEM, "Ab+/" * 16, id="line of a key"),
        pytest.param(PEM, PEM.replace("\n", "\r\n").strip(), id="other line ends"),
        pytest.param(PEM, PEM.strip().replace("\n", r"\n"), id="key in one line"),
    ],
)
def test_spellings(value, form):
    """A secret is masked in the spellings of languages, pages and URLs."""
    secrets = Secrets(lambda _name: value)
    secrets.reveal("password")
    assert secrets.mask(f"got {form}!") == "got «secret»!"
    assert secrets.mask("got passwords, paths & keys: a/c") == (
        "got passwords, paths & keys: a/c"
    )


@pytest.mark.parametrize(
    "value", ["<&>\n" * 16_000, "\\" * 40, "[" * 60_000, "\n" * 50, " ", "{}"]
)
def test_any_secret_is_masked_in_bounded_time(value):
    """Neither a large secret nor one of many signs holds an invocation up."""
    secrets = Secrets(lambda _name: value)
    started = time.monotonic()
    secrets.reveal("a")
    assert "«secret»" in secrets.mask(f"x{value}x")
    for text in ("\\" * 30_000, " \n" * 15_000, "%25" * 10_000, "&amp;" * 10_000):
        secrets.mask(text)
    assert time.monotonic() - started < 20


def test_longest_first():
    """A secret that holds another one is masked whole."""
    secrets = Secrets({"a": "abcd", "b": "abcdefgh"}.__getitem__)
    secrets.reveal("a")
    secrets.reveal("b")

    assert secrets.mask("abcdefgh") == "«secret»"


def test_read_once():
    """A secret is read when it is first named, and once."""
    reads = []

    def read(name):
        reads.append(name)
        return "value"

    secrets = Secrets(read)
    secrets.reveal("a")
    secrets.reveal("a")

    assert reads == ["a"]


def test_nothing_revealed():
    """Without a secret nothing is masked."""
    assert Secrets(lambda name: name).mask("text") == "text"


@pytest.mark.parametrize("ascii_", [True, False])
def test_json(ascii_):
    """A secret that JSON escapes is masked, also where JSON holds JSON."""
    value = 'quo"te\\\n\u00e9'
    secrets = Secrets(lambda _name: value)
    secrets.reveal("password")
    once = json.dumps({"pw": value}, ensure_ascii=ascii_)
    twice = json.dumps(once, ensure_ascii=ascii_)

    assert secrets.mask(once) == '{"pw": "«secret»"}'
    assert secrets.mask(twice) == json.dumps('{"pw": "«secret»"}', ensure_ascii=False)


def test_revealed_side_by_side():
    """Secrets that threads reveal at the same time are masked all."""
    secrets = Secrets(lambda name: f"<{name}>")
    meeting = threading.Barrier(16, timeout=60)
    kept = []

    def reveal(mine):
        meeting.wait()
        for number in range(20):
            value = secrets.reveal(f"{mine}-{number}")
            kept.append(secrets.mask(value))

    threads = [threading.Thread(target=reveal, args=(n,)) for n in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert kept == ["«secret»"] * 320


def test_mask_while_a_secret_is_read():
    """A secret that never comes holds up neither the mask nor another secret."""
    asked, gate = threading.Event(), threading.Event()

    def read(name):
        if name == "slow":
            asked.set()
            gate.wait(60)
        return f"<{name}>"

    secrets = Secrets(read)
    slow = threading.Thread(target=secrets.reveal, args=("slow",))
    slow.start()
    asked.wait(60)
    other = secrets.mask(secrets.reveal("other"))
    gate.set()
    slow.join(60)

    assert other == "«secret»"


def test_masked_where_no_step_runs():
    """Outside of a step there is nothing to mask."""
    assert masked("text") == "text"


def test_log_records_of_libraries():
    """Message and traceback of a record are masked, in whatever thread it is made."""
    out, secrets = io.StringIO(), Secrets(lambda _name: VALUE)
    secrets.reveal("password")
    logger, handler = logging.getLogger("a.library"), logging.StreamHandler(out)
    logger.addHandler(handler)
    before = logging.getLogRecordFactory()

    def log():
        try:
            int(f"{VALUE}!")
        except ValueError:
            logger.exception("sent %s", VALUE)

    try:
        with routed_output():
            thread = threading.Thread(target=log)
            thread.start()
            thread.join()
    finally:
        logging.setLogRecordFactory(before)
        logger.removeHandler(handler)
    first, *_, last = out.getvalue().splitlines()
    assert ("sent «secret»", True) == (first, "«secret»!" in last)
    assert VALUE not in out.getvalue()


def test_hidden_value(secrets):
    """A value that a step got is masked like a secret of the plan."""
    secrets.mask_this_thread()
    hide("t0ken/1")

    assert "«secret» «secret»" == masked("t0ken/1 t0ken%2F1")
