"""The page of a rehearsal."""

import html
import re
from html.parser import HTMLParser

import pytest
from support.browser import dom_of
from support.rehearsal_record import (
    EVENTS,
    a_deployment,
    a_record,
    a_verdict,
    an_event,
    an_outcome,
)

from hookgate_cli.page import page_of

WHY = {"step": {"name": "price", "status": "failed"}, "reason": "750"}
PLANTED = "<script>alert('x')</script>\"'&"


class _Reader(HTMLParser):
    """Gathers what a page is made of, and checks that its elements are closed."""

    VOID = frozenset({"meta", "br", "rect"})

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def _failed():
    verdict = a_verdict(
        an_outcome(),
        an_outcome(name="price", status="failed", reason="got 750"),
        status="Failed",
        optouts=["alarms: failed, but it does not block"],
    )
    return a_deployment(
        name="wrong prices",
        status="Failed",
        expect={
            "status": "Failed",
            "event": "AfterInstall",
            **WHY,
        },
        error={"code": "HOOK_EXECUTION_FAILURE", "message": "it reported Failed"},
        rollback={"deployment_id": "d-9", "status": "Succeeded"},
        production_traffic={
            **a_deployment()["production_traffic"],
            "failed": 1,
            "failures": ["GET / answered 502"],
        },
        faults={"late_start": {"by": "2 s"}},
        lifecycle_events=[
            an_event("Install"),
            an_event("AfterInstall", 1, status="Failed", verdict=verdict),
            an_event("AllowTraffic", 2, status="Skipped", started_at=None),
        ],
    )


def test_elements_are_closed_in_order():
    """The page is well formed."""
    assert [] == _Reader(page_of(a_record(a_deployment(), _failed()))).open


@pytest.mark.parametrize(
    "text",
    [
        "1 of 2 ended as expected",
        "Expected: Failed at AfterInstall, step “price” failed, reason contains “750”",
        "HOOK_EXECUTION_FAILURE",
        "Rolled back by d-9 : ✓ Succeeded",
        "✗ failed price",
        "got 750",
        "- Skipped AllowTraffic",
        "blue shop:1 served 75",
        "✓ 0 failed",
        "Waivers used alarms: failed, but it does not block",
        "expected status Failed, got Succeeded",
        "shop:1.2.0 in task definition shop:2",
        "GET / answered 502",
        "Injected faults late_start: by 2 s",
        f"Plan: ssm:/plans/shop/web, version 3, SHA-256 {'ab' * 32}",
    ],
)
def test_every_part_can_be_read(text):
    """Every part of a rehearsal can be read, in words and not by colour alone."""
    surprise = {
        "as_expected": False,
        "surprises": ["expected status Failed, got Succeeded"],
    }
    page = page_of(a_record(a_deployment(**surprise), _failed()))
    assert text in _Reader(page).text


def test_interrupted_rehearsal_has_no_verdict():
    """A page of an interrupted rehearsal says so, and lists what did not run."""
    running = {"status": "InProgress", "interrupted": True, "as_expected": False}
    record = a_record(
        a_deployment(), a_deployment(**running), interrupted=True, not_run=["the last"]
    )
    text = _Reader(page_of(record)).text
    assert "? Interrupted; no verdict" in text
    assert "? InProgress, interrupted" in text
    assert "Not run the last" in text
    assert "nterrupted" not in _Reader(page_of(a_record())).text


def test_failed_event_is_open():
    """What went wrong is seen without a click; what went well is folded."""
    good = an_event("AfterInstall", verdict=a_verdict())
    page = page_of(a_record(_failed() | {"lifecycle_events": [good]}))
    assert 0 == len(re.findall(r"<details open>", page))
    # The event and its failed step.
    assert 2 == len(re.findall(r"<details open>", page_of(a_record(_failed()))))


def test_page_needs_nothing_from_elsewhere():
    """There is no script, no link out and no resource to load."""
    reader = _Reader(page_of(a_record(a_deployment(), _failed())))
    links = {value for _, name, value in reader.attributes if name in {"href", "src"}}
    assert {"#deployment-1", "#deployment-2"} == links
    assert set() == {"script", "link", "img", "iframe"} & set(reader.tags)


def test_page_says_its_language():
    """A screen reader knows how to pronounce the page."""
    assert ("html", "lang", "en") in _Reader(page_of(a_record())).attributes


def _planted(value):
    """The record with the planted text instead of every text that is free."""
    kept = {"status", "started_at", "ended_at", "schema", "event"}
    if isinstance(value, dict):
        return {
            (PLANTED if key in {"shop:1", "evidence key"} else key): (
                each if key in kept and isinstance(each, str) else _planted(each)
            )
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_planted(each) for each in value]
    return PLANTED if isinstance(value, str) else value


def test_nothing_of_a_record_becomes_markup():
    """A planted script is text wherever a record may hold it."""
    deployment = _failed() | {"surprises": ["x"], "as_expected": False}
    outcome = deployment["lifecycle_events"][1]["verdict"]["outcomes"][1]
    outcome["findings"][0]["evidence"] = {"evidence key": "x", "body": ["x"]}
    reader = _Reader(page_of(_planted(a_record(deployment))))
    assert "script" not in reader.tags
    assert 15 <= reader.text.count(PLANTED)


def test_deployment_without_requests_is_shown():
    """A deployment without production requests is no reason to fail."""
    traffic = a_deployment()["production_traffic"] | {"requests": 0, "served_by": {}}
    page = page_of(a_record(a_deployment(production_traffic=traffic)))
    assert "0 requests" in _Reader(page).text


#: A page in a frame of 360 px: a window of headless Chromium may not be that narrow.
FRAME = """<!doctype html>
<iframe id="frame" style="width: 360px; height: 800px; border: 0"
  srcdoc="{page}"></iframe>
<p id="widths"></p>
<script>
frame.onload = () => {{
  const root = frame.contentDocument.documentElement
  const wide = [...root.querySelectorAll("body *:not(.unseen)")]
    .filter(each => each.getBoundingClientRect().right > 360)
  widths.textContent = [root.scrollWidth, ...wide.map(each => each.outerHTML)].join("|")
}}
</script>"""


def _wide(page, folder):
    """The page's width in a frame of 360 px, and every element that sticks out."""
    file = folder / "frame.html"
    file.write_text(FRAME.format(page=html.escape(page)), "utf-8")
    found = re.search(
        r'<p id="widths">([^|<]*)(.*?)</p>', dom_of(file.as_uri(), folder), re.DOTALL
    )
    return found[1], html.unescape(found[2])


def test_page_fits_a_telephone(tmp_path):
    """At 360 px nothing sticks out, however long names, times and values are."""
    long = "x" * 200
    outcome = an_outcome(name=long, status="failed", reason=long, duration_ms=3_599_000)
    outcome["findings"][0]["evidence"] = {"target_group": long}
    verdict = a_verdict(outcome, status="Failed", optouts=[long])
    events = [
        an_event(name, second, duration_ms=3_599_000, verdict=verdict)
        for second, name in enumerate(EVENTS)
    ]
    deployment = _failed() | {
        "name": long,
        "image": long,
        "surprises": [long],
        "as_expected": False,
        "lifecycle_events": [events[0] | {"status": "Failed"}, *events[1:]],
    }
    page = page_of(a_record(deployment, not_run=[long], interrupted=True))
    assert ("360", "") == _wide(page.replace("<details>", "<details open>"), tmp_path)
