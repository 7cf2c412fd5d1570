"""SEC financial statement data sets: every filer's tagged figures, one zip of tab-separated tables per quarter.

For bulk history: the filings of the catalogued companies, with the same columns as companyfacts. Field meanings follow
the readme inside the zip. A duration is printed as a month's end and a number of quarters, so its first day is derived,
and companies with years of 52 or 53 weeks cannot be read (the end of their year is rounded).
"""

from __future__ import annotations

import calendar
import io
import re
import zipfile
import zlib
from datetime import date, timedelta

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import FILING_FACT, REJECT, Expect, Parsed, Request

SOURCE = "sec_financial_statements"
URL = "https://www.sec.gov/files/dera/data/financial-statement-data-sets/{quarter}.zip"
FIRST_QUARTER = 2009 * 4 + 1  # 2009q2, counted in quarters from year 0
# 2026q2 was absent 43 days after the quarter's end and there after 64.
ABSENT_DAYS = 75
# num.txt of the recorded quarter unzips to 15 MB; those of recent years to about 500 MB.
MAX_MEMBER_BYTES = 1_500_000_000

ZIP = Expect(
    starts_with=(b"PK",),
)
SUB_COLUMNS = ("adsh", "cik", "form", "fy", "fp", "filed")
NUM_COLUMNS = ("adsh", "tag", "version", "ddate", "qtrs", "uom", "value")
# Figures of a segment or a co-registrant are not totals. Older editions have no column of segments.
PARTIAL_COLUMNS = ("segments", "coreg")
# Taxonomies have a year here (us-gaap/2009), but not in companyfacts. A company's own tag has the accession number in
# place of the taxonomy and is left out, as in companyfacts.
TAXONOMIES = {"us-gaap": "us-gaap", "ifrs": "ifrs-full", "dei": "dei", "srt": "srt", "invest": "invest"}
_FACT_KEY = ("tag", "taxonomy", "unit", "period_start", "period_end", "accession")


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per quarter since 2009, oldest first, each fetched once. A recent quarter may not be out yet."""
    running = today.year * 4 + (today.month - 1) // 3
    out = today - timedelta(days=ABSENT_DAYS)
    last_out = out.year * 4 + (out.month - 1) // 3 - 1
    return [
        Request(
            key=(quarter := f"{count // 4}q{count % 4 + 1}"),
            url=URL.format(quarter=quarter),
            expect=ZIP,
            closed=True,
            absent_ok=count > last_out,
        )
        for count in range(FIRST_QUARTER, running)
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Facts of the catalogued companies (by any of their CIKs) filed in the quarter `key`, as `yyyyqn`.

    `filing_facts` have the columns of FILING_FACT: totals only, in the fact's own unit, known from the day of filing.
    `missing` counts facts with an empty value, per filer. A fact with two values in one accession is one reject.

    Raises BadPayload for a body that is not such a zip, lacks a table or a column, or has a member above 1.5 GB.
    """
    if not re.fullmatch(r"\d{4}q[1-4]", key):
        raise BadPayload(f"the key '{key}' is not of the form yyyyqn", source=SOURCE)
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError) as error:
        raise BadPayload(f"not a zip archive: {error}", source=SOURCE, row=key, todo="try again later") from None
    with archive:
        filings = _read(archive, "sub.txt", SUB_COLUMNS, key).filter(
            pl.col("cik").cast(pl.Int64, strict=False).is_in(list(catalog.company_by_cik))
        )
        numbers = _read(archive, "num.txt", NUM_COLUMNS, key, PARTIAL_COLUMNS, keep=filings["adsh"])
    return _facts(numbers.join(filings, on="adsh", how="inner", maintain_order="left"), key)


