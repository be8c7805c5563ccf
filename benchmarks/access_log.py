"""``access_log``: lines a second read and sampled on one core, and memory."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Measured, each_at_most, median_at_least
from benchmarks.program import run_program
from benchmarks.proxies import need
from benchmarks.web import CLIENT

#: Lines a second, at least; and megabytes that a log of a million lines may take more
#: than one of a hundred thousand.
BOUND = 300_000.0
GROWTH_BOUND = 2.0
RUNS = 5
_SMALL, _LARGE = 100_000, 1_000_000
_LINE = (
    "https 2026-07-02T22:23:00.186641Z app/shop/50dc6c495c0c9188 192.168.131.39:2817 "
    "10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "
    '"GET https://www.example.com:443/products/{number}?q=tea HTTP/1.1" '
    '"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0" '
    "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" '
    '"arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 '
    '2026-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" '
    "TID_1234abcd5678ef90\n"
)


def measure(runs: int) -> tuple[Measured, ...]:
    """Read a plain and a packed log of a million lines, and a smaller one."""
    need(("taskset",))
    with tempfile.TemporaryDirectory() as name:
        small, large = _written(Path(name), _SMALL), _written(Path(name), _LARGE)
        packed = large.with_suffix(".gz")
        packed.write_bytes(gzip.compress(large.read_bytes(), compresslevel=1))
        read = [[_read(each) for each in (large, packed, small)] for _ in range(runs)]
    return (
        Measured(
            what="plain",
            unit="lines/s",
            values=tuple(plain["rate"] for plain, _, _ in read),
            bound=median_at_least(BOUND),
        ),
        Measured(
            what="gzip",
            unit="lines/s",
            values=tuple(each["rate"] for _, each, _ in read),
        ),
        Measured(
            what="peak memory, a million lines less a hundred thousand",
            unit="MB",
            values=tuple(most["peak"] - least["peak"] for most, _, least in read),
            bound=each_at_most(GROWTH_BOUND),
        ),
    )


def _written(folder: Path, lines: int) -> Path:
    file = folder / f"{lines}.log"
    file.write_text("".join(_LINE.format(number=number) for number in range(lines)))
    return file


def _read(file: Path) -> dict[str, Any]:
    return run_program("log", str(file), core=CLIENT)
