"""SEC companyfacts on small made-up payloads: shapes, broken cells, refusals."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.catalog import Catalog, Company, Validity
from pipelines.errors import BadPayload
from pipelines.sources import FILING, FILING_FACT, REJECT, Parsed, sec_edgar

KEY = "companyfacts/CIK0000000042"
CATALOG = Catalog([], [], [], [])
FACT: dict[str, Any] = {
    "start": "2025-01-01",
    "end": "2025-03-31",
    "val": 7500000000,
    "accn": "0000000042-25-000001",
    "fy": 2025,
    "fp": "Q1",
    "form": "10-Q",
    "filed": "2025-04-25",
    "frame": "CY2025Q1",
}


def _body(*facts: dict[str, Any], cik: Any = 42, **changes: Any) -> bytes:
    units = {"USD": list(facts)}
    document = {"cik": cik, "entityName": "ACME", "facts": {"us-gaap": {"Capex": {"label": None, "units": units}}}}
    return json.dumps(document | changes).encode()


def _parse(*facts: dict[str, Any], **kwargs: Any) -> Parsed:
    return sec_edgar.parse(_body(*facts, **kwargs), KEY, CATALOG)


def _only_reason(parsed: Parsed) -> str:
    assert parsed.filing_facts.is_empty()
    assert parsed.rejects["series_id"].to_list() == ["CIK42"]
    return str(parsed.rejects["reason"].item())


def test_a_fact_keeps_every_field_but_the_frame() -> None:
    parsed = _parse(FACT)
    assert dict(parsed.filing_facts.schema) == FILING_FACT
    assert dict(parsed.rejects.schema) == REJECT
    assert parsed.filing_facts.row(0) == (
        42,
        "us-gaap",
        "Capex",
        "USD",
        date(2025, 1, 1),
        date(2025, 3, 31),
        7.5e9,
        "0000000042-25-000001",
        "10-Q",
        date(2025, 4, 25),
        2025,
        "Q1",
        "us-gaap/Capex USD accession 0000000042-25-000001",
    )


def test_an_instant_has_no_start_and_a_proxy_statement_no_fiscal_period() -> None:
    instant = {k: v for k, v in FACT.items() if k != "start"} | {"fy": None, "fp": None, "form": "DEF 14A"}
    row = _parse(instant).filing_facts.row(0, named=True)
    assert (row["period_start"], row["fiscal_year"], row["fiscal_period"], row["form"]) == (None, None, None, "DEF 14A")


@pytest.mark.parametrize("cik", ["42", "0000000042", 42])
def test_the_cik_may_be_text(cik: Any) -> None:
    assert _parse(FACT, cik=cik).filing_facts["cik"].to_list() == [42]


def test_facts_of_another_company_are_refused() -> None:
    with pytest.raises(BadPayload, match=r"asked for CIK 42, answered for CIK 43 \(ACME\)"):
        _parse(FACT, cik=43)


@pytest.mark.parametrize("cik", [None, "", "none", "-42", 42.5])
def test_an_unreadable_cik_is_refused(cik: Any) -> None:
    with pytest.raises(BadPayload, match="asked for CIK 42"):
        _parse(FACT, cik=cik)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": "2025-02-30"}, "'end' is not a date: 2025-02-30"),
        ({"start": "Q1"}, "'start' is not a date: Q1"),
        ({"filed": 20250425}, "'filed' is not a date: 20250425"),
        ({"filed": "2025-04-25T10:00:00"}, "'filed' is not a date: 2025-04-25T10:00:00"),
        ({"accn": None}, "'accn' is missing"),
        ({"form": None}, "'form' is missing"),
        ({"start": "2025-04-01"}, "the period ends before it starts: 2025-04-01 to 2025-03-31"),
        ({"val": "7.5 billion"}, "'val' is not a number: '7.5 billion'"),
        ({"val": True}, "'val' is not a number: True"),
        ({"val": float("nan")}, "'val' is not a number: 'NaN'"),
        ({"val": []}, "'val' is not a number: []"),
    ],
)
def test_a_broken_cell_is_a_reject_with_its_reason(change: dict[str, Any], reason: str) -> None:
    assert _only_reason(_parse(FACT | change)) == reason


def test_a_broken_fact_leaves_the_others_and_is_found_by_tag_and_accession() -> None:
    parsed = _parse(FACT, FACT | {"val": "x", "accn": "0000000042-26-000009"})
    assert parsed.filing_facts.height == 1
    assert parsed.rejects["row"].to_list() == ["us-gaap/Capex USD accession 0000000042-26-000009"]


def test_a_null_value_is_counted_as_missing() -> None:
    parsed = _parse(FACT, FACT | {"val": None, "end": "2025-06-30"}, FACT | {"val": None, "end": "2025-09-30"})
    assert parsed.missing == {"CIK42": 2}
    assert parsed.filing_facts.height == 1
    assert parsed.rejects.is_empty()


def test_a_repeated_fact_is_one_row() -> None:
    parsed = _parse(FACT, FACT | {"frame": None, "fy": 2026})
    assert parsed.filing_facts["fiscal_year"].to_list() == [2025]
    assert parsed.rejects.is_empty()


def test_the_same_fact_in_two_filings_is_two_rows() -> None:
    later = FACT | {"accn": "0000000042-26-000001", "filed": "2026-04-24", "val": 7400000000}
    assert _parse(FACT, later).filing_facts["value"].to_list() == [7.5e9, 7.4e9]


def test_two_values_in_one_accession_are_one_reject_that_names_both() -> None:
    other = FACT | {"end": "2025-06-30"}
    parsed = _parse(FACT, FACT | {"val": 7400000000}, other)
    assert parsed.filing_facts["period_end"].to_list() == [date(2025, 6, 30)]
    assert parsed.rejects["reason"].to_list() == [
        "one accession gives two values for the period ending 2025-03-31: 7500000000.0 and 7400000000.0"
    ]


@pytest.mark.parametrize(
    ("values", "exact"),
    [
        ((7_512_000_000, 7_500_000_000), 7_512_000_000),
        ((7_500_000_000, 7_512_000_000, 7_512_345_000), 7_512_345_000),
        ((7_512_000_000, 8_000_000_000), None),  # one digit left: 8 billion agrees with half of everything
        ((7_512_000_000, 7_600_000_000), None),
        ((7_250_000_000, 7_240_000_000), None),
        ((7_250_000_000, 7_300_000_000), None),
        ((72_250_000_000, 72_200_000_000), 72_250_000_000),
        ((110_000_000_000, 114_000_000_000), None),
        ((40_000_000_000, 41_000_000_000), None),
        ((7_512_000_000, 7_513_000_000), None),
        ((-7_512_000_000, 7_500_000_000), None),
        ((7_512_000_000, 0), None),
        ((1.234, 1.23), 1.234),
    ],
)
def test_a_rounding_beside_the_exact_value_is_the_same_fact(values: tuple[float, ...], exact: float | None) -> None:
    for given in (values, values[::-1]):
        parsed = _parse(*(FACT | {"val": value} for value in given), FACT | {"end": "2025-06-30", "val": 1})
        assert parsed.filing_facts["value"].to_list() == ([] if exact is None else [exact]) + [1]
        assert parsed.rejects.height == (exact is None)


def test_a_rounded_instant_is_the_same_fact_too() -> None:
    instant = {k: v for k, v in FACT.items() if k != "start"}
    parsed = _parse(instant | {"val": 4_020_000_000}, instant | {"val": 4_024_000_000})
    assert parsed.filing_facts["value"].to_list() == [4.024e9]


def test_two_values_for_one_instant_are_a_reject_too() -> None:
    instant = {k: v for k, v in FACT.items() if k != "start"}
    assert "two values" in _only_reason(_parse(instant, instant | {"val": 1}))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_body(FACT)[:-40], "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (_body(FACT).replace(b"10-Q", b"10-\xe9"), "not readable as JSON"),
        (_body(FACT | {"val": "NaN"}).replace(b"10-Q", b"10-\\ud800"), "surrogates not allowed"),
        (_body(FACT).replace(b"7500000000", b"[" * 100_000 + b"]" * 100_000), "not readable as JSON"),
        (b"[]", "no 'facts' mapping"),
        (b'{"cik": 42, "entityName": "ACME"}', "no 'facts' mapping"),
        (b"<!DOCTYPE html><title>Request Rate Threshold Exceeded</title>", "a page in place of JSON"),
        (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "no companyfacts under this CIK"),
        (_body(facts={}), "holds no financial statements, only nothing"),
        (_body(facts={"dei": {"Cover": {"units": {"USD": [FACT]}}}}), "holds no financial statements, only dei"),
        (_body(facts={"us-gaap": {"Capex": {"units": {"USD": {}}}}}), "us-gaap/Capex is not nested"),
        (_body(facts={"us-gaap": {"Capex": {}}}), "us-gaap/Capex is not nested"),
        (_body(facts={"us-gaap": {"Capex": {"units": {"USD": [1]}}}}), "not nested as units and facts"),
    ],
)
def test_a_wrong_shape_is_refused_with_a_plain_sentence(body: bytes, message: str) -> None:
    with pytest.raises(BadPayload, match=message) as caught:
        sec_edgar.parse(body, KEY, CATALOG)
    assert caught.value.source == "sec_edgar"
    assert caught.value.series == KEY


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(BadPayload, match="not of the form"):
        sec_edgar.parse(_body(FACT), "companyfacts/42", CATALOG)


def _company(name: str, *ciks: Validity) -> Company:
    return Company(
        id=name,
        name=name,
        role="hyperscaler",
        ciks=list(ciks),
        fiscal_year_end="12-31",
        concepts={"capex": ["Capex"]},
        filing_lag_days=75,
        description=name,
    )


GOOGL = _company(
    "GOOGL",
    Validity(cik=1288776, valid_to=date(2015, 10, 1)),
    Validity(cik=1652044, valid_from=date(2015, 10, 2)),
)
MSFT = _company("MSFT", Validity(cik=789019))
GONE = _company("ALTM", Validity(cik=1977303, valid_from=date(2024, 1, 4), valid_to=date(2025, 6, 30)))


def test_only_the_cik_in_force_is_asked_for() -> None:
    catalog = Catalog([], [], [GOOGL, MSFT], [])

    def asked(day: date) -> list[str]:
        return [request.key for request in sec_edgar.plan(catalog, day)]

    assert asked(date(2026, 11, 22)) == [
        "submissions/CIK0001652044",
        "companyfacts/CIK0001652044",
        "submissions/CIK0000789019",
        "companyfacts/CIK0000789019",
    ]
    assert asked(date(2015, 10, 2))[1] == "companyfacts/CIK0001652044"
    assert asked(date(2015, 10, 1))[1] == "companyfacts/CIK0001288776"
    filings, facts = sec_edgar.plan(catalog, date(2026, 11, 22))[2:]
    assert filings.url == "https://data.sec.gov/submissions/CIK0000789019.json"
    assert facts.url == "https://data.sec.gov/api/xbrl/companyfacts/CIK0000789019.json"
    assert [(request.land, request.closed) for request in (filings, facts)] == [(True, False)] * 2


def test_a_company_that_files_no_more_is_asked_for_once() -> None:
    catalog = Catalog([], [], [GONE], [])
    assert [(r.key, r.closed) for r in sec_edgar.plan(catalog, date(2026, 11, 22))] == [
        ("submissions/CIK0001977303", True),
        ("companyfacts/CIK0001977303", True),
    ]
    assert [r.closed for r in sec_edgar.plan(catalog, date(2025, 1, 2))] == [False, False]
    assert sec_edgar.plan(catalog, date(2023, 12, 31)) == []


# submissions: made-up values in the shape of the recorded responses

LIST_KEY = "submissions/CIK0000000042"
LIST: dict[str, list[Any]] = {
    "accessionNumber": ["0000000042-26-000003", "0000000042-26-000002", "0000000042-26-000001"],
    "filingDate": ["2026-04-24", "2026-03-02", "2026-02-05"],
    "reportDate": ["2026-03-31", "2026-03-01", "2025-12-31"],
    "acceptanceDateTime": ["2026-04-24T20:01:15.000Z", "2026-03-02T23:01:15.000Z", ""],
    "form": ["10-Q", "4", "10-K/A"],
    "primaryDocument": ["q.htm", "form4.xml", ""],
}


def _list(cik: Any = "0000000042", **changes: Any) -> bytes:
    return json.dumps({"cik": cik, "name": "ACME", "filings": {"recent": LIST | changes, "files": []}}).encode()


def test_only_periodic_reports_are_kept_of_the_list_of_filings() -> None:
    parsed = sec_edgar.parse(_list(), LIST_KEY, CATALOG)
    assert dict(parsed.filings.schema) == FILING
    assert parsed.filings.rows() == [
        (
            42,
            "0000000042-26-000003",
            "10-Q",
            date(2026, 4, 24),
            date(2026, 3, 31),
            "2026-04-24T20:01:15.000Z",
            "q.htm",
            "filing 0: 0000000042-26-000003",
        ),
        (
            42,
            "0000000042-26-000001",
            "10-K/A",
            date(2026, 2, 5),
            date(2025, 12, 31),
            None,
            None,
            "filing 2: 0000000042-26-000001",
        ),
    ]
    assert parsed.rejects.is_empty()
    assert parsed.filing_facts.is_empty()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"filingDate": ["24.04.2026", "2026-03-02", "2026-02-05"]}, "'filingDate' is not a date: 24.04.2026"),
        ({"reportDate": ["Q1", "2026-03-01", "2025-12-31"]}, "'reportDate' is not a date: Q1"),
        ({"accessionNumber": [None, "b", "c"]}, "'accessionNumber' is missing"),
    ],
)
def test_a_broken_line_of_the_list_is_a_reject(change: dict[str, Any], reason: str) -> None:
    parsed = sec_edgar.parse(_list(**change), LIST_KEY, CATALOG)
    assert parsed.rejects.select("series_id", "reason").rows() == [("CIK42", reason)]
    assert parsed.filings.height == 1


def test_an_accession_number_that_stands_twice_is_rejected_both_times() -> None:
    parsed = sec_edgar.parse(_list(accessionNumber=["a", "b", "a"]), LIST_KEY, CATALOG)
    assert parsed.rejects.height == 2
    assert parsed.filings.is_empty()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_list(form=["10-Q"]), "the arrays of 'filings.recent' do not match"),
        (_list(primaryDocument=None), "the arrays of 'filings.recent' do not match"),
        (b'{"cik": "0000000042", "filings": {}}', "no 'filings.recent' mapping"),
        (_list(cik="0000000043"), r"asked for CIK 42, answered for CIK '0000000043' \(ACME\)"),
        (b"<!DOCTYPE html><title>Request Rate Threshold Exceeded</title>", "a page in place of JSON"),
        (_list()[:-30], "not readable as JSON"),
    ],
)
def test_another_answer_than_a_list_of_filings_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadPayload, match=message):
        sec_edgar.parse(body, LIST_KEY, CATALOG)


def test_rows_stay_in_the_order_of_the_payload() -> None:
    ends = ["2025-09-30", "2025-03-31", "2025-06-30"]
    parsed = _parse(*(FACT | {"end": end} for end in ends))
    assert parsed.filing_facts["period_end"].cast(pl.String).to_list() == ends
