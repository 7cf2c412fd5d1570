"""The Fiscal Data module on answers in the documented shape, not recorded: both fiscal years of table 1, pages, nulls.

The figures named in test bodies are those that were read in real answers: October 2024 (257,450,036,967.21), March
2025 (160,528,321,499.36) and April 2025 (-258,399,949,114.96) in the report of March 2026.
"""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, fiscal_data
from tests.replay_routes.fiscal_data import envelope, report


def series(series_id: str, frequency: Frequency = Frequency.MONTHLY, **select: str) -> Series:
    return Series(
        id=series_id,
        source="fiscal_data",
        title=series_id,
        publisher="Treasury",
        select=select,
        unit="usd",
        frequency=frequency,
        plausible=(-1e13, 1e14),
        publication_lag_days=20,
        staleness_limit_days=65,
        licence="public domain",
        history=History.REVISED,
        description=series_id,
    )


CATALOG = Catalog(
    [],
    [
        series("deficit", table="mts_table_1", field="current_month_dfct_sur_amt"),
        series("receipts", table="mts_table_1", field="current_month_gross_rcpt_amt"),
        series("outlays", table="mts_table_1", field="current_month_gross_outly_amt"),
        series("customs", table="mts_table_4", line="Customs Duties", field="current_month_net_rcpt_amt"),
        series("customs_fytd", table="mts_table_4", line="Customs Duties", field="current_fytd_net_rcpt_amt"),
        series("debt", Frequency.DAILY, table="debt_to_penny", field="tot_pub_debt_out_amt"),
    ],
    [],
    [],
)
CUSTOMS = "mts_table_4/Customs Duties"


OCTOBER_2024 = ("326770236058.10", "584220273025.31", "257450036967.21")
MARCH_2025 = ("367000000000.00", "527528321499.36", "160528321499.36")
APRIL_2025 = ("850000000000.00", "591600050885.04", "-258399949114.96")
MARCH_2026 = ("380000000000.00", "545000000000.00", "165000000000.00")
REPORT = report(
    date(2026, 3, 31),
    {
        (2025, "October"): OCTOBER_2024,
        (2025, "March"): MARCH_2025,
        (2025, "April"): APRIL_2025,
        (2026, "March"): MARCH_2026,
    },
)


def figures(rows: list[dict[str, str]], series_id: str) -> dict[date, float]:
    parsed = fiscal_data.parse(envelope(rows), "mts_table_1", CATALOG)
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_a_month_is_never_taken_from_the_block_of_the_year_before() -> None:
    deficits = figures(REPORT, "deficit")

    # The naive selection, by the name of the month under the newest report date, gives a year-old figure.
    naive = next(row for row in REPORT if row["classification_desc"] == "March")
    assert naive["current_month_dfct_sur_amt"] == "160528321499.36"
    assert deficits[date(2026, 3, 1)] == 165000000000.0
    assert min(deficits) == date(2025, 10, 1)
    assert max(deficits) == date(2026, 3, 1)
    assert len(deficits) == 6
    assert not set(deficits.values()) & {257450036967.21, 160528321499.36, -258399949114.96, 1246203266386.93}
    assert figures(REPORT, "receipts")[date(2026, 3, 1)] == 380000000000.0
    assert figures(REPORT, "outlays")[date(2026, 3, 1)] == 545000000000.0


def test_a_year_to_date_row_is_left_out_even_as_a_month_row() -> None:
    rows = [row | {"record_type_cd": "MTH"} if row["data_type_cd"] == "T" else row for row in REPORT]
    parsed = fiscal_data.parse(envelope(rows), "mts_table_1", CATALOG)
    assert parsed.rejects.is_empty()
    assert figures(rows, "deficit") == figures(REPORT, "deficit")


def test_the_newest_report_of_a_months_own_year_holds() -> None:
    first = report(date(2024, 10, 31), {(2025, "October"): ("326770236058.10", "584220273025.31", "257450036967.21")})
    restated = ("326770236058.10", "584220300000.00", "257450063941.90")
    second = report(date(2024, 11, 30), {(2025, "October"): restated})
    october, november = date(2024, 10, 1), date(2024, 11, 1)

    assert set(figures(first, "deficit")) == {october}
    assert figures(first + second, "deficit")[october] == 257450063941.90
    assert figures(second + first, "deficit").keys() == {october, november}
    # The report of March 2026 restates October 2024 once more, in the block that is not read.
    assert figures(first + second + REPORT, "deficit")[october] == 257450063941.90


