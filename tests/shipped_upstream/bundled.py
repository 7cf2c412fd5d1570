"""The figures of warehouse/bundled as their publishers would have printed them on the days they were retrieved.

Each payload holds what was known of its series on its day, between the first and the last period it covered.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines import catalog as catalogs
from pipelines.settings import Settings
from tests.replay_routes import nbs, omb, worldbank_indicators
from tests.replay_routes.cftc import MARKETS
from tests.replay_routes.cme_stocks import workbook as xls
from tests.replay_routes.gpr import workbook as xlsx
from tests.replay_routes.sec_edgar import filings, submissions

BUNDLED = Path(__file__).resolve().parents[2] / "warehouse" / "bundled"
CATALOG = catalogs.load(Settings().catalog_dir)
FIDELITY = "written for tests from the bundled figures"
PUBLISHED_LATER = timedelta(days=4)  # the CFTC's file bears its Tuesday; the bundle counts it from the Saturday after
ROUNDED_PINK_SHEET = (date(2026, 6, 3), 2)  # this edition printed every price with two decimals
OLD_FRED = date(2025, 1, 1)  # before, the column of dates was DATE and a missing figure a point

PINK_SHEET = {
    "wb_crude_oil_brent_usd_per_barrel": ("Crude oil, Brent", "($/bbl)"),
    "wb_coal_australian_usd_per_tonne": ("Coal, Australian", "($/mt)"),
    "wb_aluminium_usd_per_tonne": ("Aluminum", "($/mt)"),
    "wb_iron_ore_usd_per_dmtu": ("Iron ore, cfr spot", "($/dmtu)"),
    "wb_copper_usd_per_tonne": ("Copper", "($/mt)"),
    "wb_lead_usd_per_tonne": ("Lead", "($/mt)"),
    "wb_tin_usd_per_tonne": ("Tin", "($/mt)"),
    "wb_nickel_usd_per_tonne": ("Nickel", "($/mt)"),
    "wb_zinc_usd_per_tonne": ("Zinc", "($/mt)"),
    "wb_gold_usd_per_troy_ounce": ("Gold", "($/troy oz)"),
    "wb_platinum_usd_per_troy_ounce": ("Platinum", "($/troy oz)"),
    "wb_silver_usd_per_troy_ounce": ("Silver", "($/troy oz)"),
}
GPR = {
    "gpr_recent_index": "GPR",
    "gpr_threats_index": "GPRT",
    "gpr_acts_index": "GPRA",
    "gpr_historical_index": "GPRH",
    "gpr_china_pct_of_articles": "GPRC_CHN",
}
NBS = {
    "nbs_ppi_yoy_pct": "工业生产者出厂价格指数 (上年同月=100)",
    "nbs_industrial_output_yoy_pct": "规上工业增加值同比增长 (%)",
    "nbs_industrial_output_ytd_yoy_pct": "规上工业增加值累计增长 (%)",
    "nbs_pmi_manufacturing_index": "制造业采购经理指数 (%)",
}
COMPANIES = {
    789019: "MICROSOFT CORPORATION",
    1018724: "AMAZON.COM, INC.",
    1326801: "Meta Platforms, Inc.",
    1341439: "ORACLE CORPORATION",
    1652044: "Alphabet Inc.",
}


@dataclass(frozen=True)
class File:
    """One file of the upstream, and what its manifest says of it."""

    name: str
    publisher: str
    url: str
    known: date
    body: bytes
    fidelity: str
    licence: str
    key: str | None = None


@dataclass(frozen=True)
class Column:
    """One series as of a payload's day: its figures by period, and what the payload said of it."""

    figures: dict[date, float]
    decimals: dict[date, int]
    missing: int


Columns = dict[str, Column]

_PAYLOADS = """
select
    payload_id, source_id, request_key, cast(retrieved_at as date), url, publisher, licence,
    concat_ws('; ', case when fidelity like 'excerpt%' then fidelity end, ?)
from payload
order by all
"""
_STATE = """
select
    p.payload_id, c.series_id, c.missing, o.period, arg_max(o.value, learnt.retrieved_at),
    arg_max(o.decimals, learnt.retrieved_at)
from payload as p
inner join coverage as c on p.payload_id = c.payload_id
inner join observation as o on c.series_id = o.series_id and o.period between c.first_period and c.last_period
inner join payload as learnt on o.payload_id = learnt.payload_id and learnt.retrieved_at <= p.retrieved_at
group by all
order by all
"""
_FACTS = """
select distinct
    p.payload_id, f.cik, f.taxonomy, f.tag, f.unit, f.period_start, f.period_end, f.value, f.accession, f.fiscal_year,
    f.fiscal_period, f.form, f.filed
from payload as p
inner join coverage as c on p.payload_id = c.payload_id
inner join filing_fact as f on p.request_key = format('companyfacts/CIK{:010d}', f.cik)
    and f.period_end between c.first_period and c.last_period
inner join payload as learnt on f.payload_id = learnt.payload_id and learnt.retrieved_at <= p.retrieved_at
order by all
"""


