"""Headers that say what is not so, over HTTP: cookies, lengths, validators."""

from __future__ import annotations

import pytest

from pipelines.sources import fred
from tests.faults.conftest import FEDFUNDS, Desk

FILE = "application/octet-stream"  # the replay compresses text


def rows(*figures: float) -> bytes:
    lines = [f"2026-{month:02}-01,{figure}\n" for month, figure in enumerate(figures, start=1)]
    return ("observation_date,FEDFUNDS\n" + "".join(f"{year}-01-01,5.33\n" for year in range(1990, 2026))).encode() + (
        "".join(lines).encode()
    )


FIRST, SECOND = rows(3.64, 3.64, 3.64), rows(3.64, 3.64, 3.63)


def test_a_cookie_is_neither_stored_nor_sent_to_this_or_another_host(desk: Desk) -> None:
    desk.replay.serve(FEDFUNDS, FIRST, FILE, Set_Cookie="visitor=planted; Path=/; Max-Age=99999999")
    assert desk.run().outcomes("fred") == ["fresh"]
    desk.replay.serve(
        FEDFUNDS, b"", status=302, content_type="", Location=FEDFUNDS + "&again=1", Set_Cookie="visitor=planted; Path=/"
    )
    desk.replay.serve(FEDFUNDS + "&again=1", SECOND, FILE)
    assert desk.run().outcomes("fred") == ["fresh"]
    assert len(desk.replay.seen) > 6
    assert not [seen for seen in desk.replay.seen if "cookie" in seen.headers]
    written = [path for path in desk.settings.warehouse_dir.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"planted" in path.read_bytes()]


def test_a_body_shorter_than_announced_breaks_off(desk: Desk) -> None:
    desk.run()
    known = desk.everything()
    desk.replay.serve(FEDFUNDS, SECOND, FILE, Content_Length=str(len(SECOND) + 100))
    day = desk.run()
    assert day.outcomes("fred") == ["failed"]
    assert "broke off after" in day.said("fred")
    assert desk.everything() == known


@pytest.mark.parametrize("surplus", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + rows(9.0).ljust(400)])
def test_a_body_longer_than_announced_gives_no_figure_that_was_not_sent(desk: Desk, surplus: bytes) -> None:
    desk.replay.serve(FEDFUNDS, FIRST, FILE)
    desk.run()
    known = desk.figures("fred_fedfunds_pct")
    cut = SECOND[: SECOND.index(b"2026-03-01")]
    body = (cut + surplus) if surplus else SECOND
    desk.replay.serve(FEDFUNDS, body, FILE, Content_Length=str(len(cut)))  # cut between two lines
    day = desk.run()
    assert "ends in 2026-02-01 (fred_fedfunds_pct), but an earlier response ended in 2026-03-01" in day.said("fred")
    assert desk.figures("fred_fedfunds_pct") == known
    desk.replay.serve(FEDFUNDS, SECOND[:-3], FILE, Content_Length=str(len(SECOND) - 4))  # cut inside the last figure
    assert not desk.run().contract_held["fred"].passed
    assert desk.figures("fred_fedfunds_pct") == known
    desk.replay.unserve()
    assert desk.run().outcomes("fred") == ["fresh"]


def test_other_bytes_under_the_same_etag_are_new(desk: Desk) -> None:
    desk.replay.serve(FEDFUNDS, FIRST, FILE, ETag='"same"')
    desk.run()
    desk.replay.serve(FEDFUNDS, SECOND, FILE, ETag='"same"')
    day = desk.run()
    assert desk.replay.requests_to(FEDFUNDS)[-1].headers["if-none-match"] == '"same"'
    assert (day.outcomes("fred"), day.reports["fred"].rows_changed) == (["fresh"], 1)


@pytest.mark.parametrize("moves", [False, True])
def test_not_modified_without_being_asked_is_no_answer(
    desk: Desk, moves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.replay.serve(FEDFUNDS, b"", "", 304)
    assert "answered 304" in desk.run().said("fred")
    desk.replay.serve(FEDFUNDS, FIRST, FILE, ETag='"of the address before"' if moves else "")
    assert desk.run().outcomes("fred") == ["fresh"]
    if moves:
        monkeypatch.setattr(fred, "GRAPH_URL", "https://fred.stlouisfed.org/graph/other.csv")
    desk.replay.unserve()
    desk.replay.serve("fred.stlouisfed.org", b"", "", 304)
    day = desk.run()
    assert "if-none-match" not in desk.replay.requests_to("fred.stlouisfed.org")[-1].headers
    assert day.outcomes("fred") == ["failed"]
    assert "answered 304" in day.said("fred")


def test_an_etag_longer_than_a_request_may_be_is_not_sent_back(desk: Desk) -> None:
    for body in (FIRST, SECOND):
        desk.replay.serve(FEDFUNDS, body, FILE, ETag='"' + "e" * 65_520 + '"')  # as long as a client reads
        assert desk.run().outcomes("fred") == ["fresh"]