def _read(
    archive: zipfile.ZipFile,
    name: str,
    columns: tuple[str, ...],
    key: str,
    optional: tuple[str, ...] = (),
    keep: pl.Series | None = None,
) -> pl.DataFrame:
    """A table of the archive, all text; with `keep`, only the rows with one of these accession numbers."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise BadPayload(f"no {name} in the archive", source=SOURCE, row=key) from None
    if member.file_size > MAX_MEMBER_BYTES:
        raise BadPayload(f"{name} unzips to {member.file_size} bytes", source=SOURCE, row=key)
    try:
        with archive.open(member) as file:
            header = file.readline(100_000).decode("utf-8", "replace").rstrip("\r\n").split("\t")
            absent = [column for column in columns if column not in header]
            if absent:
                raise BadPayload(f"{name} lacks {', '.join(absent)}", source=SOURCE, row=key)
            # Filtered line by line, so that the half gigabyte of a recent quarter is never in memory as a whole.
            wanted = None if keep is None else frozenset(a.encode() for a in keep)
            place = header.index("adsh")
            lines = [
                line for line in file if wanted is None or line.split(b"\t", place + 1)[place] in wanted
            ]  # fmt: skip
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadPayload(f"{name} cannot be unzipped: {error}", source=SOURCE, row=key) from None
    except IndexError:
        raise BadPayload(f"{name} has a line with fewer fields than its header", source=SOURCE, row=key) from None
    taken = [*columns, *(column for column in optional if column in header)]
    try:
        table = pl.read_csv(
            io.BytesIO("\t".join(header).encode() + b"\n" + b"".join(lines)),
            separator="\t",
            quote_char=None,
            infer_schema=False,
            encoding="utf8-lossy",
            columns=taken,
        )
    except pl.exceptions.PolarsError as error:
        raise BadPayload(f"{name}: {str(error).splitlines()[0]}", source=SOURCE, row=key) from None
    missing = [pl.lit(None, dtype=pl.String).alias(column) for column in optional if column not in header]
    return table.with_columns(*missing)


def _month_end(text: str) -> date | None:
    """A day printed as yyyymmdd, if it is the last of its month."""
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return day if day.day == calendar.monthrange(day.year, day.month)[1] and len(text) == 8 else None


def _facts(rows: pl.DataFrame, key: str) -> Parsed:
    whole = pl.all_horizontal(pl.col(name).fill_null("") == "" for name in PARTIAL_COLUMNS)
    family = pl.col("version").str.extract(r"^([a-z-]+)/").replace_strict(TAXONOMIES, default=None)
    rows = rows.with_columns(taxonomy=family).filter(whole & pl.col("taxonomy").is_not_null())
    days = {text: _month_end(text) for text in rows["ddate"].drop_nulls().unique()}
    quarters = pl.col("qtrs").cast(pl.Int32, strict=False)
    typed = rows.with_columns(
        series_id=pl.format("CIK{}", pl.col("cik").cast(pl.Int64)),
        row=pl.format("{}/{} {} accession {}", "taxonomy", "tag", pl.col("uom").fill_null(""), "adsh"),
        period_end=pl.col("ddate").replace_strict(days, default=None, return_dtype=pl.Date),
        quarters=quarters,
        value_read=pl.col("value").cast(pl.Float64, strict=False),
        filed_day=pl.col("filed").str.to_date("%Y%m%d", strict=False),
    ).with_columns(
        # The day after the end of the month that is this many quarters earlier.
        period_start=pl.when(pl.col("quarters") > 0).then(
            pl.col("period_end").dt.month_start().dt.offset_by(pl.format("-{}mo", pl.col("quarters") * 3 - 1))
        ),
        is_null=pl.col("value").fill_null("").str.strip_chars() == "",
    )
    nulls = typed.filter("is_null").group_by("series_id", maintain_order=True).len()
    typed = typed.filter(~pl.col("is_null")).with_columns(
        reason=pl.when(pl.col("period_end").is_null())
        .then(pl.format("'ddate' is not a month's end: {}", pl.col("ddate").fill_null("")))
        .when(pl.col("quarters").is_null() | (pl.col("quarters") < 0))
        .then(pl.format("'qtrs' is not a number of quarters: {}", pl.col("qtrs").fill_null("")))
        .when(~pl.col("value_read").is_finite().fill_null(False))
        .then(pl.format("'value' is not a number: {}", "value"))
        .when(pl.col("filed_day").is_null())
        .then(pl.format("'filed' is not a date: {}", pl.col("filed").fill_null("")))
    )
    facts = (
        typed.filter(pl.col("reason").is_null())
        .select(
            "series_id",
            cik=pl.col("cik").cast(pl.Int64),
            taxonomy="taxonomy",
            tag="tag",
            unit="uom",
            period_start="period_start",
            period_end="period_end",
            value="value_read",
            accession="adsh",
            form="form",
            filed="filed_day",
            fiscal_year=pl.col("fy").cast(pl.Int16, strict=False),
            fiscal_period="fp",
            row="row",
        )
        .unique(subset=[*_FACT_KEY, "value"], keep="first", maintain_order=True)
    )
    twice = pl.struct(_FACT_KEY).is_duplicated()
    contradictory = (
        facts.filter(twice)
        .group_by(_FACT_KEY, maintain_order=True)
        .agg(pl.col("series_id", "row").first(), pl.col("value").cast(pl.String).str.join(" and ").alias("values"))
        .select(
            "series_id",
            "row",
            pl.format("one accession gives two values for the period ending {}: {}", "period_end", "values").alias(
                "reason"
            ),
        )
    )
    return Parsed(
        filing_facts=facts.filter(~twice).select(pl.col(name).cast(dtype) for name, dtype in FILING_FACT.items()),
        rejects=pl.concat([typed.filter(pl.col("reason").is_not_null()).select(*REJECT), contradictory]),
        missing=dict(nulls.iter_rows()),
    )
