"""The Pink Sheet module on small workbooks made here, in the publisher's layout and out of it."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from xml.sax.saxutils import escape

import polars as pl
import pytest

from pipelines.catalog import Catalog, Frequency, History, Series
from pipelines.errors import BadPayload
from pipelines.sources import OBSERVATION, REJECT, printed_decimals
from pipelines.sources import worldbank_pink_sheet as pink_sheet
from pipelines.sources._cells import decimals_of

NAMES = ["", "Crude oil, Brent", "Coal, Australian", "Aluminum", "Copper", "Gold **"]
UNITS = ["", "($/bbl)", "($/mt)", "($/mt)", "($/mt)", "($/troy oz)"]
NOTES = [["World Bank Commodity Price Data"], ["monthly prices"], [""], ["Updated on April 02, 2026"]]
MONTHS = [
    ["2026M01", "66.766", "109.78", "3141.89", "13012", "4752.75"],
    ["2026M02", "71.114", "…", "3065.19", "12951.35", "5019.97"],
    ["2026M03", "103.69", "..", "3300.5", "12500.125", "4800"],
]


def series(series_id: str, column: str, unit: str) -> Series:
    return Series(
        id=series_id,
        source="worldbank_pink_sheet",
        title=column,
        publisher="World Bank",
        select={"column": column, "unit": unit},
        unit="usd_per_tonne",
        frequency=Frequency.MONTHLY,
        plausible=(1, 100000),
        publication_lag_days=6,
        staleness_limit_days=50,
        licence="CC BY 4.0",
        history=History.STABLE,
        description=column,
    )


CATALOG = Catalog(
    [],
    [
        series("copper", "Copper", "$/mt"),
        series("gold", "Gold", "$/troy oz"),
        series("coal", "Coal, Australian", "$/mt"),
    ],
    [],
    [],
)


def workbook(rows: list[list[str]], sheet: str = "Monthly Prices") -> bytes:
    """An xlsx with one sheet; cells that are figures are stored as numbers, others as inline text, empty ones not."""

    def cell(text: str, line: int, position: int) -> str:
        reference = f"{chr(65 + position)}{line}"
        if not text:
            return ""
        if text.replace(".", "", 1).isdigit() and text != "..":
            return f'<c r="{reference}"><v>{text}</v></c>'
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'

    lines = "".join(
        f'<row r="{n}">{"".join(cell(text, n, i) for i, text in enumerate(row))}</row>' for n, row in enumerate(rows, 1)
    )
    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    relations = f"{office}/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def parse(rows: list[list[str]]) -> pink_sheet.Parsed:
    return pink_sheet.parse(workbook(rows), pink_sheet.WORKBOOK_KEY, CATALOG)


def figures(parsed: pink_sheet.Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_columns_are_found_by_name_and_unit_and_missing_markers_are_counted() -> None:
    parsed = parse([*NOTES, NAMES, UNITS, *MONTHS])

    assert dict(parsed.observations.schema) == OBSERVATION
    assert figures(parsed, "copper") == {
        date(2026, 1, 1): 13012.0,
        date(2026, 2, 1): 12951.35,
        date(2026, 3, 1): 12500.125,
    }
    assert figures(parsed, "gold") == {date(2026, 1, 1): 4752.75, date(2026, 2, 1): 5019.97, date(2026, 3, 1): 4800.0}
    assert figures(parsed, "coal") == {date(2026, 1, 1): 109.78}
    assert parsed.missing == {"coal": 2}
    assert parsed.rejects.is_empty()
    assert dict(parsed.rejects.schema) == REJECT
    assert parsed.observations.filter(series_id="copper").get_column("row").to_list()[0] == "Monthly Prices!E7"


def test_the_header_may_stand_elsewhere_and_columns_in_another_order() -> None:
    order = [0, 5, 4, 1, 2, 3]
    table = [[row[i] for i in order] for row in (NAMES, UNITS, *MONTHS)]
    parsed = parse([["", "A new note"], *NOTES, [""], *table])

    assert figures(parsed, "copper")[date(2026, 2, 1)] == 12951.35
    assert figures(parsed, "gold")[date(2026, 2, 1)] == 5019.97


def test_precision_is_the_finest_printed_within_twelve_months() -> None:
    months = [[f"{year}M{month:02}", *["1"] * 5] for year in (2023, 2024, 2025) for month in range(1, 13)]
    months[18][4] = "9500.25"  # copper, July 2024
    parsed = parse([*NOTES, NAMES, UNITS, *months])

    decimals = dict(parsed.observations.filter(series_id="copper").select("period", "decimals").iter_rows())
    assert decimals[date(2023, 6, 1)] == 0
    assert decimals[date(2023, 7, 1)] == 2
    assert decimals[date(2025, 7, 1)] == 2
    assert decimals[date(2025, 8, 1)] == 0
    assert set(parsed.observations.filter(series_id="gold").get_column("decimals")) == {0}


def test_a_stored_figure_keeps_all_its_digits_and_sheds_binary_noise_from_its_precision() -> None:
    months = [["2026M01", "1", "1", "1", "1.63000011444", "0.14000000000000001"]]
    parsed = parse([*NOTES, NAMES, UNITS, *months])

    assert figures(parsed, "copper") == {date(2026, 1, 1): 1.63000011444}
    assert figures(parsed, "gold") == {date(2026, 1, 1): 0.14}
    assert dict(parsed.observations.select("series_id", "decimals").iter_rows())["gold"] == 2


@pytest.mark.parametrize(
    ("name", "unit", "reason"),
    [
        ("Copper, LME", "($/mt)", "no column 'Copper'"),
        ("Copper", "($/lb)", "column 'Copper' is in $/lb, not in $/mt"),
    ],
)
def test_a_renamed_column_or_another_unit_fails_its_series_alone(name: str, unit: str, reason: str) -> None:
    names, units = [*NAMES[:4], name, NAMES[5]], [*UNITS[:4], unit, UNITS[5]]
    parsed = parse([*NOTES, names, units, *MONTHS])

    assert parsed.rejects.rows() == [("copper", "Monthly Prices!6", reason)]
    assert set(parsed.observations.get_column("series_id")) == {"gold", "coal"}


def test_two_columns_of_one_name_and_unit_fail_that_series() -> None:
    names, units = [*NAMES[:3], "Copper *", *NAMES[4:]], UNITS
    parsed = parse([*NOTES, names, units, *MONTHS])

    assert parsed.rejects.get_column("reason").to_list() == ["2 columns 'Copper' in $/mt"]


def test_an_unreadable_cell_and_an_unreadable_month_are_rejected_and_the_rest_is_kept() -> None:
    months = [row[:] for row in MONTHS]
    months[1][4] = "12,951.35"
    months[2][0] = "March 2026"
    parsed = parse([*NOTES, NAMES, UNITS, *months])

    assert parsed.rejects.filter(series_id="copper").rows() == [
        ("copper", "Monthly Prices!E8", "not a number: '12,951.35'"),
        ("copper", "Monthly Prices!E9", "not a period of this series: 'March 2026'"),
    ]
    assert figures(parsed, "copper") == {date(2026, 1, 1): 13012.0}


def test_a_month_that_stands_twice_is_rejected_both_times() -> None:
    parsed = parse([*NOTES, NAMES, UNITS, *MONTHS, ["2026M01", "1", "1", "1", "13000", "4700"]])

    assert parsed.rejects.filter(series_id="copper").get_column("row").to_list() == [
        "Monthly Prices!E7",
        "Monthly Prices!E10",
    ]
    assert date(2026, 1, 1) not in figures(parsed, "copper")


def test_a_month_that_had_not_ended_at_the_update_is_rejected() -> None:
    parsed = parse([*NOTES, NAMES, UNITS, *MONTHS, ["2026M04", "1", "1", "1", "12000", "4700"]])

    assert parsed.rejects.filter(series_id="copper").rows() == [
        ("copper", "Monthly Prices!E10", "month 2026M04 had not ended when updated on 2026-04-02")
    ]
    assert max(figures(parsed, "copper")) == date(2026, 3, 1)


def test_a_workbook_without_its_date_of_update_still_loads_and_says_so() -> None:
    parsed = parse([*NOTES[:3], NAMES, UNITS, *MONTHS])

    assert parsed.rejects.get_column("reason").to_list() == ["no line 'Updated on <Month day, year>' above the header"]
    assert len(figures(parsed, "copper")) == 3


def test_footnotes_and_blank_rows_are_no_cells() -> None:
    parsed = parse([*NOTES, NAMES, UNITS, *MONTHS, [""], ["Source: World Bank"]])

    assert parsed.rejects.is_empty()
    assert parsed.missing == {"coal": 2}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>moved</html>", "not a readable workbook"),
        (b"PK\x03\x04 cut off", "not a readable workbook"),
        (workbook([*NOTES, NAMES, UNITS, *MONTHS])[:-200], "not a readable workbook"),
        (workbook([*NOTES, NAMES, UNITS, *MONTHS], sheet="Annual Prices"), "no sheet 'Monthly Prices'"),
        (workbook([*NOTES, NAMES, *MONTHS]), "no names, units and first month"),
        (workbook([*NOTES, ["", "Cocoa"], ["", "($/kg)"], ["2026M01", "5"]]), "none of the 3 catalogued columns"),
    ],
)
def test_an_unrecognisable_body_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        pink_sheet.parse(body, pink_sheet.WORKBOOK_KEY, CATALOG)


def link(edition: str, host: str = "thedocs.worldbank.org") -> str:
    return f'<a href="https://{host}/en/doc/{edition}/related/CMO-Historical-Data-Monthly.xlsx">Monthly prices</a>'


def test_the_newest_edition_on_the_page_is_asked_for() -> None:
    (page,) = pink_sheet.plan(CATALOG, date(2026, 11, 22))
    assert (page.land, page.url) == (False, "https://www.worldbank.org/en/research/commodity-markets")
    assert page.then is not None

    html = "<html>" + link("1867-0050012025") + link("74e8-0050012026") + link("74e8-0050012026") + "</html>"
    (workbook_request,) = page.then(html.encode())

    assert workbook_request.key == "CMO-Historical-Data-Monthly"
    assert workbook_request.land
    assert workbook_request.url == (
        "https://thedocs.worldbank.org/en/doc/74e8-0050012026/related/CMO-Historical-Data-Monthly.xlsx"
    )


@pytest.mark.parametrize(
    ("html", "what"),
    [
        ("<html>no link</html>", "links no CMO-Historical-Data-Monthly.xlsx"),
        (link("74e8-0050012026", host="thedocs.worldbank.org.example"), "links no"),
        (link("74e8-0050012026") + link("aaaa-0050012026"), "2 workbooks of one year"),
    ],
)
def test_a_page_that_does_not_lead_to_one_workbook_is_refused(html: str, what: str) -> None:
    (page,) = pink_sheet.plan(CATALOG, date(2026, 11, 22))
    assert page.then is not None
    with pytest.raises(BadPayload, match=what):
        page.then(html.encode())


def test_printed_digits_of_a_column_agree_with_those_of_a_cell() -> None:
    texts = ["7.50", "7", "1e-3", "1.5E+2", "-0.9137", " 12951.35 ", "3.6300000000", "2.5e-4", "0."]
    frame = pl.DataFrame({"text": texts}).select(decimals_of(pl.col("text")))

    assert frame.to_series().to_list() == [printed_decimals(text) for text in texts] == [2, 0, 3, 0, 4, 2, 10, 5, 0]
