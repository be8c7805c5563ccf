"""Certificates of a server that cannot be read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.coded import raises

from hookgate.errors import NoAnswer
from hookgate_validators.tls import presented


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param([], id="no certificate"),
        pytest.param([b"no DER"], id="not a certificate"),
    ],
)
def test_no_readable_certificate(chain):
    """Without a certificate that can be read, nothing is known about the server."""
    encrypted = SimpleNamespace(get_unverified_chain=lambda: chain)
    with raises(NoAnswer, "HG-TLS-CERTIFICATE"):
        presented(encrypted)
