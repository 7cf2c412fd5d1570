"""Fetching from a publisher (pacing, retries, limits), and the store of responses, with an HTTP server on 127.0.0.1."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from pipelines import warehouse
from pipelines.catalog import Catalog, LicenceClass, Source
from pipelines.errors import BadPayload, UpstreamUnavailable
from pipelines.landing import Landing, Retrieval, journal, land
from pipelines.landing.http import MAX_RETRY_AFTER_S, Client
from pipelines.settings import VERSION, Settings
from pipelines.sources import Expect, Parsed, Request
from pipelines.text import redact

HOST = "tiny.example.org"
URL = f"https://{HOST}/data.csv"
PATH = f"/{HOST}/data.csv"
BODY = b"date,value\n2026-01-01,1.5\n2026-02-01,2.5\n"
CSV = Expect(starts_with=(b"date,",), contains=(b"value",))
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
PLANTED = "0123456789abcdef0123456789abcdef"


def source(**changes: Any) -> Source:
    entry: dict[str, Any] = {
        "id": "tiny",
        "title": "Tiny",
        "publisher": "Office of Tests",
        "group": "prices",
        "homepage": "https://tiny.example.org",
        "licence": "public domain",
        "licence_class": LicenceClass.PUBLIC_DOMAIN,
        "credit": "Office of Tests",
        "terms": "none",
        "hosts": [HOST],
        "cadence_hours": 20,
        "requests_per_second": 10,
        "max_body_mb": 0.01,
        "min_body_bytes": 20,
        "max_bad_share": 0.02,
        "day_ends": "24:00 UTC",
        "proven": {"by": "documented"},
        "bundle": True,
        "description": "A source for tests",
    }
    return Source(**{**entry, **changes})


class Module:
    def __init__(self, *requests: Request) -> None:
        self.requests = requests or (Request(key="data", url=URL, expect=CSV),)

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        return list(self.requests)

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        return Parsed()


@pytest.fixture
def settings(tmp_path: Path, httpserver: HTTPServer) -> Settings:
    return Settings(
        warehouse_dir=tmp_path,
        upstream_base_url=httpserver.url_for("").rstrip("/"),
        now=NOW,
        contact="A Tester tester@example.org",
        connect_timeout_s=1,
        read_timeout_s=2,
    )


@pytest.fixture(autouse=True)
def _no_waiting_between_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 sleeps between its attempts; how long is tested by itself."""
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda seconds: None)


def later(settings: Settings, hours: float) -> Settings:
    return settings.model_copy(update={"now": NOW + timedelta(hours=hours)})


def ask(settings: Settings, *requests: Request, **changes: Any) -> list[Retrieval]:
    return land([source(**changes)], lambda _: Module(*requests), Catalog([], [], [], []), settings)["tiny"]


