"""SEC EDGAR: every tagged figure of a filer (companyfacts), and its periodic filings (submissions).

All taxonomies, tags, units and forms of companyfacts become rows; choosing among them is SQL. Of submissions only the
periodic reports are kept: they tell whether companyfacts lags behind. Field meanings follow the SEC's page on its
interfaces (https://www.sec.gov/search-filings/edgar-application-programming-interfaces).
"""

from __future__ import annotations

import json
import re
from datetime import date
from itertools import chain, repeat
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Company, Validity
from pipelines.errors import BadPayload
from pipelines.sources import FILING, NOT_JSON, REJECT, Expect, Parsed, Request

SOURCE = "sec_edgar"
URL = "https://data.sec.gov/api/xbrl/companyfacts/CIK{cik:010d}.json"
EXPECT = Expect(content_types=("application/json",), starts_with=(b"{",), contains=(b'"cik"', b'"facts"'))

SUBMISSIONS_URL = "https://data.sec.gov/submissions/CIK{cik:010d}.json"
SUBMISSIONS_KEY = "submissions/"
# The header of a filer is shorter than 64 KiB, so the list of its filings begins inside what is looked at.
SUBMISSIONS = Expect(content_types=("application/json",), starts_with=(b"{",), contains=(b'"cik"', b'"filings"'))

# The rest of a filer's list (insiders' forms, correspondence, proxies) says nothing about figures to come.
# 10-KT and 10-QT cover the odd period when a fiscal year changes.
PERIODIC_FORMS = tuple(
    form + suffix for form in ("10-K", "10-KT", "10-Q", "10-QT", "20-F", "40-F") for suffix in ("", "/A")
)
# Columns of `filings.recent` that are read; the response holds one array for each.
_FILING_COLUMNS = {
    "accessionNumber": "accession",
    "form": "form",
    "filingDate": "filing_date",
    "reportDate": "report_date",
    "acceptanceDateTime": "acceptance_datetime",
    "primaryDocument": "primary_document",
}

# A filer without any of these has filed no financial statements under that CIK.
FINANCIAL_TAXONOMIES = frozenset({"us-gaap", "ifrs-full"})

# `frame` is left out on purpose: the SEC moves it to the last filed duplicate, so it changes between pulls
# of unchanged facts. `label` and `description` belong to the taxonomy, not to the filer.
_FIELDS = ("start", "end", "val", "accn", "form", "filed", "fy", "fp")
_REQUIRED = ("end", "accn", "form", "filed")
_FACT_KEY = ("taxonomy", "tag", "unit", "period_start", "period_end", "accession")


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The filings and the facts of each CIK that stands for a catalogued company on `today`, in the catalogue's order.

    A company whose last CIK has ended files no more: its last CIK is asked for until answered once.
    """
    return [
        request
        for company in catalog.companies.values()
        for validity in _to_ask(company, today)
        for request in _requests(validity, closed=not _in_force(validity, today))
    ]


def _to_ask(company: Company, today: date) -> list[Validity]:
    in_force = [v for v in company.ciks if _in_force(v, today)]
    last = company.ciks[-1]
    gone = last.valid_to is not None and last.valid_to < today
    return in_force or ([last] if gone else [])


def _requests(validity: Validity, closed: bool) -> list[Request]:
    cik = validity.cik
    return [
        Request(
            key=f"{SUBMISSIONS_KEY}CIK{cik:010d}",
            url=SUBMISSIONS_URL.format(cik=cik),
            expect=SUBMISSIONS,
            closed=closed,
        ),
        Request(key=f"companyfacts/CIK{cik:010d}", url=URL.format(cik=cik), expect=EXPECT, closed=closed),
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Facts of one companyfacts response, or the periodic filings of one submissions response.

    `body` is the JSON text, `key` is `companyfacts/CIK##########` or `submissions/CIK##########`. For the first,
    `filing_facts` (columns of FILING_FACT; `value` in the fact's own `unit`, unscaled), `rejects` and the number of
    facts with a null value. A fact repeated with the same accession and value is one row. The same fact with two values
    inside one accession is no row: neither can be preferred, so it is one reject that names both. For the second,
    `filings` (columns of FILING, forms of PERIODIC_FORMS) and `rejects`.

    Raises BadPayload for anything but the answer about the CIK in `key`; for companyfacts also where it holds no
    financial statements.
    """
    if key.startswith(SUBMISSIONS_KEY):
        return _filings(body, key)
    cik = _cik_of_key(key)
    taxonomies = _taxonomies(body, key, cik)
    raw = _columns(taxonomies, key).with_columns(series_id=pl.format("CIK{}", pl.lit(cik)))
    is_null = pl.col("val").is_null() & pl.col("val_broken").is_null()
    nulls = raw.filter(is_null)
    facts, broken = _typed(raw.filter(~is_null), cik)
    facts, contradictory = _collapsed(facts)
    return Parsed(
        filing_facts=facts,
        rejects=pl.concat([broken, contradictory]),
        missing={f"CIK{cik}": nulls.height} if nulls.height else {},
    )


