"""Entries of an Application Load Balancer's access log.

Format: docs.aws.amazon.com/elasticloadbalancing/latest/application/
load-balancer-access-logs.html, section "Access log entries".
"""

from __future__ import annotations

import re
from urllib.parse import quote

#: All fields of an entry in their order. AWS appends new ones from time to time, and
#: says that what does not know them should ignore them.
_IN_ORDER = """
type time elb client target request_processing_time target_processing_time
response_processing_time elb_status_code target_status_code received_bytes
sent_bytes "request" "user_agent" ssl_cipher ssl_protocol target_group_arn
"trace_id" "domain_name" "chosen_cert_arn" matched_rule_priority
request_creation_time "actions_executed" "redirect_url" "error_reason"
"target_list" "target_status_code_list" "classification"
"classification_reason"
"""
FIELDS = _IN_ORDER.split()
#: Fields before the request; none of them is in quotes.
HEAD = FIELDS.index('"request"')

_QUOTED, _BARE = r'"(?P<{}>[^"]*)"', r"(?P<{}>[^ \"]+)"
_ENTRY = re.compile(
    " ".join(
        (_QUOTED if each.startswith('"') else _BARE).format(each.strip('"'))
        for each in FIELDS
    )
    + r"(?: (?P<conn_trace_id>[^ ]+)(?: .*)?)?"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*([^#]*)", re.IGNORECASE)
_PATH_MOST = 8192


def entry(line: str) -> dict[str, str] | None:
    """All fields of an entry by their names; None when the line is none."""
    match = _ENTRY.fullmatch(line)
    if match is None:
        return None
    return {name: value or "" for name, value in match.groupdict().items()}


def asked(line: bytes) -> tuple[str, str] | None:
    """The method and path that an entry's request asked for; None when it is none.

    The load balancer logs the URL as the client sent it, so what no request line may
    hold is percent-encoded here.
    """
    fields = entry(line.decode("utf-8", "surrogateescape"))
    if fields is None:
        return None
    method, _, rest = fields["request"].partition(" ")
    match = _URL.match(rest.rpartition(" ")[0])
    if match is None or not method.isalpha() or len(match[1]) > _PATH_MOST:
        return None
    raw = match[1].encode("utf-8", "surrogateescape")
    path = quote(raw, safe="/?#[]@!$&'()*+,;=:%~-._|{}\\^`<>")
    return method, path if path.startswith("/") else f"/{path}"
