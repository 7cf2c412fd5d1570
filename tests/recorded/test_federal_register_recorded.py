"""The Federal Register module against answers recorded in 2026. None is about metals: they hold the shape.

The recording `sdk23_recovery_published15.json` wraps three answers as `{arguments, response}`; only the responses are
the publisher's.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import Catalog, Topic
from pipelines.errors import BadPayload
from pipelines.sources import federal_register
from tests.recordings import Recordings

pytestmark = pytest.mark.recorded


def catalog(**conditions: str | list[str]) -> Catalog:
    topic = Topic(
        id="recorded",
        source="federal_register",
        title="Recorded",
        conditions=conditions,
        since=date(2026, 1, 1),
        description="What the recording asked for.",
    )
    return Catalog([], [], [], [], [topic])


@pytest.fixture
def recorded(upstream: Path) -> list[dict[str, Any]]:
    wrapped = json.loads((upstream / "federal_register" / "sdk23_recovery_published15.json").read_bytes())
    return [call["response"] for call in wrapped]


CARRIERS = catalog(agencies=["federal-motor-carrier-safety-administration"])
CARRIERS_KEY = "documents/recorded/2026-10-01..2026-10-10"


def test_a_complete_answer_gives_its_five_documents(recorded: list[dict[str, Any]]) -> None:
    documents = federal_register.parse(json.dumps(recorded[2]).encode(), CARRIERS_KEY, CARRIERS).policy_documents
    assert documents.select("document_number", "type", "citation", "publication_date", "effective_on").rows() == [
        ("2026-20734", "Notice", "91 FR 64736", date(2026, 10, 9), date(2026, 10, 7)),
        ("2026-20649", "Notice", "91 FR 64454", date(2026, 10, 8), date(2026, 10, 12)),
        ("2026-20524", "Notice", "91 FR 64214", date(2026, 10, 7), None),
        ("2026-20476", "Notice", "91 FR 63640", date(2026, 10, 6), None),
        ("2026-20325", "Rule", "91 FR 63156", date(2026, 10, 5), date(2026, 10, 5)),
    ]
    assert documents["agencies"].unique().to_list() == [
        "transportation-department; federal-motor-carrier-safety-administration"
    ]
    assert documents["signing_date"].null_count() == 5
    assert documents["proclamation_number"].null_count() == 5


def test_the_recording_itself_is_not_an_answer(upstream: Path) -> None:
    body = (upstream / "federal_register" / "sdk23_recovery_published15.json").read_bytes()
    with pytest.raises(BadPayload, match="a list instead of an object"):
        federal_register.parse(body, CARRIERS_KEY, CARRIERS)


def test_the_answer_to_one_search_does_not_pass_for_another(recorded: list[dict[str, Any]]) -> None:
    body = json.dumps(recorded[2]).encode()
    with pytest.raises(BadPayload, match="conditions were ignored"):
        federal_register.parse(body, "documents/recorded/2026-10-01..2026-10-11", CARRIERS)
    with pytest.raises(BadPayload, match="geological-survey"):
        federal_register.parse(body, CARRIERS_KEY, catalog(agencies=["geological-survey"]))


def test_an_answer_without_a_window_is_refused_although_its_term_is_right(
    recorded: list[dict[str, Any]], upstream: Path
) -> None:
    commercial = json.dumps(recorded[1]).encode()  # 634 documents of all years
    with pytest.raises(BadPayload, match="conditions were ignored: 634 documents"):
        federal_register.parse(commercial, "documents/recorded/2026-01-01..2026-03-31", catalog(term="commercial"))
    search = (upstream / "federal_register" / "fr_search.json").read_bytes()  # 1,486 documents of all years
    with pytest.raises(BadPayload, match="conditions were ignored: 1486 documents"):
        federal_register.parse(
            search, "documents/recorded/2026-01-01..2026-03-31", catalog(term="artificial intelligence")
        )


def test_the_answer_to_another_search_of_2026_is_refused_and_has_the_shape(recordings: list[Path]) -> None:
    body = Recordings(recordings).path("federal_register/another_query_2026-04.json").read_bytes()
    with pytest.raises(BadPayload, match="conditions were ignored: 110 documents"):
        federal_register.parse(body, "documents/recorded/2026-04-01..2026-06-30", catalog(term='"Bears Ears"'))
    answer = json.loads(body)
    first = answer["results"][0]  # alone in the window, as the service words it
    answer |= {
        "count": 1,
        "total_pages": 1,
        "next_page_url": None,
        "results": [first],
        "description": answer["description"] + " and published from 04/01/2026 to 06/30/2026",
    }
    parsed = federal_register.parse(
        json.dumps(answer).encode(), "documents/recorded/2026-04-01..2026-06-30", catalog(term='"Bears Ears"')
    )
    assert parsed.policy_documents.select("document_number", "type", "publication_date").rows() == [
        ("2026-07755", "Notice", date(2026, 4, 21))
    ]
    assert parsed.policy_documents["citation"].to_list() == [None]  # not among the fields of that search


def test_an_answer_on_two_pages_is_halved(upstream: Path) -> None:
    search = json.loads((upstream / "federal_register" / "fr_search.json").read_bytes())
    search["description"] += " and published from 01/01/2026 to 03/31/2026"  # as the service words a window
    ai = catalog(term="artificial intelligence")
    first = federal_register.plan(ai, date(2026, 11, 22))[0]
    assert first.key == "documents/recorded/2026-01-01..2026-03-31"
    assert first.then is not None
    assert [half.key for half in first.then(json.dumps(search).encode())] == [
        "documents/recorded/2026-01-01..2026-02-14",
        "documents/recorded/2026-02-15..2026-03-31",
    ]


def test_single_documents_fit_the_same_columns(upstream: Path) -> None:
    found = [
        json.loads((upstream / "federal_register" / name).read_bytes())
        for name in ("fr_document.json", "reopening_19895.json")
    ]
    body = json.dumps(
        {
            "count": 2,
            "description": "Documents published from 07/01/2026 to 09/30/2026 and matching 'd'",
            "results": found,
        }
    ).encode()
    documents = federal_register.parse(
        body, "documents/recorded/2026-07-01..2026-09-30", catalog(term="d")
    ).policy_documents
    assert documents.select(
        "document_number", "type", "citation", "publication_date", "effective_on", "agencies"
    ).rows() == [
        (
            "2026-13726",
            "Proposed Rule",
            "91 FR 41591",
            date(2026, 7, 7),
            date(2026, 7, 7),
            "energy-department; federal-energy-regulatory-commission",
        ),
        (
            "2026-19895",
            "Notice",
            "91 FR 61426",
            date(2026, 9, 29),
            None,
            "homeland-security-department; coast-guard",
        ),
    ]
