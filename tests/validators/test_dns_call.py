"""Which resolvers the system has."""

from __future__ import annotations

from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate_validators.dns import nameservers


def test_resolvers_of_the_system(tmp_path):
    """They are those of resolv.conf, in its order."""
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 10.0.0.2\nnameserver fd00::2\n")
    assert nameservers(str(file)) == ["10.0.0.2", "fd00::2"]


def test_system_without_a_resolver(tmp_path):
    """Without one nothing can be asked."""
    with raises(CannotMeasure, Code.DNS_QUESTION):
        nameservers(str(tmp_path / "nowhere"))
