"""The replay picks vintages by its clock, answers as the publishers do, and breaks in the ways it is told to."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.recordings import folders, recorded_day
from tests.replay import FAULTS, Replay

FRED = "fred.stlouisfed.org/graph/fredgraph.csv"
PPI = "datacenter-web.eastmoney.com/api/data/v1/get"
REGISTER = "www.federalregister.gov/api/v1/documents.json"
BANK = (
    "thedocs.worldbank.org/en/doc/74e8be41ceb20fa0da750cda2f6b9e4e-0050012026/related/CMO-Historical-Data-Monthly.xlsx"
)
CONTACT = {"User-Agent": "replay test nobody@example.org"}


def get(
    replay: Replay, where: str, headers: dict[str, str] = CONTACT, timeout: float = 5, stream: bool = False
) -> requests.Response:
    return requests.get(
        f"{replay.base_url}/{where}", headers=headers, timeout=timeout, stream=stream, allow_redirects=False
    )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Replay]:
    """A replay of one made-up FRED payload, for what needs no recording."""
    (tmp_path / "GDP.csv").write_bytes(b"observation_date,GDP\n2025-01-01,1.5\n2025-04-01,2.5\n" * 400)
    entry = {"file": "GDP.csv", "publisher": "FRED", "url": f"https://{FRED}?id=GDP", "retrieved_at": "2025-06-27"}
    entry["fidelity"] = "made up for tests"
    (tmp_path / "manifest.json").write_text(json.dumps([entry]))
    with Replay(tmp_path) as running:
        yield running


def test_the_clock_picks_the_newest_workbook_recorded_by_that_day(replay: Replay, shipped: Path) -> None:
    for now, vintage in (("2026-03-04", "2024-10-11"), ("2026-03-05", "2026-03-05"), (None, "2026-07-07")):
        replay.now = now
        file = shipped / f"worldbank/{vintage}/CMO-Historical-Data-Monthly.xlsx"
        assert get(replay, BANK).content == file.read_bytes()
    replay.now = date(2024, 10, 10)
    assert get(replay, BANK).status_code == 404


def test_each_publisher_answers_with_its_payload_and_media_type(replay: Replay, shipped: Path) -> None:
    expected = {
        f"{FRED}?id=CPIAUCSL": ("fred/2026-08-16/CPIAUCSL.csv", "text/csv"),
        f"{PPI}?reportName=RPT_ECONOMY_PPI&columns=ALL": (
            "eastmoney/2026-08-21/RPT_ECONOMY_PPI.json",
            "application/json",
        ),
        "data.sec.gov/api/xbrl/companyfacts/CIK0000789019.json": (
            "sec/companyfacts/CIK0000789019.json",
            "application/json",
        ),
        "data.sec.gov/submissions/CIK0000789019.json": ("sec/submissions/CIK0000789019.json", "application/json"),
        "www.cftc.gov/dea/newcot/deafut.txt": ("cftc/2026-08-04/deafut.txt", "text/plain"),
    }
    for where, (file, content_type) in expected.items():
        response = get(replay, where)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type
        assert response.content == (shipped / file).read_bytes(), where


def test_the_full_alphabet_facts_are_newest_until_the_later_extract_was_made(replay: Replay, shipped: Path) -> None:
    where = "data.sec.gov/api/xbrl/companyfacts/CIK0001652044.json"
    replay.now = datetime(2026, 7, 9, 1, 0)  # noqa: DTZ001  the replay reads a naive time as UTC
    assert get(replay, where).content == (shipped / "sec/companyfacts_full/CIK0001652044.json").read_bytes()
    replay.now = "2026-08-15"
    assert get(replay, where).content == (shipped / "sec/companyfacts/CIK0001652044.json").read_bytes()
    assert get(replay, where, headers={"User-Agent": "python-requests/2"}).status_code == 403


def test_fred_rows_are_windowed_by_the_dates_asked_for(replay: Replay) -> None:
    lines = get(replay, f"{FRED}?id=FEDFUNDS&cosd=2026-06-01&coed=2026-07-31").text.splitlines()
    assert [line[:10] for line in lines[1:]] == ["2026-06-01", "2026-07-01"]
    assert lines[0] == "observation_date,FEDFUNDS"


def test_a_page_of_an_eastmoney_report_holds_its_rows_and_an_unknown_report_none(replay: Replay) -> None:
    second = get(replay, f"{PPI}?reportName=RPT_ECONOMY_PPI&pageNumber=2&pageSize=2").json()["result"]
    assert [row["REPORT_DATE"][:7] for row in second["data"]] == ["2026-05", "2026-04"]
    assert [row["BASE_SAME"] for row in second["data"]] == [3.9, 2.8]
    unknown = get(replay, f"{PPI}?reportName=RPT_NO_SUCH")
    assert unknown.status_code == 200
    assert unknown.json()["success"] is False


def test_the_commodity_page_links_the_monthly_workbook_among_others(small: Replay) -> None:
    page = get(small, "www.worldbank.org/en/research/commodity-markets")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.count("<li>") == 3
    assert f"https://{BANK}" in page.text


def test_what_is_not_recorded_is_a_404_page(small: Replay) -> None:
    for where in (
        "www.example.org/",
        f"{FRED}?id=NOSUCH",
        f"{FRED}",
        "alfred.stlouisfed.org/graph/alfredgraph.csv?id=GDP",
    ):
        response = get(small, where)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")
    unknown_cik = get(small, "data.sec.gov/submissions/CIK0000000001.json")
    assert (unknown_cik.status_code, unknown_cik.headers["Content-Type"]) == (404, "application/xml")


def document(number: str, day: str, title: str, kind: str = "Presidential Document") -> dict[str, Any]:
    return {"document_number": number, "publication_date": day, "title": title, "type": kind, "abstract": None}


def test_a_search_without_hits_says_what_was_asked(small: Replay) -> None:
    conditions = "?conditions[term]=copper&conditions[publication_date][gte]=2025-01-01"
    assert get(small, REGISTER + conditions).json() == {
        "description": "Documents matching 'copper' and published on or after 01/01/2025",
        "count": 0,
        "total_pages": 0,
        "results": [],
    }
    small.empty_search_has_results = False
    assert set(get(small, REGISTER + conditions).json()) == {"description", "count"}


def test_registered_documents_are_found_by_window_type_and_term_page_by_page(small: Replay) -> None:
    small.documents = [
        document("2025-1", "2025-03-01", "Copper imports"),
        document("2025-2", "2025-07-31", "Adjusting Imports of Copper"),
        document("2025-3", "2025-08-05", "Copper derivatives", "Notice"),
        document("2025-4", "2025-08-06", "Coffee"),
    ]
    window = "conditions[publication_date][gte]=2025-07-01&conditions[publication_date][lte]=2025-08-31"
    numbers = [
        [result["document_number"] for result in get(small, f"{REGISTER}?{query}").json()["results"]]
        for query in (
            window,
            window + "&conditions[term]=copper",
            window + "&conditions[type][]=PRESDOCU",
            window + "&order=oldest&per_page=2&page=2",
            "publication_date[gte]=2025-08-06",  # without the wrapper the site ignores a condition
        )
    ]
    assert numbers[:4] == [["2025-4", "2025-3", "2025-2"], ["2025-3", "2025-2"], ["2025-4", "2025-2"], ["2025-4"]]
    assert len(numbers[4]) == 4
    first = get(small, f"{REGISTER}?{window}&per_page=2&fields[]=title").json()
    assert (first["count"], first["total_pages"], first["results"][0]) == (3, 2, {"title": "Coffee"})
    assert "page=2" in first["next_page_url"]
    small.now = "2025-08-01"
    assert get(small, f"{REGISTER}?{window}").json()["count"] == 1


def test_statuses_pages_and_redirects_are_answered_as_told(small: Replay) -> None:
    where = f"{FRED}?id=GDP"
    small.fault("fred.stlouisfed.org", "429", times=2, retry_after="1")
    answers = [get(small, where) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"
    small.fault(FRED, "200_html")
    page = get(small, where)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    small.fault(where, "redirect_other_host")  # the narrower place wins
    moved = get(small, where)
    assert (moved.status_code, moved.headers["Location"]) == (302, "https://elsewhere.example.org/landing")
    small.fault(where, "redirect_loop")
    assert get(small, where).headers["Location"] == f"https://{where}"
    small.fault(where, "empty")
    empty = get(small, where)
    assert (empty.status_code, empty.headers["Content-Type"], empty.content) == (200, "text/csv", b"")
    small.mend()
    assert get(small, where).content.startswith(b"observation_date")
    with pytest.raises(ValueError, match="unknown fault 'sulk'"):
        small.fault(where, "sulk")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refused", requests.exceptions.ConnectionError),
        ("hang", requests.exceptions.ReadTimeout),
        ("reset", requests.exceptions.ChunkedEncodingError),
        ("truncated", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_a_broken_connection_breaks_as_told(small: Replay, kind: str, error: type[Exception]) -> None:
    small.fault("*", kind)
    with pytest.raises(error) as raised:
        get(small, f"{FRED}?id=GDP", timeout=0.3)
    assert ("reset by peer" in str(raised.value)) is (kind == "reset")
    small.mend("*")
    assert get(small, f"{FRED}?id=GDP").status_code == 200


def test_a_cut_gzip_stream_has_the_right_length_but_no_end(small: Replay) -> None:
    small.fault("*", "truncated_gzip")
    packed = get(small, f"{FRED}?id=GDP", stream=True).raw.read(decode_content=False)
    with pytest.raises(EOFError):
        gzip.decompress(packed)


def test_a_slow_answer_drips_and_an_endless_one_goes_on(small: Replay) -> None:
    small.fault("*", "slow", seconds=0.4)
    start = time.monotonic()
    assert len(get(small, f"{FRED}?id=GDP").content) == 51 * 400
    assert time.monotonic() - start >= 0.4
    small.fault("*", "endless")
    with get(small, f"{FRED}?id=GDP", stream=True) as response:
        assert len(response.raw.read(1_000_000)) == 1_000_000


def test_every_named_fault_is_one_that_a_client_notices(small: Replay) -> None:
    whole = get(small, f"{FRED}?id=GDP").content
    for kind in set(FAULTS) - {"slow", "endless"}:
        small.fault("*", kind)
        try:
            response = get(small, f"{FRED}?id=GDP", timeout=0.3)
            noticed = response.status_code != 200 or response.content != whole
        except requests.exceptions.RequestException:
            noticed = True
        assert noticed, kind


def test_requests_are_counted_with_their_headers_and_times(small: Replay) -> None:
    for _ in range(2):
        get(small, f"{FRED}?id=GDP", headers={"User-Agent": "agent 7"})
    get(small, "www.example.org/x")
    assert small.counts == {("fred.stlouisfed.org", "/graph/fredgraph.csv"): 2, ("www.example.org", "/x"): 1}
    first, second = small.requests_to(f"{FRED}?id=GDP")
    assert first.headers["user-agent"] == "agent 7"
    assert first.at < second.at


def test_a_conditional_host_answers_304_to_its_own_etag(small: Replay) -> None:
    small.conditional.add("fred.stlouisfed.org")
    etag = get(small, f"{FRED}?id=GDP").headers["ETag"]
    unchanged = get(small, f"{FRED}?id=GDP", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert get(small, f"{FRED}?id=GDP", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_fixed_answer_stands_in_for_the_recorded_one(small: Replay) -> None:
    small.serve(f"{FRED}?id=GDP", b"observation_date,OTHER\n", "text/csv")
    assert get(small, f"{FRED}?id=GDP").content == b"observation_date,OTHER\n"


def test_a_month_or_year_counts_as_known_on_its_last_day() -> None:
    days = [recorded_day(text) for text in ("2026-02", "2023", "2026-08-15", "various")]
    assert days == [date(2026, 2, 28), date(2023, 12, 31), date(2026, 8, 15), None]


def test_recordings_stand_in_the_folders_that_are_named_and_have_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a b", "ü", "none"):
        (tmp_path / name).mkdir()
    for name, day, figure in (("a b", "2025-06-27", "1.5"), ("ü", "2025-07-30", "1.6")):
        (tmp_path / name / "GDP.csv").write_text(f"observation_date,GDP\n2025-01-01,{figure}\n")
        entry = {"file": "GDP.csv", "url": f"https://{FRED}?id=GDP", "retrieved_at": day, "fidelity": "made up"}
        (tmp_path / name / "manifest.json").write_text(json.dumps([entry]))
    named = os.pathsep.join(str(tmp_path / name) for name in ("a b", "none", "ü", "absent"))
    monkeypatch.setenv("METALS_TEST_UPSTREAM", named)
    assert [folder.name for folder in folders()] == ["a b", "ü"]
    with Replay(folders(), "2025-07-29") as both:
        assert get(both, f"{FRED}?id=GDP").text.splitlines()[-1] == "2025-01-01,1.5"
        both.now = "2025-07-30"
        assert get(both, f"{FRED}?id=GDP").text.splitlines()[-1] == "2025-01-01,1.6"
