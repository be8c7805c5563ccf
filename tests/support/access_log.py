"""Lines of an Application Load Balancer's access log."""

from __future__ import annotations

_LINE = (
    "https 2026-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 "
    "192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 {status} {status} 0 57 "
    '"{request}" "{user_agent}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my/73e2d6bc24d8 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" '
    '"arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 '
    '2026-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" '
    '"-" "-" TID_1234abcd5678ef90'
)


def line(
    path: str = "/",
    *,
    method: str = "GET",
    status: int = 200,
    request: str = "",
    user_agent: str = "curl/7.46.0",
) -> str:
    """One entry, without the line's end."""
    asked = request or f"{method} https://www.example.com:443{path} HTTP/1.1"
    return _LINE.format(status=status, request=asked, user_agent=user_agent)


def log(*lines: str) -> bytes:
    """A log of those lines."""
    return "".join(f"{each}\n" for each in lines).encode()