def _filings(body: bytes, key: str) -> Parsed:
    cik = _cik_of_key(key)
    document = _document(body, key, cik)
    recent = document["filings"].get("recent") if isinstance(document.get("filings"), dict) else None
    if not isinstance(recent, dict):
        raise BadPayload("the response has no 'filings.recent' mapping", source=SOURCE, series=key)
    columns = {name: recent.get(name) for name in _FILING_COLUMNS}
    # Arrays of different lengths would pair a form with another filing's date.
    lengths = {name: len(column) if isinstance(column, list) else None for name, column in columns.items()}
    if None in lengths.values() or len(set(lengths.values())) != 1:
        raise BadPayload(f"the arrays of 'filings.recent' do not match: {lengths}", source=SOURCE, series=key)
    frame = (
        pl.DataFrame(
            {new: pl.Series(columns[old], dtype=pl.String, strict=False) for old, new in _FILING_COLUMNS.items()}
        )
        .with_row_index("position")
        .filter(pl.col("form").is_in(PERIODIC_FORMS))
        .with_columns(
            filing_day=pl.col("filing_date").str.to_date("%Y-%m-%d", strict=False, exact=True),
            report_day=pl.col("report_date").str.to_date("%Y-%m-%d", strict=False, exact=True),
            row=pl.format("filing {}: {}", "position", pl.col("accession").fill_null("no accession number")),
            repeated=pl.len().over("accession") > 1,
        )
        .with_columns(
            reason=pl.when(pl.col("accession").is_null())
            .then(pl.lit("'accessionNumber' is missing"))
            .when(pl.col("filing_day").is_null())
            .then(pl.format("'filingDate' is not a date: {}", pl.col("filing_date").fill_null("null")))
            .when(pl.col("report_day").is_null() & ~pl.col("report_date").fill_null("").is_in([""]))
            .then(pl.format("'reportDate' is not a date: {}", "report_date"))
            .when(pl.col("repeated"))
            .then(pl.lit("its accession number stands in the list more than once"))
        )
    )
    empty_as_null = [pl.col(name).replace("", None) for name in ("acceptance_datetime", "primary_document")]
    return Parsed(
        filings=frame.filter(pl.col("reason").is_null())
        .with_columns(*empty_as_null, cik=pl.lit(cik), filing_date="filing_day", report_date="report_day")
        .select(pl.col(name).cast(dtype) for name, dtype in FILING.items()),
        rejects=frame.filter(pl.col("reason").is_not_null()).select(
            pl.format("CIK{}", pl.lit(cik)).alias("series_id"), "row", "reason"
        ),
    )


def _in_force(validity: Validity, today: date) -> bool:
    started = validity.valid_from is None or validity.valid_from <= today
    return started and (validity.valid_to is None or today <= validity.valid_to)