def test_amounts_keep_their_cents_and_say_where_they_stand() -> None:
    parsed = fiscal_data.parse(envelope(REPORT), "mts_table_1", CATALOG)
    assert dict(parsed.observations.schema) == OBSERVATION
    march = parsed.observations.filter(series_id="deficit", period=date(2026, 3, 1)).rows()
    assert march == [
        ("deficit", date(2026, 3, 1), 165e9, 2, "current_month_dfct_sur_amt of 2026-03-31, row 20"),
    ]
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


def test_the_text_null_is_missing_and_no_zero() -> None:
    rows = report(date(2025, 11, 30), {(2026, "November"): ("null", "null", "null")})
    parsed = fiscal_data.parse(envelope(rows), "mts_table_1", CATALOG)
    assert parsed.missing == {"deficit": 1, "outlays": 1, "receipts": 1}
    assert parsed.observations.get_column("period").unique().to_list() == [date(2025, 10, 1)]


def test_a_deficit_with_another_sign_is_rejected_and_its_legs_stay() -> None:
    rows = report(date(2025, 10, 31), {(2026, "October"): ("404371000000.00", "688737000000.00", "-284366000000.00")})
    parsed = fiscal_data.parse(envelope(rows), "mts_table_1", CATALOG)
    assert set(parsed.observations.get_column("series_id")) == {"receipts", "outlays"}
    assert parsed.rejects.get_column("series_id").to_list() == ["deficit"]
    assert "is not outlays" in parsed.rejects["reason"][0]


def test_a_report_whose_blocks_changed_places_is_refused_and_the_others_stay() -> None:
    swapped = [dict(row) for row in report(date(2025, 11, 30), {})]
    for row in swapped:
        if row["record_type_cd"] == "SL":
            row["sequence_number_cd"] = "3" if row["sequence_number_cd"] == "2" else "2"
    good = report(date(2025, 12, 31), {})
    parsed = fiscal_data.parse(envelope(swapped + good), "mts_table_1", CATALOG)
    assert len(figures(swapped + good, "deficit")) == 3
    assert parsed.rejects.rows() == [
        (
            None,
            "report 2025-11-30",
            "the block numbered 2 is 'FY 2025' and not the report's own FY 2026, or stands there twice",
        )
    ]
    with pytest.raises(BadPayload, match="no report has a root of its own fiscal year"):
        figures(swapped, "deficit")
    renamed = [row | {"record_type_cd": "MON"} if row["record_type_cd"] == "MTH" else row for row in good]
    with pytest.raises(BadPayload, match="no row of type MTH is below the root"):
        figures(renamed, "deficit")


def test_a_month_twice_in_a_report_or_after_it_is_rejected() -> None:
    rows = report(date(2025, 11, 30), {})
    november = next(row for row in rows if row["sequence_number_cd"] == "2.2")
    assert figures([*rows, november], "deficit").keys() == {date(2025, 10, 1)}
    later = [row | {"classification_desc": "December"} if row is november else row for row in rows]
    parsed = fiscal_data.parse(envelope(later), "mts_table_1", CATALOG)
    assert parsed.rejects["reason"].to_list() == ["'December' is not a month of the report"]


def customs(day: str, month: str, fytd: str, **changed: str) -> dict[str, str]:
    return {
        "record_date": day,
        "classification_desc": "Customs Duties",
        "record_type_cd": "RSG",
        "current_month_net_rcpt_amt": month,
        "current_fytd_net_rcpt_amt": fytd,
    } | changed


def test_customs_duties_of_the_month_may_be_negative_and_other_lines_are_left_out() -> None:
    rows = [
        customs("2026-06-30", "22000000000.10", "163019127010.17"),
        customs("2026-07-31", "-8546441906.97", "154472685103.20"),
        customs("2026-07-31", "1.00", "2.00", classification_desc="Customs Duties Reserve"),
    ]
    parsed = fiscal_data.parse(envelope(rows), CUSTOMS, CATALOG)
    assert parsed.observations.select("series_id", "period", "value").sort("series_id", "period").rows() == [
        ("customs", date(2026, 6, 1), 22000000000.10),
        ("customs", date(2026, 7, 1), -8546441906.97),
        ("customs_fytd", date(2026, 6, 1), 163019127010.17),
        ("customs_fytd", date(2026, 7, 1), 154472685103.20),
    ]