def newest(series_id: str) -> dict[date, float]:
    """The newest figure of each period."""
    query = "select period, arg_max(value, known_at) from read_parquet(?) where series_id = ? group by all order by all"
    return dict(duckdb.execute(query, [str(BUNDLED / "observation.parquet"), series_id]).fetchall())


def files() -> Iterator[File]:
    with duckdb.connect() as connection:
        for table in ("payload", "coverage", "observation", "filing_fact"):
            connection.read_parquet(str(BUNDLED / f"{table}.parquet")).create(table)
        columns: dict[str, Columns] = defaultdict(dict)
        for payload, series, missing, period, value, decimals in connection.execute(_STATE).fetchall():
            column = columns[payload].setdefault(series, Column({}, {}, missing))
            column.figures[period], column.decimals[period] = value, decimals
        facts: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for payload, *fact in connection.execute(_FACTS).fetchall():
            facts[payload].append(tuple(fact))
        payloads = connection.execute(_PAYLOADS, [FIDELITY]).fetchall()
    for payload, source, key, day, url, publisher, licence, fidelity in payloads:
        known = day - PUBLISHED_LATER if source == "cftc_legacy" else day
        if source == "sec_edgar":
            name, body = _companyfacts(key, day, facts[payload])
        else:
            name, body = _WRITERS[source](key, known, columns[payload])
        yield File(name, publisher, url, known, body, fidelity, licence, key)
        if name.startswith("sec/companyfacts/"):
            document = json.loads(body)
            lists = submissions(document["cik"], document["entityName"], filings(document, day))
            address = url.replace("api/xbrl/companyfacts", "submissions")
            yield File(name.replace("companyfacts", "submissions"), publisher, address, day, lists, FIDELITY, licence)


