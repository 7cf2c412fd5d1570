"""SEC EDGAR: every tagged figure of a filer (companyfacts), and its periodic filings (submissions).

All taxonomies, tags, units and forms of companyfacts become rows; choosing among them is SQL. Of submissions only the
periodic reports are kept: they tell whether companyfacts lags behind. Field meanings follow the SEC's page on its
interfaces (https://www.sec.gov/search-filings/edgar-application-programming-interfaces).
"""

from __future__ import annotations

import re
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from pipelines.catalog import Catalog, Company, Validity
from pipelines.errors import BadPayload
from pipelines.sources import FILING, NOT_JSON, REJECT, Expect, Parsed, Request, _json

SOURCE = "sec_edgar"
URL = "https://data.sec.gov/api/xbrl/companyfacts/CIK{cik:010d}.json"
EXPECT = Expect(starts_with=(b"{",), contains=(b'"cik"', b'"facts"'))

SUBMISSIONS_URL = "https://data.sec.gov/submissions/CIK{cik:010d}.json"
SUBMISSIONS_KEY = "submissions/"
# The header of a filer is shorter than 64 KiB, so the list of its filings begins inside what is looked at.
SUBMISSIONS = Expect(starts_with=(b"{",), contains=(b'"cik"', b'"filings"'))

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
_TEXT_FIELDS = ("start", "end", "accn", "form", "filed", "fp")
_BROKEN = "val_broken"  # never the SEC's: where `_mended` puts a value that is no number
_FACT = pa.struct(
    [*((name, pa.string()) for name in (*_TEXT_FIELDS, _BROKEN)), ("val", pa.float64()), ("fy", pa.int64())]
)
_REQUIRED = ("end", "accn", "form", "filed")
_FACT_KEY = ("taxonomy", "tag", "unit", "period_start", "period_end", "accession")


class _Tag(msgspec.Struct):
    units: dict[str, msgspec.Raw]  # unit: the JSON of its facts, left to Arrow's reader


class _CompanyFacts(msgspec.Struct):
    """The outline of a companyfacts response."""

    cik: int | str
    facts: dict[str, dict[str, _Tag]]  # by taxonomy and tag
    entityName: str | None = None


