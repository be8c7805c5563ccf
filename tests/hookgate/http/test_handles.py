"""What a handle keeps of an exchange, and what it must not."""

import pycurl
import pytest
from support.listeners import answer

from hookgate.http.client import handle


@pytest.fixture(name="ask")
def _ask(listen):
    listener = listen(answer(b"", "Set-Cookie: basket=tea; Path=/"))

    def ask(curl: pycurl.Curl, **options: object) -> str:
        curl.setopt(pycurl.FORBID_REUSE, 1)  # the listener answers once a connection
        curl.setopt(pycurl.URL, f"http://127.0.0.1:{listener.port}/")
        for name, value in options.items():
            curl.setopt(getattr(pycurl, name), value)
        curl.perform()
        return str(listener.requests[-1].decode("latin-1"))

    return ask


def test_cookies_are_kept_within_an_exchange(ask):
    """A redirect's next request says what the answer before it set."""
    with handle(cookies=True) as curl:
        ask(curl)
        assert "Cookie: basket=tea" in ask(curl)


def test_cookies_end_with_the_exchange(ask):
    """The next user of a handle sees no cookies of the user before."""
    with handle(cookies=True) as curl:
        ask(curl)
        first = curl
    with handle(cookies=True) as curl:
        assert first is curl
        assert "Cookie" not in ask(curl)


def test_options_end_with_the_exchange(ask):
    """A header and a method of one exchange are not in the next."""
    with handle(cookies=False) as curl:
        ask(curl, HTTPHEADER=["X-Key: t0p-secret"], CUSTOMREQUEST="PUT")
        first = curl
    with handle(cookies=False) as curl:
        assert first is curl
        sent = ask(curl)
    assert ("GET", False) == (sent[:3], "X-Key" in sent)


def test_handles_in_use_are_not_shared():
    """Two exchanges at a time never share a handle."""
    with handle(cookies=False) as one, handle(cookies=False) as other:
        assert one is not other