def serve(httpserver: HTTPServer, body: bytes = BODY, content_type: str = "text/csv", **headers: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(body, content_type=content_type, headers=headers)


def requests_of(httpserver: HTTPServer) -> list[Asked]:
    return [asked for asked, _ in httpserver.log]


def test_a_first_answer_is_fresh_and_landed_with_its_origin(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, ETag='"a"', **{"Last-Modified": "Wed, 10 Jun 2026 08:00:00 GMT"})
    (check,) = ask(settings, Request(key="data", url=URL, expect=CSV, params=(("id", "X Y"),)))
    assert (check.outcome, check.status, check.bytes, check.etag) == ("fresh", 200, len(BODY), '"a"')
    assert check.url == f"{URL}?id=X+Y"
    assert check.checked_at == datetime.fromisoformat("2026-06-10T12:00:00")
    landing = Landing(settings.landing_dir)
    assert check.payload_id is not None
    assert landing.get(check.payload_id) == BODY
    assert landing.retrievals("tiny") == [check]
    assert requests_of(httpserver)[0].args["id"] == "X Y"


def test_the_user_agent_names_program_and_contact_and_anything_is_accepted(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    ask(settings)
    sent = requests_of(httpserver)[0].headers
    assert sent["User-Agent"] == f"Mozilla/5.0 (compatible; metals-drivers/{VERSION}; +A Tester tester@example.org)"
    assert sent["Accept"] == "*/*"


def test_headers_of_the_catalogue_go_before_the_usual_ones_and_after_those_of_the_request(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    own = {"User-Agent": "metals-drivers {contact}", "X-Requested-With": "XMLHttpRequest", "Accept": "text/html"}
    ask(settings, Request(key="data", url=URL, expect=CSV, headers={"Accept": "text/csv"}), headers=own)
    sent = requests_of(httpserver)[0].headers
    assert sent["User-Agent"] == "metals-drivers A Tester tester@example.org"
    assert (sent["X-Requested-With"], sent["Accept"]) == ("XMLHttpRequest", "text/csv")


def test_the_same_bytes_again_are_unchanged_and_others_fresh(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    ask(settings)
    assert ask(later(settings, 21))[0].outcome == "unchanged"
    httpserver.clear_all_handlers()
    serve(httpserver, BODY + b"2026-03-01,3.5\n")
    assert ask(later(settings, 42))[0].outcome == "fresh"
    assert [c.outcome for c in Landing(settings.landing_dir).retrievals("tiny")] == ["fresh", "unchanged", "fresh"]


def test_a_404_is_an_answer_where_the_thing_may_be_absent_and_a_failure_elsewhere(
    settings: Settings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data(b"<html>none</html>", status=404, content_type="text/html")
    holiday = Request(key="20261001", url=URL, expect=CSV, absent_ok=True, closed=True)
    assert ask(settings, holiday)[0].outcome == "absent"
    assert [c.outcome for c in Landing(settings.landing_dir).retrievals("tiny")] == ["absent"]
    assert ask(later(settings, 19), holiday)[0].outcome == "not_due"
    assert ask(later(settings, 24), holiday)[0].outcome == "absent", "it may still be published"
    assert len(requests_of(httpserver)) == 2
    assert ask(later(settings, 48), Request(key="other", url=URL, expect=CSV))[0].outcome == "failed"


def test_a_query_with_a_body_is_posted(settings: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH, method="POST", data=b"day=1").respond_with_data(BODY, content_type="text/csv")
    (check,) = ask(settings, Request(key="data", url=URL, expect=CSV, body=b"day=1"))
    assert check.outcome == "fresh"


def test_a_publisher_is_not_asked_again_within_its_cadence(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    ask(settings)
    assert ask(later(settings, 19.9))[0].outcome == "not_due"
    assert len(requests_of(httpserver)) == 1
    assert ask(later(settings, 20.1))[0].outcome == "unchanged"


def test_after_a_failure_the_publisher_is_asked_at_the_next_run(settings: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("gone", status=404)
    httpserver.expect_ordered_request(PATH).respond_with_data(BODY, content_type="text/csv")
    assert ask(settings)[0].outcome == "failed"
    assert ask(later(settings, 0.1))[0].outcome == "fresh"


def test_offline_and_switched_off_ask_nobody_and_leave_no_line(settings: Settings, httpserver: HTTPServer) -> None:
    assert ask(settings.model_copy(update={"offline": True}))[0].outcome == "offline"
    assert ask(settings.model_copy(update={"fred": False}), switch="fred")[0].outcome == "switched_off"
    assert requests_of(httpserver) == []
    assert Landing(settings.landing_dir).retrievals("tiny") == []


def test_an_answer_that_no_longer_changes_is_asked_once_and_still_leads_on(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    httpserver.expect_request(f"/{HOST}/next.csv").respond_with_data(BODY + b"x,1\n", content_type="text/csv")
    bodies: list[bytes] = []

    def further(body: bytes) -> list[Request]:
        bodies.append(body)
        return [Request(key="next", url=f"https://{HOST}/next.csv", expect=CSV)]

    request = Request(key="data", url=URL, expect=CSV, closed=True, then=further)
    assert [c.outcome for c in ask(settings, request)] == ["fresh", "fresh"]
    assert [c.outcome for c in ask(later(settings, 1000), request)] == ["closed", "unchanged"]
    assert bodies == [BODY, BODY]


def test_a_response_from_before_the_end_is_asked_for_once_more_and_then_closed(
    settings: Settings, httpserver: HTTPServer
) -> None:
    """A machine that was off for a week saw Monday's session at noon; Monday is closed by now, its figure is not."""
    serve(httpserver)
    monday = Request(key="monday", url=URL, expect=CSV)
    assert ask(settings, monday)[0].outcome == "fresh"
    httpserver.clear_all_handlers()
    serve(httpserver, BODY + b"2026-03-01,3.5\n")
    closed = replace(monday, closed=True)
    assert [ask(later(settings, hours), closed)[0].outcome for hours in (168, 200, 240)] == [
        "fresh",
        "closed",
        "closed",
    ]


def test_a_refused_answer_to_a_closed_request_is_asked_for_again_in_full_until_one_is_taken(
    settings: Settings, httpserver: HTTPServer
) -> None:
    closed, catalog = Request(key="data", url=URL, expect=CSV, closed=True), Catalog([], [], [], [])
    serve(httpserver, ETag='"a"')
    refused: set[str | None] = set()

    def outcome(hours: float) -> str:
        at, known = later(settings, hours), [payload_id for payload_id in refused if payload_id]
        (found,) = land([source()], lambda _: Module(closed), catalog, at, known)["tiny"]
        return found.outcome

    assert outcome(0) == "fresh"
    refused.add(Landing(settings.landing_dir).retrievals("tiny")[0].payload_id)
    assert [outcome(hours) for hours in (1, 24, 48)] == ["not_due", "unchanged", "unchanged"]
    assert not any("If-None-Match" in asked.headers for asked in requests_of(httpserver))
    httpserver.clear_all_handlers()
    serve(httpserver, BODY + b"2026-03-01,3.5\n", ETag='"b"')
    assert [outcome(hours) for hours in (72, 96, 120)] == ["fresh", "closed", "closed"]


def test_not_modified_keeps_the_landed_payload_and_its_validators(settings: Settings, httpserver: HTTPServer) -> None:
    def answer(asked: Asked) -> Response:
        if asked.headers.get("If-None-Match") == '"a"':
            return Response(status=304)
        return Response(BODY, content_type="text/csv", headers={"ETag": '"a"'})

    httpserver.expect_request(PATH).respond_with_handler(answer)
    (first,) = ask(settings)
    for hours in (21, 42):  # a 304 without validators of its own must not lose them
        (check,) = ask(later(settings, hours))
        assert (check.outcome, check.status, check.payload_id) == ("unchanged", 304, first.payload_id)


def test_validators_of_one_address_are_not_sent_to_another(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, ETag='"a"')
    httpserver.expect_request(f"/{HOST}/2027.csv").respond_with_data(BODY, content_type="text/csv")
    ask(settings)
    moved = Request(key="data", url=f"https://{HOST}/2027.csv", expect=CSV)
    assert ask(later(settings, 21), moved)[0].outcome == "unchanged"
    assert "If-None-Match" not in requests_of(httpserver)[1].headers


def test_a_damaged_payload_is_asked_for_again_without_validators(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, ETag='"a"')
    (first,) = ask(settings)
    (stored,) = settings.landing_dir.glob("objects/*/*.gz")
    stored.write_bytes(b"damaged")
    assert ask(later(settings, 1))[0].outcome == "fresh"
    assert "If-None-Match" not in requests_of(httpserver)[1].headers
    assert first.payload_id is not None
    assert Landing(settings.landing_dir).get(first.payload_id) == BODY


def test_too_many_requests_is_answered_by_waiting_as_long_as_asked(
    settings: Settings, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    httpserver.expect_ordered_request(PATH).respond_with_data("slow down", status=429, headers={"Retry-After": "3"})
    httpserver.expect_ordered_request(PATH).respond_with_data("slow down", status=429, headers={"Retry-After": "9999"})
    httpserver.expect_ordered_request(PATH).respond_with_data(BODY, content_type="text/csv")
    assert ask(settings)[0].outcome == "fresh"
    assert waits == [3, MAX_RETRY_AFTER_S]


def test_a_passing_failure_of_the_server_is_tried_again(settings: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("busy", status=503)
    httpserver.expect_ordered_request(PATH).respond_with_data("busy", status=502)
    httpserver.expect_ordered_request(PATH).respond_with_data(BODY, content_type="text/csv")
    assert ask(settings)[0].outcome == "fresh"


def test_a_lasting_failure_of_the_server_is_given_up_after_four_attempts(
    settings: Settings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("<h1>Service  Unavailable</h1>", status=503)
    (check,) = ask(settings)
    assert check.outcome == "failed"
    assert check.error == "[source=tiny row=data] answered 503: Service Unavailable Kept: the last good payload."
    assert len(requests_of(httpserver)) == 4


def test_after_a_lasting_failure_each_request_is_sent_once_until_one_is_answered(
    settings: Settings, httpserver: HTTPServer
) -> None:
    requests = [Request(key=name, url=f"https://{HOST}/{name}", expect=CSV) for name in "abcd"]
    for name, status in zip("abcd", (503, 500, 200, 502), strict=True):
        httpserver.expect_request(f"/{HOST}/{name}").respond_with_data(BODY, status=status, content_type="text/csv")
    assert [(c.key, c.outcome) for c in ask(settings, *requests)] == [
        ("a", "failed"), ("b", "failed"), ("c", "fresh"), ("d", "failed")
    ]  # fmt: skip
    assert [asked.path[-1] for asked in requests_of(httpserver)] == [*"aaaabcdddd"]


SCRIPTS = b"<!DOCTYPE html><html><head><script>" + b"a();" * 1500 + b"</script></head><body>%b</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (403, b"Access Denied", "blocked"),
        (412, b"", "blocked"),
        (429, b"slow down", "blocked"),
        (200, SCRIPTS % b"Just a moment", "blocked"),
        (202, SCRIPTS % b"", "blocked"),
        (503, SCRIPTS % b"Checking your browser", "blocked"),
        (503, b"<html><body>down for maintenance</body></html>", "failed"),
        (200, b"<html><body>down for maintenance</body></html>", "failed"),
        (200, SCRIPTS % (b"<p>An article about prices, in full.</p>" * 20), "failed"),
        (404, SCRIPTS % b"", "failed"),
        (401, b"no", "failed"),
    ],
)
def test_a_block_is_told_apart_from_a_fault(
    settings: Settings, httpserver: HTTPServer, status: int, body: bytes, outcome: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(body, status=status, content_type="text/html")
    (check,) = ask(settings, max_body_mb=1)
    assert check.outcome == outcome
    assert ("Kept: the last good payload. Next: see whether" in (check.error or "")) == (outcome == "blocked")
    assert [c.outcome for c in Landing(settings.landing_dir).retrievals("tiny")] == [outcome]


def test_a_page_that_is_asked_for_may_run_scripts(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, SCRIPTS % (b"<p><a href='/data.csv'>The figures of this month</a></p>" * 20), "text/html")
    page = Request(key="page", url=URL, expect=Expect(starts_with=(b"<",)))
    assert ask(settings, page, max_body_mb=1)[0].outcome == "fresh"


def test_a_publisher_that_blocks_is_left_alone_after_three_requests(
    settings: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request(PATH).respond_with_data("Access Denied", status=403)
    checks = ask(settings, *(Request(key=f"data/{n}", url=URL, expect=CSV) for n in range(9)))
    assert [c.outcome for c in checks] == ["blocked"] * 3 + ["not_tried"] * 6
    assert len(requests_of(httpserver)) == 3
    assert "tiny: 3 blocked, 6 not tried: blocked, answered 403: Access Denied" in caplog.text


def test_what_was_not_tried_is_asked_first_the_next_time_so_that_each_has_its_turn(
    settings: Settings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("Access Denied", status=403)
    requests = [Request(key=f"data/{n}", url=URL, expect=CSV) for n in range(5)]
    tried = []
    for day in range(3):
        checks = ask(later(settings, 24 * day), *requests)
        tried.append([int(c.key[-1]) for c in checks if c.outcome == "blocked"])
    assert tried == [[0, 1, 2], [3, 4, 0], [1, 2, 3]]


def test_a_request_to_which_two_responses_lead_is_sent_once(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    page = Request(key="page", url=URL, expect=CSV)
    indices = [
        Request(key=f"index/{n}", url=URL, expect=CSV, land=False, then=lambda body: [replace(page)]) for n in range(2)
    ]
    checks = ask(settings, *indices)
    assert [(c.key, c.outcome) for c in checks] == [("page", "fresh")]
    assert len(requests_of(httpserver)) == 3


@pytest.mark.parametrize("filler", [b"<", b"<a", b"<script", b"</script", b"<style>", b"</script ", b"<script>\n"])
def test_a_page_of_brackets_is_read_in_no_time(settings: Settings, httpserver: HTTPServer, filler: bytes) -> None:
    serve(httpserver, filler * (65_000 // len(filler)), "text/html")
    started = time.process_time()
    (check,) = ask(settings, max_body_mb=1)
    assert check.outcome in ("failed", "blocked")
    assert time.process_time() - started < 1


def test_a_block_of_one_address_does_not_end_the_round(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    httpserver.expect_request(f"/{HOST}/no.csv").respond_with_data("Access Denied", status=403)
    no, yes = Request(key="no", url=f"https://{HOST}/no.csv", expect=CSV), Request(key="yes", url=URL, expect=CSV)
    checks = ask(settings, *(replace(r, key=f"{r.key}/{n}") for n, r in enumerate([no, no, yes] * 3)))
    assert [c.outcome for c in checks][:3] == ["blocked", "blocked", "fresh"]
    assert len(checks) == 9


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"<!DOCTYPE html><html><body>Please try again later</body></html>", "text/html", "a page in place of data"),
        (b"<!DOCTYPE html><html><body>Please try again</body></html>", "text/csv", "a page in place of data: Please"),
        (b"{" + BODY, "text/csv", "with an unexpected beginning: {date"),
        (b"", "text/csv", "answered 200 with 0 bytes, fewer than the minimum of 20"),
        (b"date,value\n", "text/csv", "answered 200 with 11 bytes, fewer than the minimum of 20"),
        (b"date,price\n2026-01-01,1.5\n", "text/csv", "answered 200 without 'value' near its beginning"),
        (BODY * 300, "text/csv", "is larger than the maximum of 0.01 MB"),
    ],
    ids=["html", "html as csv", "json", "empty", "too short", "another column", "too large"],
)
def test_status_200_is_not_success(
    settings: Settings, httpserver: HTTPServer, body: bytes, content_type: str, reason: str
) -> None:
    serve(httpserver, body, content_type)
    (check,) = ask(settings)
    assert (check.outcome, check.payload_id) == ("failed", None)
    assert reason in (check.error or "")
    assert not (settings.landing_dir / "objects").exists()


def test_a_byte_order_mark_and_blank_lines_before_the_header_are_accepted(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver, b"\xef\xbb\xbf\r\n" + BODY)
    assert ask(settings)[0].outcome == "fresh"


def test_a_compressed_answer_is_landed_unpacked(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, gzip.compress(BODY), **{"Content-Encoding": "gzip"})
    (check,) = ask(settings)
    assert (check.outcome, check.bytes) == ("fresh", len(BODY))
    assert requests_of(httpserver)[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (gzip.compress(BODY * 50)[:-12], "the compressed stream is truncated"),
        (gzip.compress(BODY * 50)[:40], "the compressed stream is truncated"),
        (b"not gzip at all, but long enough", "incorrect header check"),
        (gzip.compress(BODY * 50)[:-8] + b"\0" * 8, "incorrect data check"),
        (gzip.compress(b"\0" * 5_000_000), "is larger than the maximum of 0.01 MB"),
    ],
    ids=["cut at the end", "cut early", "no gzip", "wrong checksum", "bomb"],
)
def test_a_broken_compressed_stream_is_not_taken_for_its_beginning(
    settings: Settings, httpserver: HTTPServer, packed: bytes, reason: str
) -> None:
    serve(httpserver, packed, **{"Content-Encoding": "gzip"})
    (check,) = ask(settings)
    assert check.outcome == "failed"
    assert reason in (check.error or "")


def test_an_encoding_that_was_not_asked_for_is_refused(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, BODY, **{"Content-Encoding": "br"})
    assert "encoded as 'br', which was not requested" in (ask(settings)[0].error or "")


def test_redirects_are_followed_within_the_named_hosts_only(settings: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status=302, headers={"Location": "/moved.csv"})
    httpserver.expect_request(f"/{HOST}/moved.csv").respond_with_data(BODY, content_type="text/csv")
    assert ask(settings)[0].outcome == "fresh"
    httpserver.clear_all_handlers()
    httpserver.expect_request(PATH).respond_with_data("", status=302, headers={"Location": "https://evil.example.com/"})
    (check,) = ask(later(settings, 21))
    assert "leads to host 'evil.example.com', which the catalogue does not name" in (check.error or "")
    assert not any("evil" in asked.path for asked in requests_of(httpserver))


def test_a_redirect_in_circles_ends(settings: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status=302, headers={"Location": URL})
    assert "redirected more than 5 times" in (ask(settings)[0].error or "")
    assert len(requests_of(httpserver)) == 6


def test_an_unreachable_host_costs_one_attempt_for_all_its_requests(settings: Settings) -> None:
    nobody = settings.model_copy(update={"upstream_base_url": "http://127.0.0.1:9"})  # discard port: refused at once
    requests = [Request(key=f"data/{n}", url=URL, expect=CSV) for n in range(50)]
    started = time.monotonic()
    checks = ask(nobody, *requests, requests_per_second=1)
    assert time.monotonic() - started < 5
    assert [c.outcome for c in checks] == ["failed"] + ["not_tried"] * 49
    assert "could not be reached (ConnectionRefusedError" in (checks[0].error or "")
    # What was not tried taught nothing, so it stands in no journal.
    assert [c.outcome for c in Landing(settings.landing_dir).retrievals("tiny")] == ["failed"]


def test_requests_to_one_publisher_are_paced(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    waits: list[float] = []
    client = Client(source(requests_per_second=0.1), settings, sleep=waits.append)
    for _ in range(3):
        client.get(Request(key="data", url=URL, expect=CSV), {})
    assert len(waits) == 2
    assert all(9 < wait <= 10 for wait in waits)


def test_a_body_that_takes_too_long_is_given_up(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    client = Client(source(), settings.model_copy(update={"total_timeout_s": -1.0}))
    with pytest.raises(UpstreamUnavailable, match="took longer than"):
        client.get(Request(key="data", url=URL, expect=CSV), {})


def test_one_source_that_cannot_be_planned_or_asked_leaves_the_others(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver)

    class Broken(Module):
        def plan(self, catalog: Catalog, today: date) -> list[Request]:
            raise RuntimeError("no plan")

    def further(body: bytes) -> list[Request]:
        raise ValueError("no link")

    modules: dict[str, Module] = {
        "tiny": Module(),
        "unplanned": Broken(),
        "linkless": Module(Request(key="page", url=URL, expect=CSV, then=further)),
    }
    sources = [source(), source(id="unplanned"), source(id="linkless")]
    results = land(sources, modules.__getitem__, Catalog([], [], [], []), settings)
    assert {name: [c.outcome for c in checks] for name, checks in results.items()} == {
        "tiny": ["fresh"],
        "unplanned": ["failed"],
        "linkless": ["failed"],
    }
    assert results["unplanned"][0].error == "the requests could not be planned (RuntimeError: no plan)"
    assert results["linkless"][0].error == "ValueError: no link"


@pytest.mark.parametrize(
    "text",
    [
        f"https://api.example.org/series?id=GDP&api_key={PLANTED}&file_type=json",
        f"https://api.example.org/x?UserID={PLANTED}",
        f"https://api.example.org/x?access_token={PLANTED}#top",
        f"api_key%3D{PLANTED}",
        f'{{"registrationkey": "{PLANTED}"}}',
        f"{{'api_key': '{PLANTED}'}}",
        f"Authorization: Bearer {PLANTED}",
        f"Authorization: Basic {PLANTED}",
        f"X-API-Key: {PLANTED}",
        f"client_secret={PLANTED}",
    ],
)
def test_what_looks_like_a_key_is_redacted(text: str) -> None:
    assert PLANTED not in redact(text)
    assert "***" in redact(text)


def test_what_is_no_secret_stays_readable() -> None:
    text = "[source=fred row=fredgraph/GDP] answered 503 for https://x.org/g.csv?id=GDP&cosd=2020-01-01"
    assert redact(text) == text
    assert redact("x?api_key=abc&id=GDP") == "x?api_key=***&id=GDP"


@pytest.mark.parametrize("status", [200, 400])
def test_a_key_in_a_request_is_in_no_journal_error_or_log(
    settings: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    echo = f"date,value\nbad request: api_key={PLANTED}\n"
    httpserver.expect_request(PATH).respond_with_data(echo, status=status, content_type="text/csv")
    caplog.set_level(logging.INFO)
    request = Request(key="data", url=URL, expect=CSV, params=(("id", "GDP"), ("api_key", PLANTED)))
    (check,) = ask(settings, request)
    assert requests_of(httpserver)[0].args["api_key"] == PLANTED
    journal = (settings.landing_dir / "journal" / "tiny.jsonl").read_text(encoding="utf-8")
    said = [r.getMessage() for r in caplog.records if r.name != "werkzeug"]  # the test's server tells what it was asked
    assert PLANTED not in journal + check.line() + "".join(said)
    assert "***" in journal


def test_a_key_is_not_in_the_error_of_a_host_that_is_down(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    nobody = settings.model_copy(update={"upstream_base_url": "http://127.0.0.1:9"})
    (check,) = ask(nobody, Request(key="data", url=URL, expect=CSV, params=(("api_key", PLANTED),)))
    assert PLANTED not in check.line() + caplog.text


# The user's key, which only the wire may see

KEYED = {"key": "census_key"}
# Not the one above: a key that was sent once is taken out of every message of this process.
OWN_KEY = "fedcba9876543210fedcba9876543210fedcba98"


@pytest.fixture
def keyed(settings: Settings) -> Settings:
    return settings.model_copy(update={"census_key": SecretStr(OWN_KEY)})


def asking_with_key(path: str = "data.csv", **changes: Any) -> Request:
    return Request(key="data", url=f"https://{HOST}/{path}", expect=CSV, key_parameter="key", **changes)


def everything_kept(settings: Settings) -> bytes:
    """Names and contents of all files of the warehouse's folder, payloads unpacked."""
    kept = b""
    for path in settings.warehouse_dir.rglob("*"):
        kept += str(path).encode() + b"\n"
        if path.is_file():
            content = path.read_bytes()
            kept += gzip.decompress(content) if path.suffix == ".gz" else content
    return kept


def test_the_key_goes_out_with_the_request_and_stays_nowhere(
    keyed: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    serve(httpserver)
    (check,) = ask(keyed, asking_with_key(params=(("id", "GDP"),)), **KEYED)
    assert check.outcome == "fresh"
    assert dict(requests_of(httpserver)[0].args) == {"id": "GDP", "key": OWN_KEY}
    assert check.url == f"{URL}?id=GDP"
    kept = everything_kept(keyed)
    assert BODY in kept, "what was landed is looked at"
    assert OWN_KEY.encode() not in kept
    said = [r.getMessage() for r in caplog.records if r.name != "werkzeug"]  # the test's server tells what it was asked
    assert any("/data.csv" in text for text in said), "urllib3 says the address that it asked"
    assert OWN_KEY not in "".join(said)
    assert OWN_KEY not in repr(keyed)
    assert OWN_KEY not in str(keyed.model_dump())


ELSEWHERE = "https://evil.example.com/?key="


@pytest.mark.parametrize(
    ("status", "headers", "content", "said"),
    [
        (302, {"Location": f"/error.html?key={OWN_KEY}"}, b"", "answered 404"),
        (302, {"Location": f"{ELSEWHERE}{OWN_KEY}"}, b"", "leads to host 'evil.example.com'"),
        (302, {"Location": f"https://{OWN_KEY.upper()}.example.com/"}, b"", "leads to host '***.example.com'"),
        (302, {"Location": f"http://{HOST}/data.csv?key={OWN_KEY}"}, b"", "redirects to an address without TLS"),
        (500, {}, f"no query key={OWN_KEY}&id=1".encode(), "answered 500: no query key=***&id=1"),
        (400, {}, f"error: unknown key '{OWN_KEY}'".encode(), "answered 400: error: unknown key '***'"),
        (200, {}, f"<html>{OWN_KEY} is no valid key</html>".encode(), "*** is no valid key"),
        (200, {}, b"date,value\n" + OWN_KEY.encode() + b",1.5\n", "contains the API key of the request"),
        (200, {"Content-Encoding": OWN_KEY}, BODY, "encoded as '***'"),
        (204, {}, b"", "answered 204: an empty body"),
    ],
    ids=["redirect", "redirect elsewhere", "host", "no TLS", "500", "400", "html", "echo", "encoding", "204"],
)
def test_whatever_the_publisher_does_with_the_key_it_is_not_said_again(
    keyed: Settings,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
    status: int,
    headers: dict[str, str],
    content: bytes,
    said: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Content-Type": "text/csv", **headers}
    httpserver.expect_request(PATH).respond_with_data(content, status=status, headers=headers)
    httpserver.expect_request(f"/{HOST}/error.html").respond_with_data("gone", status=404)
    (check,) = ask(keyed, asking_with_key(), **KEYED)
    assert check.outcome == "failed"
    assert said in (check.error or "")
    assert OWN_KEY.encode() not in everything_kept(keyed).lower()
    texts = [check.line(), *(r.getMessage() for r in caplog.records if r.name != "werkzeug")]
    assert OWN_KEY not in "".join(texts).lower()
    assert sum(asked.args.get("key") == OWN_KEY for asked in requests_of(httpserver)) >= 1


def test_a_redirect_gets_the_key_only_where_the_publisher_put_it(keyed: Settings, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status=302, headers={"Location": "/moved.csv"})
    httpserver.expect_request(f"/{HOST}/moved.csv").respond_with_data(BODY, content_type="text/csv")
    assert ask(keyed, asking_with_key(), **KEYED)[0].outcome == "fresh"
    assert [dict(asked.args) for asked in requests_of(httpserver)] == [{"key": OWN_KEY}, {}]


def test_a_validator_that_repeats_the_key_is_kept_without_it(keyed: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver, ETag=f'"{OWN_KEY}"', **{"Last-Modified": OWN_KEY})
    (check,) = ask(keyed, asking_with_key(), **KEYED)
    assert (check.outcome, check.etag, check.last_modified) == ("fresh", '"***"', "***")
    assert OWN_KEY.encode() not in everything_kept(keyed)


def test_an_exception_on_the_way_does_not_say_the_key(keyed: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def fails(body: bytes) -> list[Request]:
        raise ValueError(f"cannot read https://{HOST}/?key={OWN_KEY}")

    nobody = keyed.model_copy(update={"upstream_base_url": "http://127.0.0.1:9"})
    unresolved = keyed.model_copy(update={"upstream_base_url": "http://no such host"})
    for where in (nobody, unresolved):
        (check,) = ask(where, asking_with_key(then=fails), **KEYED)
        assert check.outcome == "failed"
        assert OWN_KEY not in check.line() + caplog.text
        assert OWN_KEY.encode() not in everything_kept(keyed)


def test_an_exception_of_the_module_does_not_say_the_key(
    keyed: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    serve(httpserver)

    def fails(body: bytes) -> list[Request]:
        raise ValueError(f"{OWN_KEY} cannot be read")

    (check,) = ask(keyed, asking_with_key(then=fails), **KEYED)
    assert check.error == "ValueError: *** cannot be read"
    assert OWN_KEY.encode() not in everything_kept(keyed)
    assert OWN_KEY not in "".join(r.getMessage() for r in caplog.records if r.name != "werkzeug")


def test_without_a_key_nobody_is_asked_and_nothing_failed(settings: Settings, httpserver: HTTPServer) -> None:
    (check,) = ask(settings, asking_with_key(), **KEYED)
    assert (check.outcome, check.error) == ("no_key", None)
    assert requests_of(httpserver) == []
    assert Landing(settings.landing_dir).retrievals("tiny") == []


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("METALS_CENSUS_KEY", text)
    assert Settings().census_key is None


def test_a_pasted_key_loses_its_line_break_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALS_CENSUS_KEY", f" {OWN_KEY}\n")
    found = Settings()
    assert found.census_key is not None
    assert found.census_key.get_secret_value() == OWN_KEY
    assert OWN_KEY not in f"{found!r} {found}"


def test_a_module_that_wants_a_key_of_a_source_without_one_fails(settings: Settings, httpserver: HTTPServer) -> None:
    assert "the catalogue names no setting for it" in (ask(settings, asking_with_key())[0].error or "")
    assert requests_of(httpserver) == []


# The clock


def test_nobody_is_asked_while_the_clock_is_behind_the_last_check(
    settings: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    serve(httpserver)
    ask(settings)
    other = Request(key="other", url=URL, expect=CSV)
    (check,) = ask(later(settings, -1), other)
    assert (check.key, check.outcome) == ("clock", "failed")
    assert "the clock says 2026-06-10 11:00 UTC, but the last retrieval was at 2026-06-10 12:00" in (check.error or "")
    assert "correct the clock" in caplog.text
    assert len(requests_of(httpserver)) == 1
    assert [c.outcome for c in ask(later(settings, 0), other)] == ["fresh"], "as soon as it is right again"


def test_a_clock_set_back_does_not_matter_to_a_publisher_that_is_not_asked(
    settings: Settings, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    ask(settings)
    assert ask(later(settings, -1).model_copy(update={"offline": True}))[0].outcome == "offline"


CHECK = Retrieval("tiny", "data", datetime.fromisoformat("2026-06-10T12:00:00"), "fresh", "ab" * 32)


@pytest.mark.parametrize("torn", [b'{"bytes": 12, "key": "da', b'{"error": "caf\xc3', b"\xff\xfe"])
def test_a_torn_line_of_the_journal_is_left_out_and_takes_no_other_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, torn: bytes
) -> None:
    landing = Landing(tmp_path)
    landing.append(CHECK)
    with (tmp_path / "journal" / "tiny.jsonl").open("ab") as file:
        file.write(torn)
    assert landing.retrievals("tiny") == [CHECK]
    assert "journal of tiny: line 2 is set aside: it is incomplete or damaged" in caplog.text
    second = replace(CHECK, key="other")
    landing.append(second)
    assert landing.retrievals("tiny") == [CHECK, second]


def test_a_flipped_bit_of_the_journal_changes_no_record_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="metals.landing")  # thousands of warnings take half of the time
    landing = Landing(tmp_path)
    written = [CHECK, replace(CHECK, key="other")]
    for check in written:
        landing.append(check)
    path = tmp_path / "journal" / "tiny.jsonl"
    content = path.read_bytes()
    for bit in range(8 * (len(content) - 1)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        lines = landing.lines("tiny")
        assert lines.bad, f"bit {bit}"
        assert all(record in written for record in lines.records), f"bit {bit}"
        assert len(lines.records) + len(lines.bad) >= (1 if damaged.count(b"\n") == 1 else 2)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"checked_at": "2026-06-10T12:00:00+00:00"}, "checked_at: Input should not have timezone info"),
        ({"checked_at": "yesterday"}, "checked_at"),
        ({"outcome": "fresi"}, "outcome"),
        ({"payload_id": "../../etc/passwd"}, "payload_id"),
        ({"source": "tinx"}, "it is a line of another publisher"),
        ({"status": "many"}, "status"),
        ({"kez": "data"}, "kez"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_line_without_a_checksum_is_read_if_it_can_be_one(tmp_path: Path, line: dict[str, Any], why: str) -> None:
    path = tmp_path / "journal" / "tiny.jsonl"
    path.parent.mkdir()
    path.write_text(f"{CHECK.line()}\n{json.dumps(json.loads(CHECK.line()) | line)}\n", encoding="utf-8")
    lines = Landing(tmp_path).lines("tiny")
    assert lines.records == [CHECK]
    (bad,) = lines.bad
    assert (bad.number, bad.after) == (2, CHECK.checked_at)
    assert why in bad.reason


def test_a_journal_that_cannot_be_read_stops_no_other_publisher(settings: Settings, httpserver: HTTPServer) -> None:
    serve(httpserver)
    (settings.landing_dir / "journal" / "other.jsonl").mkdir(parents=True)
    found = land([source(id="other"), source()], lambda _: Module(), Catalog([], [], [], []), settings)
    assert [c.outcome for c in found["tiny"]] == ["fresh"]
    assert [(c.outcome, "source=other" in (c.error or "")) for c in found["other"]] == [("failed", True)]


def test_an_error_with_unusual_line_ends_stays_one_line(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    check = replace(CHECK, outcome="failed", error="one\u2028two\x85three\nfour é")
    landing.append(check)
    assert landing.retrievals("tiny") == [check]
    assert len((tmp_path / "journal" / "tiny.jsonl").read_bytes().splitlines()) == 1


def test_a_source_never_asked_has_no_checks(tmp_path: Path) -> None:
    assert Landing(tmp_path).retrievals("tiny") == []


def test_a_payload_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    payload_id = landing.put(BODY)
    (stored,) = (tmp_path / "objects").glob("*/*")
    before = stored.stat()
    assert landing.put(BODY) == payload_id
    assert stored.stat().st_mtime_ns == before.st_mtime_ns
    assert stored.name == f"{payload_id}.gz"
    assert list((tmp_path / "objects").glob("*/*")) == [stored]


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: gzip.compress(BODY + b"forged"),
        lambda packed: packed[:-4],
        lambda packed: packed[:15] + b"\xff\xff\xff" + packed[18:],
        lambda packed: b"",
    ],
    ids=["other content", "cut", "bits flipped", "empty"],
)
def test_a_tampered_payload_is_noticed_and_mended_by_the_next_put(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    landing = Landing(tmp_path)
    payload_id = landing.put(BODY)
    (stored,) = (tmp_path / "objects").glob("*/*")
    stored.write_bytes(damage(stored.read_bytes()))
    with pytest.raises(BadPayload, match=payload_id[:12]):
        landing.get(payload_id)
    assert not landing.holds(payload_id)
    landing.put(BODY)
    assert landing.get(payload_id) == BODY


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "ab" * 31])
def test_a_name_that_is_no_hash_opens_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadPayload, match="is not a payload's name"):
        Landing(tmp_path).get(name)


def test_a_line_of_the_journal_says_only_what_is_known() -> None:
    assert json.loads(CHECK.line()) == {
        "source": "tiny",
        "key": "data",
        "checked_at": "2026-06-10T12:00:00",
        "outcome": "fresh",
        "payload_id": "ab" * 32,
    }


@pytest.mark.parametrize(
    ("dead", "alive", "said"),
    [
        (5, 0, ["no publisher was reached: 5 tried (Connection refused); the last good figures stay"]),
        (4, 1, ["4 of 5 publishers not reached (Connection refused): dead_0, dead_1, dead_2, dead_3"]),
        (1, 4, [f"dead_0: {HOST} could not be reached (Connection refused)"]),
        (2, 0, [f"dead_{n}: {HOST} could not be reached (Connection refused)" for n in (0, 1)]),
    ],
)
def test_many_publishers_that_cannot_be_reached_for_one_reason_are_one_line(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, dead: int, alive: int,
    said: list[str],
) -> None:  # fmt: skip
    def get(client: Client, *_: object) -> Any:
        name = client._source.id
        if name.startswith("dead"):
            client.gave_up = True
            raise UpstreamUnavailable(
                f"{HOST} could not be reached (ConnectionRefusedError: [Errno 111] Connection refused)", source=name
            )
        return SimpleNamespace(status_code=200, headers={}), BODY

    monkeypatch.setattr(Client, "get", get)
    monkeypatch.setattr("pipelines.landing.ask.verify_response", lambda *_: None)
    names = [*(f"dead_{n}" for n in range(dead)), *(f"alive_{n}" for n in range(alive))]
    with caplog.at_level("WARNING", "metals.landing"):
        land([source(id=name) for name in names], lambda _: Module(), Catalog([], [], [], []), settings)
    assert [record.getMessage() for record in caplog.records] == said


def test_what_is_appended_while_later_lines_are_set_aside_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing, now = Landing(tmp_path), NOW.replace(tzinfo=None)
    landing.append(Retrieval("tiny", "ahead", now + timedelta(days=1), "failed"))
    other = threading.Thread(target=landing.append, args=[Retrieval("tiny", "data", now, "failed")])
    original = warehouse.replacing

    @contextlib.contextmanager
    def meanwhile(path: Path) -> Iterator[Path]:
        other.start()
        other.join(0.3)  # long enough for an append that does not wait
        with original(path) as part:
            yield part

    monkeypatch.setattr(journal, "replacing", meanwhile)
    assert landing.set_aside_later(now) == {"tiny": 1}
    other.join()
    assert [retrieval.key for retrieval in landing.retrievals("tiny")] == ["data"]


def test_a_payload_written_by_two_machines_at_once_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes may have the same number, as the first ones of two containers have."""
    one, two, fsync = Landing(tmp_path), Landing(tmp_path), os.fsync

    def meanwhile(file: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        assert two.put(BODY)
        fsync(file)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert one.get(one.put(BODY)) == BODY
    assert not list(tmp_path.rglob("*.part"))