# The facts of a response as `_columns` gives them.
_COLUMNS = {
    **dict.fromkeys(("taxonomy", "tag", "unit", *_TEXT_FIELDS), pl.String),
    **{"val": pl.Float64, _BROKEN: pl.String, "fy": pl.Int64, "row": pl.String},
}
_COMPANY_FACTS = msgspec.json.Decoder(_CompanyFacts)
_FACTS = pyarrow.json.ParseOptions(
    explicit_schema=pa.schema([("facts", pa.list_(_FACT))]), unexpected_field_behavior="ignore"
)


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
    facts with a null value. A fact repeated with the same accession and value is one row, and so is one that stands
    beside its own rounding ("40.2 billion" in a note): the exact value. The same fact with two values that do not agree
    inside one accession is no row: neither can be preferred, so it is one reject that names both. For the second,
    `filings` (columns of FILING, forms of PERIODIC_FORMS) and `rejects`.

    Raises BadPayload for anything but the answer about the CIK in `key`; for companyfacts also where it holds no
    financial statements.
    """
    if key.startswith(SUBMISSIONS_KEY):
        return _filings(body, key)
    cik = _cik_of_key(key)
    try:
        raw = _columns(body, key, cik)
    except (msgspec.MsgspecError, pa.ArrowInvalid, UnicodeDecodeError, RecursionError):
        raw = _columns(_mended(body, key, cik), key, cik)
    facts, broken, missing = _typed(raw, cik)
    facts, contradictory = _collapsed(facts)
    return Parsed(
        filing_facts=facts,
        rejects=pl.concat([broken, contradictory]),
        missing={f"CIK{cik}": missing} if missing else {},
        whole=frozenset({"filing_fact"}),
    )


class Filer(msgspec.Struct, frozen=True, rename={"sic_description": "sicDescription", "entity_name": "entityName"}):
    """Who a response is about: companyfacts give the name alone, submissions the industry (SIC) too."""

    entity_name: str | None = None
    name: str | None = None
    sic: str | None = None
    sic_description: str | None = None


_FILER_HEADER = msgspec.json.Decoder(Filer)


def filer(body: bytes) -> Filer:
    """Name and industry from a companyfacts or submissions response. Raises BadPayload where it is not readable."""
    try:
        found = _FILER_HEADER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadPayload(f"the response is not readable as JSON: {error}", source=SOURCE) from None
    return found if found.name else msgspec.structs.replace(found, name=found.entity_name)


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
        document = _json.typed(body)
    except NOT_JSON as error:
        raise BadPayload(f"the response is not readable as JSON: {error}", source=SOURCE, series=key) from None
    if not isinstance(document, dict):
        raise BadPayload("the response is no JSON object, so it has no 'facts' mapping", source=SOURCE, series=key)
    _check_filer(document.get("cik"), document.get("entityName") or document.get("name"), key, cik)
    return document


def _check_filer(found: object, name: object, key: str, cik: int) -> None:
    # Most responses give the CIK as a number, some as text with or without leading zeros.
    if re.fullmatch(r"\d{1,10}", str(found)) is None or int(str(found)) != cik:
        raise BadPayload(f"asked for CIK {cik}, answered for CIK {found!r} ({name})", source=SOURCE, series=key)


def _columns(body: bytes, key: str, cik: int) -> pl.DataFrame:
    """One row per fact, all text as found, `val` as a number; `val_broken` is a value that is no number.

    Strict and fast: the outline by msgspec, then the facts, one line of JSON for each tag and unit, by Arrow's reader.
    Raises what these raise where a field has another type than in _FACT.
    """
    if not body.isascii():
        body.decode()  # neither reader looks inside the facts' strings, and later no program expects other than UTF-8
    document = _COMPANY_FACTS.decode(body)
    _check_filer(document.cik, document.entityName, key, cik)
    _check_financial(document.facts, document.entityName, key)
    blocks = [
        (taxonomy, tag, unit, facts)
        for taxonomy, tags in document.facts.items()
        for tag, block in tags.items()
        for unit, facts in block.units.items()
    ]
    if not blocks:
        return pl.DataFrame(schema=_COLUMNS)
    lines = b"".join(b'{"facts":%b}\n' % bytes(facts) for *_, facts in blocks)
    lists = pyarrow.json.read_json(pa.BufferReader(lines), parse_options=_FACTS)["facts"].combine_chunks()
    facts = lists.flatten()
    if len(lists) != len(blocks) or lists.null_count or facts.null_count:
        raise pa.ArrowInvalid("null in place of facts, or facts over several lines")
    places = pl.DataFrame(
        [block[:3] for block in blocks], schema=["taxonomy", "tag", "unit"], orient="row"
    ).with_columns(place=pl.format("{}/{} {} accession ", "taxonomy", "tag", "unit"))
    found = pl.DataFrame(pl.from_arrow(pa.Table.from_struct_array(facts)))
    return (
        pl.concat([places[pc.list_parent_indices(lists).to_numpy()], found], how="horizontal")
        .with_columns(row=pl.concat_str("place", pl.col("accn").fill_null("none")))
        .select(_COLUMNS.keys())
    )


def _mended(body: bytes, key: str, cik: int) -> bytes:
    """The payload again with each field of a fact in its type, for `_columns`; a value that is no number set aside.

    Raises BadPayload where the payload is not readable or not nested as companyfacts are.
    """
    document = _document(body, key, cik)
    taxonomies = document.get("facts")
    if not isinstance(taxonomies, dict):
        raise BadPayload("the response has no 'facts' mapping", source=SOURCE, series=key)
    _check_financial(taxonomies, document.get("entityName"), key)
    place = "facts"
    facts: dict[str, dict[str, Any]] = {}
    try:
        for taxonomy, tags in taxonomies.items():
            facts[taxonomy] = {}
            for tag, block in tags.items():
                place = f"{taxonomy}/{tag}"
                units = {unit: [_mended_fact(fact) for fact in _listed(rows)] for unit, rows in block["units"].items()}
                facts[taxonomy][tag] = {"units": units}
    except (AttributeError, KeyError, TypeError) as error:
        raise BadPayload(f"{place} is not nested as units and facts: {error!r}", source=SOURCE, series=key) from None
    return msgspec.json.encode({"cik": document["cik"], "facts": facts})


def _listed(rows: object) -> list[dict[str, Any]]:
    if not isinstance(rows, list):
        raise TypeError(f"the facts of a unit are no list but {type(rows).__name__}")
    return rows


def _mended_fact(fact: dict[str, Any]) -> dict[str, Any]:
    text = {name: fact.get(name) for name in _TEXT_FIELDS}
    value, year = fact.get("val"), fact.get("fy")
    # bool is a subclass of int; only a real JSON number is a value, and one that no double holds is none.
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    number = value if is_number else None
    return {
        **{name: found if found is None or isinstance(found, str) else str(found) for name, found in text.items()},
        "val": number,
        _BROKEN: None if number is not None or value is None else repr(value),
        "fy": year if type(year) is int and -(2**63) <= year < 2**63 else None,
    }


def _check_financial(taxonomies: dict[str, Any], name: object, key: str) -> None:
    if not any(taxonomies.get(taxonomy) for taxonomy in FINANCIAL_TAXONOMIES):
        raise BadPayload(
            f"the response for {name} holds no financial statements, only {', '.join(sorted(taxonomies)) or 'nothing'}",
            source=SOURCE,
            series=key,
            todo="look for the CIK under which the company files now (or filed before) and add it to companies.yaml",
        )


def _typed(raw: pl.DataFrame, cik: int) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Rows of FILING_FACT, a reject for each fact with a broken date, value or identity, and how many have no value."""
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
        pl.when(pl.col(_BROKEN).is_not_null()).then(pl.concat_str(pl.lit("'val' is not a number: "), _BROKEN)),
    )
    is_missing = pl.col("val").is_null() & pl.col(_BROKEN).is_null()
    typed = typed.with_columns(reason=reason, is_missing=is_missing)
    broken = typed.filter(~pl.col("is_missing") & pl.col("reason").is_not_null())
    facts = typed.filter(~pl.col("is_missing") & pl.col("reason").is_null()).select(
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
    rejects = broken.select(series_id=pl.format("CIK{}", pl.lit(cik)), row="row", reason="reason")
    return facts, rejects, int(typed["is_missing"].sum())


def _exact(values: pl.Series) -> float | None:
    """The value of which the others are roundings; null where there is none."""
    printed = sorted((Decimal(repr(value)).normalize() for value in values), key=lambda v: v.as_tuple().exponent)
    exact = printed[0]
    for other in printed[1:]:
        digits, gap = other.as_tuple(), abs(other - exact)
        is_rounding = gap * 2 <= Decimal(1).scaleb(int(digits.exponent)) and len(digits.digits) > 1
        # A single digit agrees with half of everything. One digit more makes 114 no exact form of 110, but 40.25 one of
        # 40.2; two digits more do.
        finer = int(digits.exponent) - int(exact.as_tuple().exponent)
        if not is_rounding or not (finer > 1 or gap * 200 <= abs(exact)):
            return None
    return float(exact)


def _collapsed(facts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Repetitions and roundings dropped; a fact with values that disagree in one accession is a reject naming them."""
    repeated = pl.struct(_FACT_KEY).is_duplicated()
    if not facts.select(repeated.any()).item():
        return facts, pl.DataFrame(schema=REJECT)
    once = facts.unique(subset=[*_FACT_KEY, "value"], keep="first", maintain_order=True)
    several = once.filter(repeated)
    if several.is_empty():
        return once, pl.DataFrame(schema=REJECT)
    exact = several.group_by(_FACT_KEY).agg(
        pl.col("value").map_batches(_exact, return_dtype=pl.Float64, returns_scalar=True).alias("exact")
    )
    judged = once.join(exact, on=_FACT_KEY, how="left", nulls_equal=True, maintain_order="left")
    contradictory = judged.filter(repeated & pl.col("exact").is_null()).drop("exact")
    kept = judged.filter(~repeated | (pl.col("value") == pl.col("exact"))).drop("exact")
    if contradictory.is_empty():
        return kept, pl.DataFrame(schema=REJECT)
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
    return kept, rejects