def _cik_of_key(key: str) -> int:
    found = re.fullmatch(r"(?:companyfacts|submissions)/CIK(\d{10})", key)
    if not found:
        raise BadPayload(
            f"the key '{key}' is not of the form companyfacts/CIK########## or {SUBMISSIONS_KEY}CIK##########",
            source=SOURCE,
            series=key,
        )
    return int(found.group(1))


def _document(body: bytes, key: str, cik: int) -> dict[str, Any]:
    """The JSON object of a response about `cik`."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<"):
        if b"<code>nosuchkey</code>" in start:
            what = f"the SEC answered that it has no {key.partition('/')[0]} under this CIK (XML, NoSuchKey)"
        else:
            what = "the SEC answered with a page in place of JSON (asked too fast, or no contact in the User-Agent)"
        raise BadPayload(what, source=SOURCE, series=key)
    try:
        # The standard decoder: a whole 3 MB response takes 92 ms with it and 85 ms with orjson (best of 25, two cores).
        # NaN and Infinity are no JSON; they become text here, so that the fact is rejected and not the payload.
        document = json.loads(body, parse_constant=str)
    except NOT_JSON as error:
        raise BadPayload(f"the response is not readable as JSON: {error}", source=SOURCE, series=key) from None
    if not isinstance(document, dict):
        raise BadPayload("the response is no JSON object, so it has no 'facts' mapping", source=SOURCE, series=key)
    # Most responses give the CIK as a number, some as text with or without leading zeros.
    if "cik" not in document or re.fullmatch(r"\d{1,10}", str(document["cik"])) is None or int(document["cik"]) != cik:
        raise BadPayload(
            f"asked for CIK {cik}, answered for CIK {document.get('cik')!r} "
            f"({document.get('entityName') or document.get('name')})",
            source=SOURCE,
            series=key,
        )
    return document


def _taxonomies(body: bytes, key: str, cik: int) -> dict[str, dict[str, Any]]:
    """The `facts` mapping {taxonomy: {tag: {"units": {unit: [fact, ...]}}}} of a response about `cik`."""
    document = _document(body, key, cik)
    if not isinstance(document.get("facts"), dict):
        raise BadPayload("the response has no 'facts' mapping", source=SOURCE, series=key)
    taxonomies: dict[str, dict[str, Any]] = document["facts"]
    if not any(taxonomies.get(name) for name in FINANCIAL_TAXONOMIES):
        raise BadPayload(
            f"the response for {document.get('entityName')} holds no financial statements, "
            f"only {', '.join(sorted(taxonomies)) or 'nothing'}",
            source=SOURCE,
            series=key,
            todo="look for the CIK under which the company files now (or filed before) and add it to companies.yaml",
        )
    return taxonomies


def _columns(taxonomies: dict[str, dict[str, Any]], key: str) -> pl.DataFrame:
    """One row per fact, all text as found, `val` as a number; `val_broken` is a value that is no number."""
    blocks: list[tuple[str, str, str, list[dict[str, Any]]]] = []
    place = "facts"
    try:
        for taxonomy, tags in taxonomies.items():
            for tag, block in tags.items():
                place = f"{taxonomy}/{tag}"
                for unit, rows in block["units"].items():
                    if not isinstance(rows, list):
                        raise TypeError(f"unit '{unit}' is no list")
                    blocks.append((taxonomy, tag, unit, rows))
        rows = list(chain.from_iterable(rows for *_, rows in blocks))
        found = {name: [row.get(name) for row in rows] for name in _FIELDS}
    except (AttributeError, KeyError, TypeError) as error:
        raise BadPayload(f"{place} is not nested as units and facts: {error!r}", source=SOURCE, series=key) from None

    lengths = [len(rows) for *_, rows in blocks]

    def spread(position: int) -> pl.Series:
        return pl.Series(chain.from_iterable(map(repeat, (b[position] for b in blocks), lengths)), dtype=pl.String)

    # bool is a subclass of int; only a real JSON number is a value.
    numbers = [v if type(v) in (int, float) else None for v in found["val"]]
    frame = pl.DataFrame(
        {
            "taxonomy": spread(0),
            "tag": spread(1),
            "unit": spread(2),
            **{
                n: pl.Series(found[n], dtype=pl.String, strict=False) for n in ("start", "end", "accn", "form", "filed")
            },
            "fy": pl.Series(found["fy"], dtype=pl.Int64, strict=False),
            "fp": pl.Series(found["fp"], dtype=pl.String, strict=False),
            "val": pl.Series(numbers, dtype=pl.Float64, strict=False),
            "val_broken": pl.Series(
                [repr(v) if n is None and v is not None else None for n, v in zip(numbers, found["val"], strict=True)],
                dtype=pl.String,
            ),
        }
    )
    return frame.with_columns(
        row=pl.concat_str(
            "taxonomy", pl.lit("/"), "tag", pl.lit(" "), "unit", pl.lit(" accession "), pl.col("accn").fill_null("none")
        ),
    )


def _typed(raw: pl.DataFrame, cik: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of FILING_FACT, and a reject for each fact with a broken date, value or identity."""
    dates = {name: pl.col(name).str.to_date("%Y-%m-%d", strict=False, exact=True) for name in ("start", "end", "filed")}
    typed = raw.with_columns(**{f"{name}_date": date_ for name, date_ in dates.items()})
    absent = [pl.when(pl.col(name).is_null()).then(pl.lit(f"'{name}' is missing")) for name in _REQUIRED]
    unreadable = [
        pl.when(pl.col(name).is_not_null() & pl.col(f"{name}_date").is_null()).then(
            pl.concat_str(pl.lit(f"'{name}' is not a date: "), name)
        )
        for name in dates
    ]
    reason = pl.coalesce(
        *absent,
        *unreadable,
        pl.when(pl.col("start_date") > pl.col("end_date")).then(
            pl.concat_str(pl.lit("the period ends before it starts: "), "start", pl.lit(" to "), "end")
        ),
        pl.when(pl.col("val_broken").is_not_null()).then(
            pl.concat_str(pl.lit("'val' is not a number: "), "val_broken")
        ),
    )
    typed = typed.with_columns(reason=reason)
    facts = typed.filter(pl.col("reason").is_null()).select(
        cik=pl.lit(cik, dtype=pl.Int64),
        taxonomy="taxonomy",
        tag="tag",
        unit="unit",
        period_start="start_date",
        period_end="end_date",
        value="val",
        accession="accn",
        form="form",
        filed="filed_date",
        fiscal_year=pl.col("fy").cast(pl.Int16, strict=False),
        fiscal_period="fp",
        row="row",
    )
    return facts, typed.filter(pl.col("reason").is_not_null()).select(*REJECT)


def _collapsed(facts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Repetitions dropped; a fact with more than one value in one accession turned into a reject naming them."""
    once = facts.unique(subset=[*_FACT_KEY, "value"], keep="first", maintain_order=True)
    repeated = pl.struct(_FACT_KEY).is_duplicated()
    contradictory = once.filter(repeated)
    if contradictory.is_empty():
        return once, pl.DataFrame(schema=REJECT)
    rejects = (
        contradictory.group_by(_FACT_KEY, maintain_order=True)
        .agg(pl.col("value").cast(pl.String).str.join(" and "), pl.col("cik", "row").first())
        .select(
            series_id=pl.format("CIK{}", "cik"),
            row="row",
            reason=pl.concat_str(
                pl.lit("one accession gives two values for the period ending "),
                pl.col("period_end").cast(pl.String),
                pl.lit(": "),
                "value",
            ),
        )
    )
    return once.filter(~repeated), rejects