def _pink_sheet(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    rounded, places = ROUNDED_PINK_SHEET
    names = [name for name in PINK_SHEET if name in columns]
    months = sorted({month for column in columns.values() for month in column.figures})
    rows = [
        ["World Bank Commodity Price Data (The Pink Sheet)"],
        ["monthly prices in nominal US dollars, 1960 to present"],
        ["(monthly series are available only in nominal US dollars)"],
        [f"Updated on {day.replace(day=2):%B %d, %Y}"],
        ["", *(PINK_SHEET[name][0] for name in names)],
        ["", *(PINK_SHEET[name][1] for name in names)],
    ]
    for month in months:
        prices = [columns[name].figures.get(month) for name in names]
        printed = [None if price is None else round(price, places) if day == rounded else price for price in prices]
        rows.append([f"{month:%YM%m}", *("…" if price is None else _plain(price) for price in printed)])
    sheets = {"AFOSHEET": [[""]], "Monthly Prices": rows, "Description": [["Written for tests"]]}
    return f"worldbank/{day}/{key}.xlsx", xlsx(sheets)


def _fred(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    identifier = key.removeprefix("fredgraph/")
    (column,) = columns.values()
    return f"fred/{day}/{identifier}.csv", fred_csv(identifier, day, column)


def fred_csv(identifier: str, day: date, column: Column) -> bytes:
    """FRED's graph CSV; where figures are missing, it has a line for every weekday or month without one."""
    lines = {p: _plain(v) if column.decimals[p] else f"{v:.0f}" for p, v in column.figures.items()}
    first, last = min(lines), max(lines)
    if column.missing:
        monthly = all(period.day == 1 for period in lines)
        days = _every_month(first, last) if monthly else (first + timedelta(days=n) for n in range((last - first).days))
        due = [d for d in days if monthly or d.weekday() < 5]
        lines = dict.fromkeys(due, "." if day < OLD_FRED else "") | lines
    header = "DATE" if day < OLD_FRED else "observation_date"
    return "".join(f"{a},{b}\n" for a, b in [(header, identifier), *sorted(lines.items())]).encode()


def _eastmoney(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    months = sorted({month for column in columns.values() for month in column.figures}, reverse=True)
    rows = [
        {"REPORT_DATE": f"{month} 00:00:00", "TIME": f"{month:%Y年%m月份}"}
        | {_select(series)["field"]: column.figures.get(month) for series, column in columns.items()}
        for month in months
    ]
    answer = {"version": "written for tests", "result": {"pages": 1, "data": rows, "count": len(rows)}}
    answer |= {"success": True, "message": "ok", "code": 0}
    return f"eastmoney/{day}/{key}.json", json.dumps(answer, ensure_ascii=False).encode()


def _cftc(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    """The legacy report. The positions that do not ship are what is left of the open interest, spreads are none."""
    positions = {
        code: (
            name,
            *(
                round(columns[f"cftc_legacy_{name.split()[0].strip('-').lower()}_{part}_contracts"].figures[day])
                for part in ("open_interest", "noncommercial_long", "noncommercial_short")
            ),
        )
        for code, (name, _) in MARKETS.items()
    }
    # A file of five markets would be refused as too small.
    positions |= {f"9{n:05}": (f"MARKET {n}, MADE UP FOR TESTS - NO EXCHANGE", 100, 50, 50) for n in range(60)}
    lines = []
    for code, (name, interest, long, short) in positions.items():
        figures = [interest, long, short, 0, interest - long, interest - short, interest, interest, 0, 0]
        cells = [f'"{name}"', f"{day:%y%m%d}", str(day), code, "CMX ", "01", f"{code[:3]} "]
        cells += [f"{figure:8}" for figure in figures]
        cells += ["       0"] * (125 - len(cells))
        lines.append(",".join([*cells, '"(CONTRACTS, WRITTEN FOR TESTS)"', code, "CMX ", f"{code[:3]} "]))
    return f"cftc/{day}/{key}.txt", ("\r\n".join(lines) + "\r\n").encode()


def _gpr(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    rows: list[list[str | float | None]] = [["month", *(GPR[series] for series in GPR), "var_name", "var_label"]]
    for month in sorted(columns["gpr_historical_index"].figures):
        rows.append([f"{month} 00:00:00", *(columns[series].figures.get(month) for series in GPR)])
    labels = ["Recent GPR (Index: 1985:2019=100)", "Recent GPR Threats (Index: 1985:2019=100)"]
    labels += ["Recent GPR Acts (Index: 1985:2019=100)", "Historical GPR (Index: 1900:2019=100)"]
    for row, name, label in zip(rows[1:], GPR.values(), [*labels, "Percent of articles on China"], strict=False):
        row += [name, label]
    return f"uncertainty/{day}/{key}.xls", xls(rows)


def _tpu(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    def sheet(name: str, series: str) -> list[list[str]]:
        return [["DATE", name], *([str(period), _plain(value)] for period, value in columns[series].figures.items())]

    sheets = {"ReadMe": [["Written for tests"]], "TPU_DAILY": sheet("TPUD_index", "tpu_daily_index")}
    return f"uncertainty/{day}/{key}.xlsx", xlsx(sheets | {"TPU_MONTHLY": sheet("TPU", "tpu_monthly_index")})


def _epu(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    """One sheet of all series; in the layout of 2025, where one of them begins in 1900, a sheet for each."""
    together = len({min(column.figures) for column in columns.values()}) == 1
    sheets = {}
    for shown in [columns] if together else [{series: column} for series, column in columns.items()]:
        months = sorted({month for column in shown.values() for month in column.figures})
        rows = [["Year", "Month", *(str(_select(series)["column"]) for series in shown)]]
        for month in months:
            figures = [column.figures.get(month) for column in shown.values()]
            rows.append([str(month.year), str(month.month), *("" if f is None else _plain(f) for f in figures)])
        rows.append(["Source: Scott Baker, Nicholas Bloom and Steven J. Davis; written for tests."])
        sheets["Main Index" if together else next(iter(shown))] = rows
    return f"uncertainty/{day}/{key}", xlsx(sheets)


def _positions(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    code = key.removeprefix("disaggregated/")
    tuesdays = sorted({period for column in columns.values() for period in column.figures}, reverse=True)
    rows = [
        {"cftc_contract_market_code": code, "report_date_as_yyyy_mm_dd": f"{tuesday}T00:00:00.000"}
        | {_select(s)["field"]: f"{c.figures[tuesday]:.0f}" for s, c in columns.items() if tuesday in c.figures}
        for tuesday in tuesdays
    ]
    return f"cftc/disaggregated_{code}_{day}.json", json.dumps(rows).encode()


def _debt(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    (column,) = columns.values()
    rows = [{"record_date": str(d), "tot_pub_debt_out_amt": f"{value:.2f}"} for d, value in column.figures.items()]
    meta = {"count": len(rows), "labels": {}, "dataTypes": {}, "total-count": len(rows), "total-pages": 1}
    return f"fiscal_data/{key}_{day}.json", json.dumps({"data": rows, "meta": meta, "links": {"next": None}}).encode()


def _nbs(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    rows = [
        nbs.month(
            f"{month:%Y%m}MM",
            *(
                (str(_select(s)["indicator"]), NBS[s], _printed(c.figures[month] + int(_select(s).get("subtract", 0))))
                for s, c in columns.items()
                if month in c.figures
            ),
        )
        for month in sorted({month for column in columns.values() for month in column.figures}, reverse=True)
    ]
    return f"nbs/{key.replace('/', '_')}.json", nbs.document(*rows)


def _every_month(first: date, last: date) -> Iterator[date]:
    for n in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield date(n // 12, n % 12 + 1, 1)


def _omb(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    table = key.partition("_")[0]
    figures = {_select(series)["column"]: column.figures for series, column in columns.items()}
    rows = [
        [f"{start.year + 1}", *(_whole(figures[name].get(start)) for name in ("receipts", "outlays", "balance"))]
        for start in sorted(figures["receipts"])
    ]
    return f"omb/{key}.xlsx", omb.workbook(omb.sheet(table, [[*row, *([omb.DOTS] * 6)] for row in rows]))


def _whole(value: float | None) -> str:
    return omb.DOTS if value is None else f"{value:.0f}"


def _owid(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    cells: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for series, column in columns.items():
        select = _select(series)
        for year, value in column.figures.items():
            cells[str(select["iso"]), year.year][str(select["column"])] = _printed(value)
    names = sorted({name for row in cells.values() for name in row})
    lines = [f"{iso},{year},{iso},{','.join(row.get(n, '') for n in names)}" for (iso, year), row in cells.items()]
    return f"owid_energy/{key}.excerpt.csv", "\n".join(
        [f"country,year,iso_code,{','.join(names)}", *lines, ""]
    ).encode()


def _indicator(key: str, day: date, columns: Columns) -> tuple[str, bytes]:
    indicator, country = key.split("/")
    ((_, column),) = columns.items()
    years = {year.year: value for year, value in column.figures.items()}
    nothing = range(max(years) + 1, max(years) + 1 + column.missing)
    rows = [worldbank_indicators.row(indicator, country, str(year), years.get(year)) for year in (*nothing, *years)]
    return f"worldbank_indicators/{indicator}_{country}.json", worldbank_indicators.answer(rows)


def _select(series: str) -> dict[str, Any]:
    return CATALOG.series[series].select


def _printed(value: float) -> str:
    """Without the noise that a subtraction in binary leaves."""
    return _plain(round(value, 6))


def _companyfacts(key: str, day: date, facts: list[tuple[Any, ...]]) -> tuple[str, bytes]:
    document: dict[str, Any] = {}
    for cik, taxonomy, tag, unit, start, end, value, accession, year, period, form, filed in facts:
        document.setdefault("cik", cik)
        document.setdefault("entityName", COMPANIES[cik])
        tags = document.setdefault("facts", {}).setdefault(taxonomy, {})
        fact = {"start": str(start)} if start else {}
        fact |= {"end": str(end), "val": int(value) if value.is_integer() else value, "accn": accession, "fy": year}
        fact |= {"fp": period, "form": form, "filed": str(filed)}
        tags.setdefault(tag, {"label": tag, "units": {}})["units"].setdefault(unit, []).append(fact)
    folder = "companyfacts_full" if day == date(2026, 7, 9) else "companyfacts"
    return f"sec/{folder}/{key.removeprefix('companyfacts/')}.json", json.dumps(document).encode()


def _plain(value: float) -> str:
    """A number without an exponent, with all its digits."""
    text = repr(value)
    return f"{value:.20f}".rstrip("0") if "e" in text else text


_WRITERS = {
    "worldbank_pink_sheet": _pink_sheet,
    "fred": _fred,
    "eastmoney": _eastmoney,
    "cftc_legacy": _cftc,
    "gpr": _gpr,
    "tpu": _tpu,
    "epu": _epu,
    "cftc": _positions,
    "fiscal_data": _debt,
    "nbs": _nbs,
    "omb": _omb,
    "owid_energy": _owid,
    "worldbank_indicators": _indicator,
}
