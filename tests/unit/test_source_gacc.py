"""China customs' tables in the documented shape (none was recorded): units per row, names, months, and other pages.

All figures are made up.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, gacc
from tests.replay_routes.gacc import Row, address, documented_index, documented_page

TODAY = date(2026, 9, 25)
ORE, COPPER = "Copper ores and concentrates", "Unwrought copper and copper products"
ROWS: list[Row] = [
    (ORE, "10000T", "241.5", "5,796,012", "1,932.0", "46,368,000"),
    (COPPER, "10000T", "46", "4,370,000", "368", "34,960,000"),
    ("Crude petroleum oils", "10000T", "4,600", "2,000", "36,800", "16,000"),
]
KEY = "import/2026-08"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def with_ore(*cells: str) -> list[Row]:
    """The rows with another one for ores."""
    row: Any = cells
    return [row, *ROWS[1:]]


def figures(parsed: Any) -> dict[str, float]:
    return {
        name.removeprefix("gacc_imports_"): value
        for name, value in parsed.observations.select("series_id", "value").iter_rows()
    }


ALL = {
    "copper_ores_ten_thousand_tonnes": 241.5,
    "copper_ores_usd_thousands": 5796012.0,
    "unwrought_copper_ten_thousand_tonnes": 46.0,
    "unwrought_copper_usd_thousands": 4370000.0,
}


def test_quantity_and_value_of_the_month_are_read(catalog: Catalog) -> None:
    parsed = gacc.parse(documented_page("import", "8.2026", ROWS), KEY, catalog)
    assert dict(parsed.observations.schema) == OBSERVATION
    assert figures(parsed) == ALL
    assert set(parsed.observations["period"]) == {date(2026, 8, 1)}
    assert parsed.observations.filter(series_id="gacc_imports_copper_ores_ten_thousand_tonnes")["decimals"].item() == 1
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}


@pytest.mark.parametrize(
    ("unit", "printed", "total", "read", "decimals"),
    [
        ("T", "2,415,123", "19,320,000", 241.5123, 4),
        ("10000 T", "241.5", "1,932.0", 241.5, 1),
        ("kg", "2,415,123,456", "19,320,000,000", 241.5123456, 7),
    ],
)
def test_the_unit_is_read_from_the_row(
    catalog: Catalog, unit: str, printed: str, total: str, read: float, decimals: int
) -> None:
    body = documented_page("import", "8.2026", with_ore(ORE, unit, printed, "5,796,012", total, "46,368,000"))
    row = gacc.parse(body, KEY, catalog).observations.filter(series_id="gacc_imports_copper_ores_ten_thousand_tonnes")
    assert (row["value"].item(), row["decimals"].item()) == (read, decimals)


@pytest.mark.parametrize(
    ("row", "series_id", "why"),
    [
        ((ORE, "100MN", "241.5", "5,796,012", "1,932.0", "46,368,000"), "ten_thousand_tonnes", "unit '100MN'"),
        ((ORE, "", "241.5", "5,796,012", "1,932.0", "46,368,000"), "ten_thousand_tonnes", "unit ''"),
        ((ORE, "10000T", "1,932.0", "5,796,012", "241.5", "46,368,000"), "ten_thousand_tonnes", "columns may have"),
        ((ORE, "10000T", "241.5", "46,368,000", "1,932.0", "5,796,012"), "usd_thousands", "columns may have changed"),
        (
            (ORE, "10000T", "24l.5", "5,796,012", "1,932.0", "46,368,000"),
            "ten_thousand_tonnes",
            "not a number: '24l.5'",
        ),
    ],
)
def test_a_figure_that_cannot_be_trusted_is_a_reject_for_its_series_alone(
    catalog: Catalog, row: tuple[str, ...], series_id: str, why: str
) -> None:
    parsed = gacc.parse(documented_page("import", "8.2026", with_ore(*row)), KEY, catalog)
    assert figures(parsed) == {name: value for name, value in ALL.items() if name != f"copper_ores_{series_id}"}
    ((rejected, _, reason),) = parsed.rejects.rows()
    assert rejected == f"gacc_imports_copper_ores_{series_id}"
    assert why in reason


@pytest.mark.parametrize(("rows", "count"), [(ROWS[1:], 0), ([ROWS[0], *ROWS], 2)])
def test_a_row_that_is_not_there_or_there_twice_gives_no_figure(catalog: Catalog, rows: list[Row], count: int) -> None:
    parsed = gacc.parse(documented_page("import", "8.2026", rows), KEY, catalog)
    assert figures(parsed).keys() == {"unwrought_copper_ten_thousand_tonnes", "unwrought_copper_usd_thousands"}
    assert parsed.rejects["reason"].to_list() == [f"{count} rows of this name"] * 2


def test_a_dash_is_a_missing_quantity(catalog: Catalog) -> None:
    body = documented_page("import", "8.2026", with_ore(ORE, "10000T", "-", "5,796,012", "-", "46,368,000"))
    parsed = gacc.parse(body, KEY, catalog)
    assert parsed.missing == {"gacc_imports_copper_ores_ten_thousand_tonnes": 1}
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize(
    "unit",
    [
        "Unit: RMB 10,000",
        "Unit: US$ Million",
        "Unit: US$1,000,000",
        "Unit: 21,000 USD",
        "Unit: 10000 yuan; exchange rate per US$1,000",
        "",
    ],
)
def test_values_in_another_currency_or_unit_are_not_read(catalog: Catalog, unit: str) -> None:
    parsed = gacc.parse(documented_page("import", "8.2026", ROWS, unit), KEY, catalog)
    assert figures(parsed) == {name: value for name, value in ALL.items() if name.endswith("tonnes")}
    assert parsed.rejects["reason"].to_list() == ["the page does not say that values are in US$1,000"] * 2


@pytest.mark.parametrize(
    "name", ["Unwrought  Aluminium and aluminium products", "unwrought aluminum and aluminum products"]
)
def test_names_are_found_in_either_spelling(catalog: Catalog, name: str) -> None:
    body = documented_page("export", "8.2026", [(name, "10000T", "52.1", "1,500,000", "400.2", "12,000,000")])
    parsed = gacc.parse(body, "export/2026-08", catalog)
    assert sorted(parsed.observations["value"]) == [52.1, 1500000.0]


@pytest.mark.parametrize("unit", ["Unit: US$1,000", "(1000 USD)", "US$ 1,000; 10000T"])
def test_thousands_of_dollars_are_said_in_one_form_or_another(catalog: Catalog, unit: str) -> None:
    assert figures(gacc.parse(documented_page("import", "8.2026", ROWS, unit), KEY, catalog)) == ALL


@pytest.mark.parametrize("of", ["1-2.2026", "January-February 2026", "Jan.-Feb. 2026"])
def test_january_and_february_together_are_missing_and_said_once(catalog: Catalog, of: str) -> None:
    body = documented_page("import", of, ROWS)
    listed = documented_index({f: {2: f"/Statics/{f}.html"} for f in ("import", "export")})
    request = following(catalog, date(2026, 3, 25), 2026, listed.replace(b"Feb.<", b"Jan-Feb<"))["import/2026-02"]
    assert request.then is not None
    assert request.then(body) == [], "it lands, so that it is not asked for and refused again"
    parsed = gacc.parse(body, request.key, catalog)
    assert parsed.observations.is_empty()
    assert parsed.rejects.is_empty()
    assert parsed.missing == {f"gacc_imports_{name}": 2 for name in ALL}


@pytest.mark.parametrize("of", ["8.2026", " August 2026", "Aug. 2026", " 08.2026"])
def test_a_title_names_its_month_in_one_form_or_another(catalog: Catalog, of: str) -> None:
    assert gacc.parse(documented_page("import", of, ROWS), KEY, catalog).observations.height == 4


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (documented_page("import", "7.2026", ROWS), "is of 2026-07"),
        (documented_page("import", "8.2025", ROWS), "is of 2025-08"),
        (documented_page("import", "1-8.2026", ROWS), "holds the months 1 to 8 together"),
        (documented_page("import", "1-2.2026", ROWS), "is of 2026-02"),
        (documented_page("import", "", ROWS), "names no month"),
        (documented_page("export", "8.2026", ROWS), "not a page of"),
        (b"<html><script>challenge()</script>" + b" " * 38_000 + b"</html>", "not a page of"),
        (documented_page("import", "8.2026", ROWS)[:-40], "truncated"),
        (documented_page("import", "8.2026", ROWS).replace(b"table", b"div"), "no table"),
    ],
)
def test_another_page_is_refused_before_it_lands(catalog: Catalog, body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        gacc.parse(body, KEY, catalog)
    request = pages(catalog, TODAY, 2026, {"import": {8: "/Statics/x.html"}, "export": {8: "/Statics/y.html"}})[KEY]
    assert request.then is not None
    with pytest.raises(BadPayload, match=what):
        request.then(body)


def pages(catalog: Catalog, today: date, year: int, listed: dict[str, dict[int, str]]) -> dict[str, Any]:
    """The requests that follow from the index of a year, by key."""
    return following(catalog, today, year, documented_index(listed))


def following(catalog: Catalog, today: date, year: int, index: bytes) -> dict[str, Any]:
    (request,) = (r for r in gacc.plan(catalog, today) if r.key == f"index/{year}")
    assert request.then is not None
    return {further.key: further for further in request.then(index)}


def test_each_year_has_an_index_and_its_pages_follow_newest_first(catalog: Catalog) -> None:
    requests = gacc.plan(catalog, TODAY)
    assert [(r.key, r.url.rpartition("/")[2], r.land, r.absent_ok) for r in requests] == [
        ("index/2026", "monthly.html", False, False),
        ("index/2025", "monthly2025.html", False, True),
        ("index/2024", "monthly2024.html", False, False),
    ]
    listed = {f: {m: address(f, 2026, m) for m in range(1, 9)} for f in ("import", "export")}
    found = pages(catalog, TODAY, 2026, listed)
    assert list(found)[:2] == ["export/2026-08", "export/2026-07"]
    assert len(found) == 16
    assert found[KEY].url == "http://english.customs.gov.cn" + address("import", 2026, 8)
    assert [key for key, request in found.items() if request.closed and key.startswith("import")] == [
        "import/2026-04",
        "import/2026-03",
        "import/2026-02",
        "import/2026-01",
    ]


def test_at_the_turn_of_the_year_the_index_is_still_last_years(catalog: Catalog) -> None:
    listed = {f: {m: address(f, 2026, m) for m in range(1, 12)} for f in ("import", "export")}
    assert "import/2026-11" in pages(catalog, date(2027, 1, 5), 2027, listed)
    both = {1: "/Statics/a.html", 2: "/Statics/b.html"}
    assert "import/2027-01" in pages(catalog, date(2027, 3, 25), 2027, {f: both for f in ("import", "export")})


def test_links_with_backslashes_and_other_hosts_names_are_made_whole(catalog: Catalog) -> None:
    listed = {"import": {8: r'"\Statics\a.html"'}, "export": {8: "'http://english.customs.gov.cn/Statics/b.html'"}}
    found = pages(catalog, TODAY, 2026, listed)
    assert found[KEY].url == "http://english.customs.gov.cn/Statics/a.html"
    assert found["export/2026-08"].url == "http://english.customs.gov.cn/Statics/b.html"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b">Aug.<", b"><span>Aug.</span><"),
        (b">Aug.<", b">\n <b>\n Aug.</b> <"),
        (b"</tr>", b"<a href='#'>Dec.</a><a href=javascript:void(0)>Nov.</a><a>Oct.</a></tr>"),
        (b"</tr>", b"<a href=/Statics/z.html><img src=/new.gif></a></tr>"),
        (b"</tr>", b"<a href=/Statics/z.html></a><a href='/statics/report/monthly.html'>More</a></tr>"),
    ],
)
def test_only_links_to_releases_count_and_tags_inside_them_do_not(
    catalog: Catalog, before: bytes, after: bytes
) -> None:
    listed = documented_index({f: {8: f"/Statics/{f}.html"} for f in ("import", "export")})
    found = following(catalog, TODAY, 2026, listed.replace(before, after))
    assert {key: request.url.rpartition("/")[2] for key, request in found.items()} == {
        "import/2026-08": "import.html",
        "export/2026-08": "export.html",
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("（14）", "（15）"), "no links to table 14"),
        (("Major Import", "Main Import"), "no links to table 14"),
        ((">Aug.<", ">8<"), "names no month: '8'"),
    ],
)
def test_an_index_without_the_tables_is_refused(catalog: Catalog, change: tuple[str, str], what: str) -> None:
    body = (
        documented_index({f: {8: "/Statics/a.html"} for f in ("import", "export")}).decode().replace(*change).encode()
    )
    (request, *_) = gacc.plan(catalog, TODAY)
    assert request.then is not None
    with pytest.raises(BadPayload, match=what):
        request.then(body)


@pytest.mark.parametrize("key", ["import/2026-8", "transit/2026-08", "index/2026"])
def test_a_key_of_no_table_is_refused(catalog: Catalog, key: str) -> None:
    with pytest.raises(BadPayload, match="no catalogued series reads"):
        gacc.parse(documented_page("import", "8.2026", ROWS), key, catalog)


TABLE = "<tr><td>(14) Major Import Commodities in Quantity and Value"


@pytest.mark.parametrize("start", ["", TABLE, f"{TABLE}<a "])
@pytest.mark.parametrize("filler", ["<", "<tr ", "<a ", "<a href", "<a href=x", "href=x ", "href ", "=", TABLE])
def test_a_page_of_brackets_is_refused_in_no_time(catalog: Catalog, start: str, filler: str) -> None:
    body = f"<html>{start}{filler * (1_000_000 // len(filler))}".encode()
    (request, *_) = gacc.plan(catalog, TODAY)
    assert request.then is not None
    started = time.process_time()
    for read in (request.then, lambda page: gacc.parse(page, KEY, catalog)):
        with pytest.raises(BadPayload):
            read(body)
    assert time.process_time() - started < 1.25
