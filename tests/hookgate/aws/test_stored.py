"""Bodies that end early are errors of Hookgate."""

import http.client
import io

import botocore.exceptions
import pytest
import urllib3
from botocore.response import StreamingBody
from support.coded import raises

from hookgate.aws.calls import read_body
from hookgate.errors import CannotMeasure


class Body:
    """A body that answers or raises."""

    def __init__(self, content):
        self.content = content

    def read(self, amount):
        if isinstance(self.content, Exception):
            raise self.content
        piece, self.content = self.content[: min(amount, 4)], self.content[4:]
        return piece


BROKEN = [
    botocore.exceptions.ReadTimeoutError(endpoint_url="https://s3"),
    botocore.exceptions.ResponseStreamingError(error="reset"),
    botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    urllib3.exceptions.ProtocolError("reset"),
    urllib3.exceptions.IncompleteRead(1, 2),
    http.client.IncompleteRead(b"1", 2),
    ConnectionResetError("reset"),
    TimeoutError("late"),
]


@pytest.mark.parametrize(
    "error", BROKEN, ids=[f"{type(e).__module__}.{type(e).__name__}" for e in BROKEN]
)
def test_broken(error):
    """A body that cannot be read is a reason with the place."""
    with raises(CannotMeasure, "HG-S3-OBJECT", "s3://b/k", type(error).__name__):
        read_body({"Body": Body(error)}, "s3://b/k", 10)


def test_bound():
    """No more is read than the limit, and one to tell that there is more."""
    assert b"x" * 11 == read_body({"Body": Body(b"x" * 100)}, "s3://b/k", 10)


def test_pieces():
    """A body that comes in pieces is read to its end."""
    assert b"0123456789" == read_body({"Body": Body(b"0123456789")}, "s3://b/k", 10)


def test_shorter_than_promised():
    """A body that ends early without an error is not accepted."""
    short = StreamingBody(io.BytesIO(b"version: 1"), 99)

    with raises(CannotMeasure, "HG-S3-OBJECT", "s3://b/k"):
        read_body({"Body": short}, "s3://b/k", 100)