def test_a_field_that_is_gone_fails_its_series_alone_and_a_report_within_a_month_its_row() -> None:
    rows = [{k: v for k, v in customs("2026-07-31", "1.5", "2.5").items() if k != "current_fytd_net_rcpt_amt"}]
    rows.append(customs("2026-07-15", "3.5", "4.5", current_fytd_net_rcpt_amt="x"))
    del rows[1]["current_fytd_net_rcpt_amt"]
    parsed = fiscal_data.parse(envelope(rows), CUSTOMS, CATALOG)
    assert parsed.observations.select("series_id", "period", "value").rows() == [("customs", date(2026, 7, 1), 1.5)]
    assert parsed.rejects.select("series_id", "reason").rows() == [
        ("customs_fytd", "no row has the field current_fytd_net_rcpt_amt"),
        ("customs", "not a period of this series: '2026-07-15'"),
    ]


@pytest.mark.parametrize(
    ("body", "key", "what"),
    [
        (b"<html>Service Unavailable</html>", "debt_to_penny", "not JSON"),
        (envelope(REPORT)[:-30], "mts_table_1", "not JSON"),
        (b'{"error": "Invalid Query Param", "message": "field does not exist"}', "debt_to_penny", "does not exist"),
        (envelope([]), "debt_to_penny", "total-count is '0'"),
        (envelope(REPORT, total=len(REPORT) + 1), "mts_table_1", "belong on it"),
        (envelope(REPORT, total=10_001), "mts_table_1", "belong on it"),
        (envelope([{"record_date": "2026-05-12", "other": "1"}]), "debt_to_penny", "none of the catalogued amounts"),
        (envelope([{"tot_pub_debt_out_amt": "1"}]), "debt_to_penny", "no record_date"),
        (envelope([customs("2026-07-31", "1", "2", classification_desc="Customs")]), CUSTOMS, "no row is 'Customs Du"),
        (envelope([{"record_date": "2026-05-12", "record_type_cd": "MTH"}]), "mts_table_1", "the rows have no"),
        (envelope(REPORT), "mts_table_5", "no catalogued series reads"),
    ],
)
def test_an_answer_that_is_not_the_whole_table_is_refused(body: bytes, key: str, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        fiscal_data.parse(body, key, CATALOG)


def test_pages_are_asked_for_until_the_count_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fiscal_data, "PAGE_SIZE", 2)
    days = [{"record_date": f"2026-05-1{n}", "tot_pub_debt_out_amt": f"3894680056140{n}.14"} for n in range(5)]
    first = fiscal_data.plan(CATALOG, date(2026, 11, 22))[-1]
    assert first.then is not None
    second, third = first.then(envelope(days[:2], total=5))

    assert (second.key, dict(second.params)["page[number]"]) == ("debt_to_penny/page2", "2")
    assert (third.key, third.then) == ("debt_to_penny/page3", None)
    read = [
        fiscal_data.parse(envelope(page, total=5), request.key, CATALOG).observations.height
        for request, page in ((first, days[:2]), (second, days[2:4]), (third, days[4:]))
    ]
    assert read == [2, 2, 1]
    with pytest.raises(BadPayload, match="page 3 has 2 rows, and 1 of 5 belong on it"):
        fiscal_data.parse(envelope(days[2:4], total=5), third.key, CATALOG)
    with pytest.raises(BadPayload, match="a page may cut a report in two"):
        fiscal_data.parse(envelope(REPORT[:2], total=5), "mts_table_1", CATALOG)


def test_one_request_per_table_and_line() -> None:
    requests = fiscal_data.plan(CATALOG, date(2026, 11, 22))
    assert [request.key for request in requests] == ["mts_table_1", CUSTOMS, "debt_to_penny"]
    assert requests[0].url.endswith("/fiscal_service/v1/accounting/mts/mts_table_1")
    assert requests[2].url.endswith("/fiscal_service/v2/accounting/od/debt_to_penny")
    assert dict(requests[1].params) == {
        "fields": "record_date,classification_desc,record_type_cd,current_month_net_rcpt_amt,current_fytd_net_rcpt_amt",
        "filter": "classification_desc:eq:Customs Duties",
        "sort": "record_date",
        "page[number]": "1",
        "page[size]": "10000",
    }
