"""A publisher that cannot be reached, breaks off, or responds with anything but its data: over HTTP, one by one.

Each fault is reported with publisher and request, the other publishers are unaffected, the known figures stay, and the
next good response is loaded.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import COPPER, FEDFUNDS, Desk, said_of
from tests.replay import Replay

FaultOf = Callable[[Replay], None]


def fault(kind: str, **options: object) -> FaultOf:
    return lambda replay: replay.fault("fred.stlouisfed.org", kind, **options)  # type: ignore[arg-type]


def serve(body: bytes, content_type: str = "text/csv", status: int = 200, **headers: str) -> FaultOf:
    return lambda replay: replay.serve(FEDFUNDS, body, content_type, status, **headers)


PAGE = b"<!DOCTYPE html><html><body>We are down for maintenance. Please come back later today.</body></html>" * 3
# A challenge in the form that firewalls serve: 38 kB of scripts, and a line for those who read it.
CHALLENGE = (
    b"<html><head><script>" + b"var a=unescape('%7b');" * 1730 + b"</script></head>"
    b"<body><noscript>Please enable JavaScript and refresh the page.</noscript></body></html>"
)
ROWS = b"observation_date,FEDFUNDS\n" + b"2026-01-01,3.64\n" * 40

FAULTS: dict[str, tuple[FaultOf, str]] = {
    "refused": (fault("refused"), "fred.stlouisfed.org could not be reached"),
    "slow, a byte a second": (fault("slow", seconds=10), "took longer than 2.0 s"),
    "hanging": (fault("hang", seconds=3), "fred.stlouisfed.org could not be reached"),
    "reset mid-body": (fault("reset"), "broke off after"),
    "cut mid-body": (fault("truncated"), "broke off after"),
    "truncated gzip": (fault("truncated_gzip"), "the compressed stream is truncated"),
    "429 without Retry-After": (fault("429"), "blocked, answered 429"),
    "429 with Retry-After": (fault("429", retry_after="1"), "blocked, answered 429"),
    "500 for good": (fault("500"), "answered 500"),
    "503 with a page": (fault("503_html"), "answered 503: Please try again later"),
    "403 with a page": (fault("403_html"), "blocked, answered 403: Please try again later"),
    "412 with scripts": (serve(CHALLENGE, "text/html", 412), "blocked, answered 412: Please enable JavaScript"),
    "200 with a challenge": (
        serve(CHALLENGE, "text/html"),
        "blocked, answered 200 with a page of scripts (a challenge, or the address moved): Please enable JavaScript",
    ),
    "200 with a challenge called CSV": (serve(CHALLENGE), "blocked, answered 200 with a page of scripts"),
    "200 with a page": (serve(PAGE, "text/html"), "answered 200 with a page in place of data: We are down"),
    "200 with a page called CSV": (serve(PAGE), "answered 200 with a page in place of data: We are down"),
    "200 with an empty body": (fault("empty"), "answered 200 with 0 bytes, fewer than the minimum of 100"),
    "redirect loop": (fault("redirect_loop"), "redirected more than 5 times"),
    "redirect to another host": (
        fault("redirect_other_host"),
        "leads to host 'elsewhere.example.org', which the catalogue does not name",
    ),
    "another charset": (serve(ROWS.decode().encode("utf-16")), "answered 200 with an unexpected beginning"),
    "2 GB where 2 MB are expected": (fault("endless"), "is larger than the maximum of 5.0 MB"),
    # The replay sends text gzipped: some 300 kB here.
    "a gzip bomb": (serve(b"observation_date,FEDFUNDS\n" + b" " * 60_000_000), "is larger than the maximum of 5.0 MB"),
    "an encoding not asked for": (
        serve(ROWS, "application/octet-stream", Content_Encoding="zstd"),
        "encoded as 'zstd', which was not requested",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_said_the_others_go_on_and_what_was_known_stands(standing_desk: Desk, name: str) -> None:
    desk = standing_desk
    make, message = FAULTS[name]
    outcome = "blocked" if message.startswith("blocked") else "failed"
    before = desk.everything()
    assert len(before["fred_fedfunds_pct"]) == 679, "counted in the recorded file: January 1970 to July 2026"

    make(desk.replay)
    started = time.monotonic()
    faulty = desk.run()
    assert time.monotonic() - started < 20, "bounded, retries included"
    assert faulty.outcomes("fred") == [outcome]
    said = said_of(faulty.answered["fred"])
    assert not faulty.answered["fred"].passed
    assert message in said
    assert "[source=fred row=fredgraph/FEDFUNDS]" in said, "publisher and request"
    assert desk.rows("select outcome, error from raw.retrieval where source_id = 'fred' order by checked_at")[-1] == (
        outcome,
        faulty.landed["fred"][0].error,
    )
    assert ("METALS_CONTACT" in said) == (outcome == "blocked"), "what the user can do about a block"
    assert said in desk.finding("every_answer_was_taken").examples, "which `metals status` prints"
    assert faulty.outcomes("eastmoney") == ["unchanged"], "the others go on"
    assert faulty.answered["eastmoney"].passed
    assert desk.everything() == before, "what was known stands"

    desk.replay.mend()
    desk.replay.unserve()
    mended = desk.run()
    assert mended.outcomes("fred") == ["unchanged"], "and the next good answer is taken"
    assert mended.answered["fred"].passed


def test_a_request_that_failed_is_said_though_the_publisher_answered_the_next_one(desk: Desk) -> None:
    desk.run()
    desk.replay.serve(COPPER, b"<html>maintenance</html>" * 20, "text/html")
    assert desk.run().outcomes("imf_pcps") == ["failed", "unchanged"]
    (said,) = desk.finding("every_answer_was_taken").examples
    assert "row=PCPS/PCOPP" in said
    desk.replay.unserve()
    desk.run()
    assert desk.finding("every_answer_was_taken").passed


def test_500_once_and_then_well_is_no_fault(desk: Desk) -> None:
    desk.replay.fault("fred.stlouisfed.org", "500", times=1)
    day = desk.run()
    assert day.outcomes("fred") == ["fresh"]
    assert day.answered["fred"].passed
    assert desk.replay.counts["fred.stlouisfed.org", "/graph/fredgraph.csv"] == 2


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends a line of its head every tenth of a second and never comes to an end of it."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.1):
                connection.sendall(b"X")

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    over.set()
    server.close()


def test_a_head_that_never_ends_is_given_up(desk: Desk, dripping: str) -> None:
    desk.settings = desk.settings.model_copy(update={"upstream_base_url": dripping})
    started = time.monotonic()
    day = desk.run()
    assert time.monotonic() - started < 20
    assert {outcome for source in day.landed for outcome in day.outcomes(source)} <= {"failed", "not_tried"}
    assert "the response headers took longer than 2.0 s" in said_of(day.answered["fred"])
