"""SEC financial statement data sets on small made-up archives in the recorded layout, and on what is none."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from pipelines.catalog import Catalog, Company, Validity
from pipelines.errors import BadPayload
from pipelines.sources import FILING_FACT, REJECT, sec_financial_statements

KEY = "2010q2"
SUB = "adsh\tcik\tname\tform\tperiod\tfy\tfp\tfiled\tnciks\taciks"
NUM = "adsh\ttag\tversion\tddate\tqtrs\tuom\tsegments\tcoreg\tvalue\tfootnote"
FILER = "0000000042-10-000001\t42\tACME\t10-Q\t20100331\t2010\tQ1\t20100507\t1\t"
OTHER = "0000000043-10-000001\t43\tOTHER\t10-Q\t20100331\t2010\tQ1\t20100507\t1\t"
CATALOG = Catalog(
    [],
    [],
    [
        Company(
            id="ACME",
            name="ACME",
            role="copper",
            ciks=[Validity(cik=42)],
            fiscal_year_end="12-31",
            concepts={"capex": ["Capex"]},
            filing_lag_days=75,
            description="ACME",
        )
    ],
    [],
)


def fact(**changes: str) -> str:
    cells = {
        "adsh": "0000000042-10-000001",
        "tag": "Capex",
        "version": "us-gaap/2009",
        "ddate": "20100331",
        "qtrs": "1",
        "uom": "USD",
        "segments": "",
        "coreg": "",
        "value": "140000000.0000",
        "footnote": "",
    }
    return "\t".join((cells | changes).values())


def archive(*facts: str, sub: tuple[str, ...] = (SUB, FILER, OTHER), num: str = NUM, **extra: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("sub.txt", "\n".join(sub) + "\n")
        file.writestr("num.txt", "\n".join([num, *facts]) + "\n")
        for name, text in extra.items():
            file.writestr(name, text)
    return buffer.getvalue()


def test_a_fact_has_the_terms_of_companyfacts() -> None:
    parsed = sec_financial_statements.parse(archive(fact()), KEY, CATALOG)
    assert dict(parsed.filing_facts.schema) == FILING_FACT
    assert dict(parsed.rejects.schema) == REJECT
    assert parsed.filing_facts.rows() == [
        (
            42,
            "us-gaap",
            "Capex",
            "USD",
            date(2010, 1, 1),
            date(2010, 3, 31),
            140000000.0,
            "0000000042-10-000001",
            "10-Q",
            date(2010, 5, 7),
            2010,
            "Q1",
            "us-gaap/Capex USD accession 0000000042-10-000001",
        )
    ]


@pytest.mark.parametrize(
    ("ddate", "qtrs", "start"),
    [
        ("20100331", "0", None),
        ("20100331", "3", date(2009, 7, 1)),
        ("20100331", "4", date(2009, 4, 1)),
        ("20100228", "1", date(2009, 12, 1)),
        ("20120229", "2", date(2011, 9, 1)),
    ],
)
def test_the_first_day_follows_from_the_count_of_quarters(ddate: str, qtrs: str, start: date | None) -> None:
    parsed = sec_financial_statements.parse(archive(fact(ddate=ddate, qtrs=qtrs)), KEY, CATALOG)
    assert parsed.filing_facts["period_start"].to_list() == [start]


def test_segments_subsidiaries_own_tags_and_other_filers_are_left_out() -> None:
    body = archive(
        fact(segments="BusinessSegments=Copper;"),
        fact(coreg="ParentCompany"),
        fact(version="0000000042-10-000001"),
        fact(adsh="0000000043-10-000001"),
        fact(tag="Kept", version="ifrs/2016"),
    )
    parsed = sec_financial_statements.parse(body, KEY, CATALOG)
    assert parsed.filing_facts.select("taxonomy", "tag").rows() == [("ifrs-full", "Kept")]
    assert parsed.rejects.is_empty()


def test_an_edition_without_the_column_of_segments_is_read() -> None:
    num = NUM.replace("\tsegments", "")
    body = archive(fact().replace("\t\t\t", "\t\t"), num=num)
    assert sec_financial_statements.parse(body, KEY, CATALOG).filing_facts.height == 1


def test_an_empty_value_is_missing_and_a_quotation_mark_no_delimiter() -> None:
    body = archive(fact(value=""), fact(tag='Od"d', footnote='a "note'), fact(tag="Last"))
    parsed = sec_financial_statements.parse(body, KEY, CATALOG)
    assert parsed.missing == {"CIK42": 1}
    assert parsed.filing_facts["tag"].to_list() == ['Od"d', "Last"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ddate": "20100330"}, "'ddate' is not a month's end: 20100330"),
        ({"ddate": "2010"}, "'ddate' is not a month's end: 2010"),
        ({"qtrs": "x"}, "'qtrs' is not a number of quarters: x"),
        ({"qtrs": "-1"}, "'qtrs' is not a number of quarters: -1"),
        ({"value": "1,4"}, "'value' is not a number: 1,4"),
        ({"value": "NaN"}, "'value' is not a number: NaN"),
    ],
)
def test_a_broken_cell_is_a_reject(change: dict[str, str], reason: str) -> None:
    parsed = sec_financial_statements.parse(archive(fact(**change)), KEY, CATALOG)
    assert parsed.rejects["reason"].to_list() == [reason]
    assert parsed.filing_facts.is_empty()


def test_two_values_in_one_accession_are_one_reject_and_a_repetition_is_one_row() -> None:
    body = archive(fact(), fact(value="1"), fact(tag="Same"), fact(tag="Same"))
    parsed = sec_financial_statements.parse(body, KEY, CATALOG)
    assert parsed.filing_facts["tag"].to_list() == ["Same"]
    assert parsed.rejects["reason"].to_list() == [
        "one accession gives two values for the period ending 2010-03-31: 140000000.0 and 1.0"
    ]


def _without(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive(fact()))) as whole, zipfile.ZipFile(buffer, "w") as part:
        for member in whole.infolist():
            if member.filename != name:
                part.writestr(member.filename, whole.read(member))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>gone</html>", "not a zip archive"),
        (archive(fact())[:-40], "not a zip archive"),
        (_without("num.txt"), "no num.txt in the archive"),
        (_without("sub.txt"), "no sub.txt in the archive"),
        (archive(fact(), num=NUM.replace("qtrs", "quarters")), "num.txt lacks qtrs"),
        (archive(fact(), sub=(SUB.replace("filed", "day"), FILER)), "sub.txt lacks filed"),
    ],
)
def test_another_archive_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        sec_financial_statements.parse(body, KEY, CATALOG)


def test_a_member_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sec_financial_statements, "MAX_MEMBER_BYTES", 100)
    with pytest.raises(BadPayload, match=r"sub.txt unzips to \d+ bytes"):
        sec_financial_statements.parse(archive(fact()), KEY, CATALOG)


def test_every_quarter_since_2009_is_asked_for_once() -> None:
    requests = sec_financial_statements.plan(CATALOG, date(2026, 11, 22))
    assert [requests[0].key, requests[-1].key, len(requests)] == ["2009q2", "2026q3", 70]
    assert all(request.closed for request in requests)
    assert requests[4].url == "https://www.sec.gov/files/dera/data/financial-statement-data-sets/2010q2.zip"
    with pytest.raises(BadPayload, match="not of the form yyyyqn"):
        sec_financial_statements.parse(archive(fact()), "2010", CATALOG)


@pytest.mark.parametrize(
    ("today", "absent"),
    [
        (date(2026, 7, 1), ["2026q2"]),
        (date(2026, 8, 12), ["2026q2"]),  # the day on which it was recorded as a 404
        (date(2026, 9, 30), []),
        (date(2026, 10, 1), ["2026q3"]),
    ],
)
def test_a_quarter_may_be_absent_until_it_must_be_out(today: date, absent: list[str]) -> None:
    assert [r.key for r in sec_financial_statements.plan(CATALOG, today) if r.absent_ok] == absent
