"""A secret that was revealed comes out of nothing."""

import base64
import json
import threading

import pytest

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


def test_hidden_value(secrets):
    """A value that a step got is masked like a secret of the plan."""
    secrets.mask_this_thread()
    hide("t0ken/1")

    assert "«secret» «secret»" == masked("t0ken/1 t0ken%2F1")
