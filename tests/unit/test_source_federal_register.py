"""The Federal Register module against answers written by hand: windows, splitting, refusals, drifting types."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines import catalog as catalogue
from pipelines.catalog import Catalog, Topic
from pipelines.errors import BadPayload, CatalogError
from pipelines.sources import POLICY_DOCUMENT, REJECT, federal_register

TODAY = date(2026, 11, 22)
COPPER = Topic(
    id="copper",
    source="federal_register",
    title="Copper",
    conditions={"term": 'tariff + (copper | "copper scrap")', "agencies": ["geological-survey", "commerce-department"]},
    since=date(2026, 5, 10),
    description="A topic of the tests.",
)
CATALOG = Catalog([], [], [], [], [COPPER])
KEY = "documents/copper/2026-04-01..2026-06-30"
DESCRIPTION = (
    "Documents matching 'tariff + (copper | \"copper scrap\")', published from 04/01/2026 to 06/30/2026, "
    "and from Geological Survey or Commerce Department"
)


def document(number: str, **fields: Any) -> dict[str, Any]:
    return {"document_number": number, "title": f"Title of {number}", "publication_date": "2026-06-04", **fields}


def answer(results: list[dict[str, Any]] | None = None, description: str = DESCRIPTION, **fields: Any) -> bytes:
    found = [] if results is None else results
    return json.dumps({"count": len(found), "description": description, "results": found, **fields}).encode()


def test_conditions_are_wrapped_fields_are_listed_and_one_page_is_asked() -> None:
    first = federal_register.plan(CATALOG, TODAY)[0]
    assert first.url == "https://www.federalregister.gov/api/v1/documents.json"
    assert first.params[:5] == (
        ("conditions[term]", 'tariff + (copper | "copper scrap")'),
        ("conditions[agencies][]", "geological-survey"),
        ("conditions[agencies][]", "commerce-department"),
        ("conditions[publication_date][gte]", "2026-05-10"),
        ("conditions[publication_date][lte]", "2026-06-30"),
    )
    assert [value for name, value in first.params if name == "fields[]"] == list(federal_register.FIELDS)
    assert dict(first.params)["per_page"] == "1000"
    assert "page" not in dict(first.params)


def test_windows_are_quarters_that_close_thirty_days_after_their_end() -> None:
    assert [(request.key, request.closed) for request in federal_register.plan(CATALOG, TODAY)] == [
        ("documents/copper/2026-05-10..2026-06-30", True),
        ("documents/copper/2026-07-01..2026-09-30", True),
        ("documents/copper/2026-10-01..2026-12-31/running", False),
    ]
    assert [request.closed for request in federal_register.plan(CATALOG, date(2026, 10, 30))] == [True, False, False]
    assert [request.closed for request in federal_register.plan(CATALOG, date(2026, 10, 31))] == [True, True, False]


def test_years_that_are_over_are_asked_for_whole() -> None:
    catalog = Catalog([], [], [], [], [COPPER.model_copy(update={"since": date(2024, 2, 1)})])
    assert [r.key for r in federal_register.plan(catalog, date(2026, 1, 20))] == [
        "documents/copper/2024-02-01..2024-12-31",
        "documents/copper/2025-01-01..2025-12-31/running",
        "documents/copper/2026-01-01..2026-03-31/running",
    ]


def test_a_window_that_landed_while_it_ran_is_asked_once_more_when_it_has_closed() -> None:
    running = {request.key for request in federal_register.plan(CATALOG, date(2026, 12, 20))}
    after = {request.key: request.closed for request in federal_register.plan(CATALOG, date(2027, 6, 1))}
    assert "documents/copper/2026-10-01..2026-12-31/running" in running
    assert after["documents/copper/2026-05-10..2026-12-31"]


def test_a_running_window_is_read_like_a_closed_one() -> None:
    parsed = federal_register.parse(answer([document("2026-1")]), f"{KEY}/running", CATALOG)
    assert parsed.policy_documents["document_number"].to_list() == ["2026-1"]


def test_a_topic_that_starts_after_today_asks_nothing() -> None:
    assert federal_register.plan(CATALOG, date(2026, 5, 9)) == []


def test_topics_of_other_sources_are_not_asked_here() -> None:
    other = COPPER.model_copy(update={"source": "somewhere_else"})
    assert federal_register.plan(Catalog([], [], [], [], [other]), TODAY) == []


@pytest.mark.parametrize("sign", [{"count": 1000}, {"count": 1486, "total_pages": 2}, {"count": 7, "total_pages": 2}])
def test_a_window_that_does_not_fit_on_a_page_is_halved_and_gives_no_rows_itself(sign: dict[str, int]) -> None:
    request = next(
        r
        for r in federal_register.plan(
            Catalog([], [], [], [], [COPPER.model_copy(update={"since": date(2026, 4, 1)})]), TODAY
        )
        if r.key == KEY
    )
    body = answer([document("2026-1")], **sign)
    assert request.then is not None
    halves = request.then(body)
    assert [half.key for half in halves] == [
        "documents/copper/2026-04-01..2026-05-16",
        "documents/copper/2026-05-17..2026-06-30",
    ]
    assert all(half.closed and half.then is not None for half in halves)
    assert federal_register.parse(body, KEY, CATALOG).policy_documents.is_empty()


def test_a_window_that_fits_asks_nothing_further() -> None:
    request = federal_register._request(COPPER, (date(2026, 4, 1), date(2026, 6, 30)), TODAY)
    assert request.then is not None
    assert request.then(answer([document("2026-1")], total_pages=1)) == []


def test_a_single_day_that_does_not_fit_is_refused() -> None:
    day = date(2026, 6, 4)
    description = DESCRIPTION.replace("04/01/2026", "06/04/2026").replace("06/30/2026", "06/04/2026")
    body = answer([], description, count=1000)
    request = federal_register._request(COPPER, (day, day), TODAY)
    assert request.then is not None
    with pytest.raises(BadPayload, match="single day 2026-06-04"):
        request.then(body)
    with pytest.raises(BadPayload, match="single day 2026-06-04"):
        federal_register.parse(body, "documents/copper/2026-06-04..2026-06-04", CATALOG)


@pytest.mark.parametrize(
    ("description", "missing"),
    [
        ("All Documents", "published 04/01/2026"),
        (DESCRIPTION.replace("from 04/01/2026 to 06/30/2026", "on or after 04/01/2026"), "06/30/2026"),
        (DESCRIPTION.replace("copper scrap", "copper"), "scrap"),
        (DESCRIPTION.replace(" or Commerce Department", ""), "commerce-department"),
    ],
)
def test_an_answer_that_does_not_repeat_the_search_is_refused(description: str, missing: str) -> None:
    body = answer([document("2026-1")], description)
    with pytest.raises(BadPayload, match="conditions were ignored") as refusal:
        federal_register.parse(body, KEY, CATALOG)
    assert missing in str(refusal.value)
    request = federal_register._request(COPPER, (date(2026, 4, 1), date(2026, 6, 30)), TODAY)
    assert request.then is not None
    with pytest.raises(BadPayload, match="conditions were ignored"):
        request.then(body)


def test_the_unfiltered_corpus_is_refused_and_never_split() -> None:
    body = answer([document("2026-1")], count=10_000, total_pages=50)
    request = federal_register._request(COPPER, (date(2026, 4, 1), date(2026, 6, 30)), TODAY)
    assert request.then is not None
    with pytest.raises(BadPayload, match="conditions were ignored: 10000"):
        request.then(body)
    with pytest.raises(BadPayload, match="conditions were ignored: 10000"):
        federal_register.parse(body, KEY, CATALOG)


def test_an_empty_answer_has_no_results_key_and_no_rows() -> None:
    body = json.dumps({"count": 0, "description": DESCRIPTION}).encode()
    parsed = federal_register.parse(body, KEY, CATALOG)
    assert parsed.policy_documents.is_empty()
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Request Access</html>", "not readable as JSON"),
        (b'[{"arguments": {}, "response": {}}]', "a list instead of an object"),
        (b'{"errors": {"term": "is not a valid field"}}', "the search was refused"),
        (b'{"description": "Documents", "results": []}', "no count, number of pages and description"),
        (json.dumps({"count": 2, "description": DESCRIPTION}).encode(), "no list of results"),
        (json.dumps({"count": 2, "description": DESCRIPTION, "results": {}}).encode(), "no list of results"),
        (answer([document("2026-1")], count=2), "2 documents announced, 1 sent"),
        (answer([document("2026-1"), document("2026-1")]), "2 sent, 1 of them different"),
    ],
)
def test_a_broken_answer_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        federal_register.parse(body, KEY, CATALOG)


@pytest.mark.parametrize(
    "key",
    [
        "documents/unknown/2026-04-01..2026-06-30",
        "documents/copper",
        "prices/copper/2026-04-01..2026-06-30",
    ],
)
def test_a_key_outside_the_catalogue_is_refused(key: str) -> None:
    with pytest.raises(BadPayload, match="no topic"):
        federal_register.parse(answer([document("2026-1")]), key, CATALOG)


def test_rows_have_the_declared_columns_and_the_published_values() -> None:
    proclamation = document(
        "2026-11314",
        type="Presidential Document",
        subtype="Proclamation",
        agencies=[
            {"raw_name": "EXECUTIVE OFFICE OF THE PRESIDENT", "slug": "executive-office-of-the-president"},
            {"raw_name": "An Office Without A Slug"},
        ],
        signing_date="2026-06-01",
        effective_on=None,
        citation="91 FR 34085",
        executive_order_number="",
        proclamation_number=11032,
        html_url="https://www.federalregister.gov/d/2026-11314",
    )
    parsed = federal_register.parse(answer([proclamation]), KEY, CATALOG)
    assert dict(parsed.policy_documents.schema) == POLICY_DOCUMENT
    assert parsed.policy_documents.to_dicts() == [
        {
            "document_number": "2026-11314",
            "topic": "copper",
            "type": "Presidential Document",
            "subtype": "Proclamation",
            "title": "Title of 2026-11314",
            "agencies": "executive-office-of-the-president; An Office Without A Slug",
            "publication_date": date(2026, 6, 4),
            "signing_date": date(2026, 6, 1),
            "effective_on": None,
            "citation": "91 FR 34085",
            "executive_order_number": None,
            "proclamation_number": "11032",
            "html_url": "https://www.federalregister.gov/d/2026-11314",
            "row": "results[0]",
        }
    ]


def test_unreadable_rows_become_rejects_and_the_others_stay() -> None:
    body = answer(
        [
            document("2026-1"),
            document("2026-2", publication_date="June 4, 2026", effective_on="soon"),
            {"title": "No number", "publication_date": "2026-06-04"},
            document("2026-4", title=None),
        ]
    )
    parsed = federal_register.parse(body, KEY, CATALOG)
    assert parsed.policy_documents["document_number"].to_list() == ["2026-1"]
    assert dict(parsed.rejects.schema) == REJECT
    assert parsed.rejects.rows() == [
        (
            "copper",
            "results[1]",
            "publication_date is not a date: June 4, 2026; effective_on is not a date: soon",
        ),
        ("copper", "results[2]", "document_number is missing"),
        ("copper", "results[3]", "title is missing"),
    ]


@pytest.mark.parametrize("drift", [7, True, ["x"], {"a": 1}])
def test_a_cell_of_another_type_is_kept_as_text(drift: object) -> None:
    parsed = federal_register.parse(answer([document("2026-1", citation=drift)]), KEY, CATALOG)
    assert parsed.policy_documents["citation"].to_list() == [str(drift)]


def test_the_catalogue_carries_four_topics_and_refuses_a_window_of_their_own(tmp_path: Path) -> None:
    shipped = catalogue.load(Path(catalogue.__file__).parent)
    assert {topic.id for topic in shipped.topics_of("federal_register")} == {
        "tariff_metals",
        "section_232",
        "section_301",
        "critical_minerals",
    }
    with pytest.raises(ValueError, match="publication_date"):
        COPPER.model_validate({**COPPER.model_dump(), "conditions": {"publication_date": "2026"}})


def test_a_topic_of_an_unknown_source_is_refused_by_file_and_name(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    for name in ("sources", "metals", "companies"):
        (tmp_path / f"{name}.yaml").write_text(f"{name}: []\n", encoding="utf-8")
    assert catalogue.load(tmp_path).topics == {}
    (tmp_path / "topics.yaml").write_text(
        "topics:\n  - {id: t, source: nobody, title: T, conditions: {term: x}, since: 2020-01-01, description: D}\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogError, match=r"topics\.yaml: entry 't': unknown source 'nobody'"):
        catalogue.load(tmp_path)
