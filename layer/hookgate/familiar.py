"""Words that other tools have for what a plan says, so that a mistake can be mended.

They are those of blackbox_exporter, Hurl, k6, Gatus and Flagger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_HERE: Mapping[str, tuple[str, ...]] = {
    "equals": ("eq", "equal", "is", "=="),
    "differs": ("ne", "neq", "not_equals", "not_equal", "!="),
    "above": ("gt", "greater", "greater_than", "more_than", ">"),
    "at_least": ("gte", "ge", "min", "minimum", ">="),
    "below": ("lt", "less", "less_than", "<"),
    "at_most": ("lte", "le", "max", "maximum", "<="),
    "between": ("range", "in_range"),
    "contains": ("includes", "include", "has"),
    "matches": ("match", "pattern", "regexp"),
    "one_of": ("in", "any_of"),
    "has_type": ("type", "is_a"),
    "has_length": ("length", "len"),
    "jsonpath": ("json", "json_path", "path"),
    "phase": ("phases", "timings"),
    "peer": ("ip", "address", "remote_address"),
    "http_version": ("version", "protocol"),
    "hash": ("md5", "sha1", "sha256", "checksum"),
    "duration": ("response_time", "latency", "time"),
    "size": ("length", "content_length", "body_size"),
    "status": ("status_code", "code", "valid_status_codes"),
    "expect": (
        "asserts",
        "assert",
        "checks",
        "conditions",
        "valid_http_versions",
        "fail_if_ssl",
        "fail_if_not_ssl",
        "fail_if_body_matches_regexp",
        "fail_if_body_not_matches_regexp",
        "fail_if_body_json_matches_cel",
        "fail_if_body_json_not_matches_cel",
        "fail_if_header_matches",
        "fail_if_header_not_matches",
    ),
    "capture": ("captures", "save", "store", "extract"),
    "follow": ("follow_redirects", "location", "redirects", "max_redirects"),
    "max_body": ("body_size_limit",),
    "encryption": ("tls_config", "tls", "insecure", "insecure_skip_verify"),
    "auth": ("basic_auth", "authorization", "oauth2", "bearer"),
    "http2": ("enable_http2",),
    "ip": ("preferred_ip_protocol", "ip_protocol_fallback", "ip_protocol"),
    "within": ("eventually", "retry", "retries", "wait"),
    "every": ("interval", "retry_interval", "delay"),
    "repeat": ("count", "times"),
    "rate": ("arrival_rate", "qps", "rps"),
    "max_in_flight": ("max_vus", "workers", "concurrency"),
    "graphql": ("query",),
    "cleanup": ("teardown", "finally", "always"),
}


def familiar(word: str, known: Collection[str]) -> str | None:
    """What ``known`` has for a word of another tool, if it has something."""
    lower = word.lower()
    found = (here for here, others in _HERE.items() if lower in others)
    return next((here for here in found if here in known), None)
