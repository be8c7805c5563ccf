"""What a test says of an error: its class, its code and the values it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hookgate.errors import HookgateError, InvalidValue


@contextmanager
def raises(
    kind: type[HookgateError | InvalidValue], code: str, *names: str
) -> Iterator[pytest.ExceptionInfo[HookgateError | InvalidValue]]:
    """Demand an error of ``kind`` with ``code``, whose message repeats ``names``."""
    with pytest.raises(kind) as caught:
        yield caught
    assert code == caught.value.code, caught.value
    assert [each for each in names if each not in str(caught.value)] == []
