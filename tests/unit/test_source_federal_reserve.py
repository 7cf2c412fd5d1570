"""The Federal Reserve Board module on small archives: documented shape, not recorded."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, federal_reserve
from tests.replay_routes.federal_reserve import Item, archive, document


def series(series_id: str, name: str, frequency: Frequency, freq: str, release: str = "H15", **unit: object) -> Series:
    return Series(
        id=series_id,
        source="federal_reserve",
        title=name,
        publisher="Board of Governors",
        select={"release": release, "series_name": name, "freq": freq, **unit},
        unit="pct",
        frequency=frequency,
        plausible=(-100, 100000),
        publication_lag_days=1,
        staleness_limit_days=10,
        licence="public domain",
        history=History.STABLE,
        description=name,
    )


PERCENT = {"unit": "Percent:_Per_Year", "unit_mult": 1}
CATALOG = Catalog(
    [],
    [
        series("ten_year", "RIFLGFCY10_N.B", Frequency.DAILY, "9", **PERCENT),
        series("fed_funds", "RIFSPFF_N.M", Frequency.MONTHLY, "129", **PERCENT),
        series("quarterly", "RIELP.Q", Frequency.QUARTERLY, "162"),
        series("m2", "M2.M", Frequency.MONTHLY, "129", "H6", unit="Currency", unit_mult=1.0e9),
        series("ip_2017", "IP.B50001.S", Frequency.MONTHLY, "129", "G17", unit="Index:_2017_100", unit_mult=1),
        series("ip_2022", "IP.B50001.S", Frequency.MONTHLY, "129", "G17", unit="Index:_2022_100", unit_mult=1),
    ],
    [],
    [],
)
DAILY = Item(
    "RIFLGFCY10_N.B",
    "9",
    [("2026-07-02", "4.70", "A"), ("2026-07-03", "-9999", "ND"), ("2026-07-06", "4.68", "A")],
)
MONTHLY = Item("RIFSPFF_N.M", "129", [("2026-02-28", "3.64", "A"), ("2026-03-31", "3.63", "A")])
QUARTERLY = Item("RIELP.Q", "162", [("2026-03-31", "7.5", "A"), ("2026-06-30", "7.4", "A")], "Percent")
OTHER = Item("RIFSPBLP_N.M", "129", [("2026-02-28", "6.75", "A")])


def parse(release: str, *items: Item) -> federal_reserve.Parsed:
    return federal_reserve.parse(archive(release, document(release, items)), release, CATALOG)


def figures(parsed: federal_reserve.Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_a_period_is_dated_to_its_first_day_and_a_placeholder_is_missing() -> None:
    parsed = parse("H15", DAILY, OTHER, MONTHLY, QUARTERLY)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert figures(parsed, "ten_year") == {date(2026, 7, 2): 4.7, date(2026, 7, 6): 4.68}
    assert figures(parsed, "fed_funds") == {date(2026, 2, 1): 3.64, date(2026, 3, 1): 3.63}
    assert figures(parsed, "quarterly") == {date(2026, 1, 1): 7.5, date(2026, 4, 1): 7.4}
    assert parsed.missing == {"ten_year": 1}
    assert parsed.rejects.is_empty()
    assert set(parsed.observations.filter(series_id="ten_year")["decimals"]) == {2}
    assert parsed.observations["row"].to_list()[0] == "fed_funds at 2026-02-28"


@pytest.mark.parametrize("status", ["ND", "NA", "NC"])
def test_no_status_but_normal_lets_its_placeholder_through(status: str) -> None:
    parsed = parse("H15", Item("RIFLGFCY10_N.B", "9", [("2026-07-02", "0", status), ("2026-07-03", "4.7", "A")]))

    assert figures(parsed, "ten_year") == {date(2026, 7, 3): 4.7}
    assert parsed.missing["ten_year"] == 1


def test_a_status_that_is_not_known_and_a_value_that_is_none_are_rejected() -> None:
    odd = Item(
        "RIFLGFCY10_N.B",
        "9",
        [("2026-07-02", "4.7", "A"), ("2026-07-03", "4.8", "E"), ("2026-07-06", "n.a.", "A"), ("2026-07-07", "", "A")],
    )
    parsed = parse("H15", odd, MONTHLY, QUARTERLY)

    assert sorted(parsed.rejects.rows()) == [
        ("ten_year", "ten_year at 2026-07-03", "OBS_STATUS 'E' is not known here"),
        ("ten_year", "ten_year at 2026-07-06", "not a number: 'n.a.'"),
    ]
    assert figures(parsed, "ten_year") == {date(2026, 7, 2): 4.7}
    assert parsed.missing == {"ten_year": 1}  # an empty value


def test_a_day_that_ends_no_period_is_rejected() -> None:
    monthly = Item("RIFSPFF_N.M", "129", [("2026-02-01", "3.64", "A"), ("2026-03-31", "3.63", "A")])
    quarterly = Item("RIELP.Q", "162", [("2026-04-30", "7.5", "A"), ("2026-06-30", "7.4", "A")])
    parsed = parse("H15", DAILY, monthly, quarterly)

    assert sorted(parsed.rejects.select("series_id", "reason").rows()) == [
        ("fed_funds", "not a period of this series: '2026-02-01'"),
        ("quarterly", "not a period of this series: '2026-04-30'"),
    ]
    assert figures(parsed, "fed_funds") == {date(2026, 3, 1): 3.63}


def test_of_a_name_in_two_frequencies_the_catalogued_one_is_read() -> None:
    weekly = Item("RIFSPFF_N.M", "20", [("2026-02-04", "3.65", "A"), ("2026-02-11", "3.66", "A")])
    parsed = parse("H15", weekly, MONTHLY, DAILY, QUARTERLY)

    assert figures(parsed, "fed_funds") == {date(2026, 2, 1): 3.64, date(2026, 3, 1): 3.63}
    assert parsed.rejects.is_empty()


def test_of_every_day_and_business_days_the_catalogued_ones_are_read() -> None:
    every_day = Item("RIFLGFCY10_N.B", "8", [("2026-07-03", "4.69", "A"), ("2026-07-04", "4.69", "A")])
    parsed = parse("H15", every_day, DAILY, MONTHLY, QUARTERLY)

    assert figures(parsed, "ten_year") == {date(2026, 7, 2): 4.7, date(2026, 7, 6): 4.68}
    assert parsed.rejects.is_empty()


def test_equal_copies_count_once_and_differing_ones_are_rejected() -> None:
    one = Item("RIFSPFF_N.M", "129", [("2026-02-28", "3.64", "A"), ("2026-03-31", "3.63", "A")], dataset="H15")
    two = Item("RIFSPFF_N.M", "129", [("2026-02-28", "3.64", "A"), ("2026-03-31", "3.93", "A")], dataset="H15_again")
    parsed = parse("H15", one, two, DAILY, QUARTERLY)

    assert figures(parsed, "fed_funds") == {date(2026, 2, 1): 3.64}
    assert (
        parsed.rejects.rows()
        == [("fed_funds", "fed_funds at 2026-03-31", "period 2026-03-31 is in the payload more than once")] * 2
    )


def test_a_multiple_is_compared_as_a_number_and_another_one_fails_its_series() -> None:
    good = parse("H6", Item("M2.M", "129", [("2026-08-31", "23342.8", "A")], "Currency", "1e+09", "H6_M2"))
    assert figures(good, "m2") == {date(2026, 8, 1): 23342.8}

    bad = parse("H6", Item("M2.M", "129", [("2026-08-31", "23342800", "A")], "Currency", "1000000", "H6_M2"))
    assert bad.observations.is_empty()
    assert bad.rejects.rows() == [("m2", "H6", "M2.M is in Currency x 1e+06, not in Currency x 1e+09")]


@pytest.mark.parametrize(("unit", "series_id"), [("Index:_2017_100", "ip_2017"), ("Index:_2022_100", "ip_2022")])
def test_a_rebased_index_goes_to_the_entry_of_its_base(unit: str, series_id: str) -> None:
    parsed = parse("G17", Item("IP.B50001.S", "129", [("2026-08-31", "103.0682", "A")], unit, "1", "IP_MARKET_GROUPS"))

    assert parsed.observations.select("series_id", "period", "value").rows() == [
        (series_id, date(2026, 8, 1), 103.0682)
    ]
    assert parsed.rejects.is_empty()


def test_a_base_that_no_entry_reads_fails_loudly() -> None:
    parsed = parse("G17", Item("IP.B50001.S", "129", [("2026-08-31", "100.0", "A")], "Index:_2027_100"))

    assert parsed.observations.is_empty()
    assert parsed.rejects.select("series_id", "reason").rows() == [
        ("ip_2017", "IP.B50001.S is in Index:_2027_100 x 1, not in Index:_2017_100 x 1"),
        ("ip_2022", "IP.B50001.S is in Index:_2027_100 x 1, not in Index:_2022_100 x 1"),
    ]


def test_an_absent_series_fails_alone() -> None:
    parsed = parse("H15", DAILY, Item("RIFSPFF_N.M", "20", [("2026-02-04", "3.65", "A")]))

    assert parsed.rejects.rows() == [
        ("fed_funds", "H15", "RIFSPFF_N.M does not stand there with FREQ 129"),
        ("quarterly", "H15", "no series RIELP.Q"),
    ]
    assert len(figures(parsed, "ten_year")) == 2


XML = document("H15", [DAILY])
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><html>Page not found</html>", "not a readable zip"),
        (archive("H15", XML)[:-60], "not a readable zip"),
        (archive("H15", XML, "H15_other.xml"), "has 0 files H15_data.xml"),
        (archive("H15", XML[:-40]), "not readable as XML"),
        (archive("H15", b""), "not readable as XML"),
        (archive("H15", BOMB), "declares a document type"),
        (archive("H15", document("H15", [OTHER])), "none of the 3 catalogued series"),
    ],
)
def test_an_archive_that_is_not_the_release_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        federal_reserve.parse(body, "H15", CATALOG)


def test_a_damaged_member_is_refused() -> None:
    body = bytearray(archive("H15", document("H15", [Item("RIFLGFCY10_N.B", "9", DAILY.observations)] * 50)))
    body[body.index(b"H15_data.xml") + 60] ^= 0xFF
    with pytest.raises(BadPayload, match=r"not a readable zip|not readable as XML"):
        federal_reserve.parse(bytes(body), "H15", CATALOG)


def test_an_archive_that_unzips_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federal_reserve, "MAX_XML_BYTES", len(XML) - 1)
    with pytest.raises(BadPayload, match="says it unzips to"):
        federal_reserve.parse(archive("H15", XML), "H15", CATALOG)

    lying = bytearray(archive("H15", XML))
    directory = lying.rindex(b"H15_data.xml") - 46  # its entry in the central directory; bytes 24 to 27 are the size
    lying[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    with pytest.raises(BadPayload, match=r"unzips to more than|not a readable zip|not readable as XML"):
        federal_reserve.parse(bytes(lying), "H15", CATALOG)


def test_a_key_that_no_series_reads_is_refused() -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads 'Z1'"):
        federal_reserve.parse(archive("Z1", XML), "Z1", CATALOG)


def test_one_request_per_release() -> None:
    requests = federal_reserve.plan(CATALOG, date(2026, 11, 22))

    assert [(request.key, request.url) for request in requests] == [
        ("H15", "https://www.federalreserve.gov/releases/h15/data/FRB_h15_xml.zip"),
        ("H6", "https://www.federalreserve.gov/releases/h6/data/FRB_h6_xml.zip"),
        ("G17", "https://www.federalreserve.gov/releases/g17/data/FRB_g17_xml.zip"),
    ]
