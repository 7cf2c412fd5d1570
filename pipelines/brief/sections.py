"""What the brief says, section by section: a sentence computed from the data, tables, charts, what is missing and why.

Every figure is a cell of an answer, so that the page can link it to its query and a test can read it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from pipelines.brief import charts, formats
from pipelines.brief.answers import Answer, Answers, Cell, Credit, OwnUse
from pipelines.brief.charts import Line
from pipelines.catalog import LicenceClass

Sentence = list[str | Cell]
# The publishers that a section stands on, defaults and fallbacks: named where it has no figure.
INPUTS = {
    "drivers": ("worldbank_pink_sheet", "federal_reserve", "fred", "eastmoney", "dbnomics", "sec_edgar"),
    "prices": ("worldbank_pink_sheet", "imf_pcps", "fred"),
    "ai": ("sec_edgar", "sec_financial_statements"),
    "money": ("eastmoney", "dbnomics"),
    "premium": ("yahoo", "westmetall", "lbma"),
    "coal": ("ember", "owid_energy"),
    "seventies": ("fred", "omb", "worldbank_indicators", "worldbank_pink_sheet"),
    "divergences": ("worldbank_pink_sheet", "eastmoney", "sec_edgar"),
    "opportunities": ("worldbank_pink_sheet", "federal_reserve", "fred", "eastmoney"),
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the answer's column, and a unit where the name does not tell it."""

    heading: str
    column: str
    unit: str | None = None
    kind: str = ""
    """How the cell looks: '' as its type, 'verdict' or 'state' as a label, 'heat' as a coloured cell, 'link' as one,
    'text' as running text, 'if_any' empty where there is nothing to say."""


@dataclass(frozen=True)
class Table:
    """Rows of an answer. The first column names the row."""

    query: str
    caption: str
    columns: Sequence[Column]
    rows: list[list[Cell]]
    numbers: list[int]
    """The rows' places in the answer."""
    links: dict[int, str] = field(default_factory=dict)
    """An address of the publisher's document by row number."""
    folded: bool = False
    """Whether it stands behind a summary that opens it."""

    @property
    def numeric(self) -> set[str]:
        """Columns that hold numbers."""
        return {c.column for row in self.rows for c in row if c.is_number}

    @property
    def lines(self) -> list[tuple[int, list[tuple[Column, Cell]]]]:
        return [(n, list(zip(self.columns, row, strict=True))) for n, row in zip(self.numbers, self.rows, strict=True)]


@dataclass(frozen=True)
class Chart:
    """A figure of Plotly with its words: title, what it shows in a sentence, source, data as tables."""

    id: str
    title: str
    alt: str
    figure: dict[str, Any]
    data: Table
    credits: list[Credit]
    newest: str
    tall: bool = False


@dataclass(frozen=True)
class Missing:
    """Inputs that a section lacks, and why."""

    titles: str
    why: str


@dataclass
class Section:
    """A part of the page."""

    id: str
    title: str
    says: Sentence
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    has_data: bool = True
    short: str = ""
    """Its name in the list of sections, where the title is long."""


@dataclass(frozen=True)
class Claim:
    """A claim of the board with its evidence."""

    id: Cell
    statement: Cell
    verdict: Cell
    because: Cell
    known_at: Cell
    says: Sentence
    evidence: Table | None


@dataclass(frozen=True)
class Brief:
    """The whole page."""

    as_of: Cell
    made_at: str
    says: Sentence
    key_figures: list[tuple[Cell, Cell, Cell]]
    sections: list[Section]
    claims: list[Claim]
    own_use: OwnUse
    queries: list[Answer]


def table(
    answer: Answer, caption: str, columns: Sequence[Column], rows: Iterable[int] | None = None,
    *, link: str | None = None, folded: bool = False,
) -> Table:  # fmt: skip
    """A table of an answer's rows (all by default). `link` names the column that holds an address for the row."""
    numbers = list(range(len(answer)) if rows is None else rows)
    links = {}
    if link:
        # An address comes from outside: anything but a plain web address stays text.
        links = {n: u for n in numbers if (u := answer.frame[link][n]) and str(u).startswith(("https://", "http://"))}
    cells = [[answer.cell(n, c.column, c.unit) for c in columns] for n in numbers]
    return Table(answer.name, caption, columns, cells, numbers, links, folded)


def missing(answers: Answers, source_ids: Sequence[str]) -> list[Missing]:
    """Which of the publishers that a section stands on have given nothing, and why."""
    sources = answers["sources"]
    found: dict[str, list[str]] = {}
    for n in range(len(sources)):
        row = sources.frame.row(n, named=True)
        if row["source_id"] not in source_ids or row["state"] != "missing":
            continue
        if row["licence_class"] == LicenceClass.PERSONAL_USE.value:
            why = "for a user's own machine only, by their terms; METALS_PERSONAL_USE=true switches them on"
        elif row["last_outcome"] == "waiting":
            why = "answered, but not read in time yet: the next run tries again"
        elif row["last_outcome"] in ("failed", "refused"):
            why = f"{row['last_outcome']} when last asked on {formats.day(row['last_asked_at'].date())}"
        elif row["last_asked_at"] is None:
            why = "never asked (offline, switched off or without its key), and nothing of it ships with the project"
        else:
            why = "answered, but with nothing of these series yet"
        found.setdefault(why, []).append(row["title"])
    return [Missing(_words(titles), why) for why, titles in found.items()]


def brief(answers: Answers, made_at: datetime) -> Brief:
    """Everything the page says, in its order."""
    publication = answers["publication"]
    figures = answers["key_figures"]
    shown = [
        (figures.cell(n, "figure"), figures.cell(n, "value", "@unit"), figures.cell(n, "period", "@frequency"))
        for n in range(len(figures))
        if figures.frame["value"][n] is not None
    ]
    claims = answers["claims"]
    parts = [
        _changes(answers),
        _claims(answers),
        _heat_map(answers),
        _prices(answers),
        _capex(answers),
        _money(answers),
        _trade(answers),
        _coal(answers),
        _analog(answers),
        _divergences(answers),
        _opportunities(answers),
        _state(answers),
    ]
    counts = answers["verdict_counts"]
    says = _listed([[counts.cell(n, "claims"), f" {_verdict(counts.frame['verdict'][n])}"] for n in range(len(counts))])
    return Brief(
        as_of=publication.cell(0, "as_of"),
        made_at=f"{made_at:%H:%M} UTC on {formats.day(made_at.date())}",
        says=[f"Of {len(claims)} claims, ", *says, "."],
        key_figures=shown,
        sections=parts,
        claims=[_claim(answers, n) for n in range(len(claims))],
        own_use=answers.own_use,
        queries=list(answers.asked.values()),
    )


def _verdict(word: str) -> str:
    return "without data" if word == "no_data" else word


def _listed(parts: Sequence[Sentence]) -> Sentence:
    """Parts as a list in a sentence: one, two and three."""
    joined: Sentence = []
    for n, part in enumerate(parts):
        joined += [*([] if n == 0 else [" and " if n == len(parts) - 1 else ", "]), *part]
    return joined or ["none"]


def _words(words: Sequence[str]) -> str:
    return "".join(str(part) for part in _listed([[word] for word in words]))


def _counted(answer: Answer, column: str, noun: str) -> Sentence:
    """A number of the first row with its noun in the right number."""
    return [answer.cell(0, column), f" {noun}" if answer.frame[column][0] == 1 else f" {noun}s"]


def _chart(
    answers: Answers, name: str, title: str, alt: str, figure: Any, data: Table, tables: Sequence[str], newest: object,
    *, tall: bool = False, period: str = "period",
) -> Chart:  # fmt: skip
    said = formats.written(newest, period) if isinstance(newest, date) else ""
    return Chart(name, title, alt, figure.to_plotly_json(), data, answers.credits(*tables), said, tall)


def _changes(answers: Answers) -> Section:
    publication = answers["publication"]
    flips, states = answers["verdict_flips"], answers["divergence_changes"]
    data, sizes = answers["data_changes"], answers["table_changes"]
    first = bool(publication.frame["is_first_publication"][0])
    totals = answers["change_totals"]
    since = publication.cell(0, "previous_finished_at")
    says: Sentence
    if first:
        says = [
            "This is the first publication: ", totals.cell(0, "rows_of_new_periods"), " figures of ",
            totals.cell(0, "publishers"), " publishers are new, and nothing can differ yet.",
        ]  # fmt: skip
    else:
        says = [
            "Since ", since if since.value is not None else "the last publication", ": ",
            *_counted(totals, "verdicts_flipped", "verdict"), " flipped, ",
            *_counted(totals, "divergences_changed", "divergence"), " changed state, ",
            *_counted(totals, "rows_of_new_periods", "figure"), " came in and ",
            *_counted(totals, "rows_revised", "figure"), " revised.",
        ]  # fmt: skip
    section = Section("changes", "What changed", says)
    if len(flips):
        section.tables.append(
            table(flips, "Verdicts that flipped", [
                Column("Claim", "claim_id"), Column("Statement", "statement"),
                Column("Before", "verdict_before", kind="verdict"), Column("Now", "verdict_after", kind="verdict"),
            ])
        )  # fmt: skip
    if len(states):
        section.tables.append(
            table(states, "Divergences that opened or closed", [
                Column("Subject", "subject"), Column("Divergence", "title"), Column("Now", "state", kind="state"),
                Column("Since", "state_since"),
            ])
        )  # fmt: skip
    if len(data):
        section.tables.append(
            table(data, "Figures that came in or were revised, by publisher", [
                Column("Publisher", "title"), Column("Series", "series"), Column("New", "rows_of_new_periods"),
                Column("Revised", "rows_revised"), Column("No longer there", "rows_vanished"),
                Column("Newest period", "last_period"),
            ])
        )  # fmt: skip
    if len(sizes) and not first:
        section.tables.append(
            table(sizes, "Tables that grew or shrank", [
                Column("Table", "table_name"), Column("Rows before", "rows_before"), Column("Rows now", "rows_after"),
                Column("More", "rows_more"),
            ], folded=True)
        )  # fmt: skip
    return section


def _claims(answers: Answers) -> Section:
    counts = answers["verdict_counts"]
    says: Sentence = []
    for n in range(len(counts)):
        verb = " is " if counts.frame["claims"][n] == 1 else " are "
        says += [
            *(["; "] if n else []), counts.cell(n, "claim_ids"), verb, _verdict(counts.frame["verdict"][n])
        ]  # fmt: skip
    return Section(
        "claims", "Claims", [*says, "."], credits=answers.credits("claim_verdicts"), has_data=len(counts) > 0
    )


def _claim(answers: Answers, row: int) -> Claim:
    claims, evidence = answers["claims"], answers["evidence"]
    claim_id = claims.frame["claim_id"][row]
    rows = evidence.where(claim_id=claim_id)
    says: Sentence = []
    for reading, word in (("supports", "Supports"), ("contradicts", "Contradicts"), ("neutral", "Not decided")):
        found = evidence.where(claim_id=claim_id, role="decisive", reading=reading, is_stale=False)
        for n, place in enumerate(found):
            says += [(" " if says else "") + f"{word}: " if n == 0 else "; ", evidence.cell(place, "finding")]
        says += ["."] if found else []
    if claims.frame["decisive_missing_or_stale"][row]:
        says += [
            " " if says else "", claims.cell(row, "decisive_missing_or_stale"), " of ",
            claims.cell(row, "decisive_indicators"), " decisive indicators have no figure or too old a one.",
        ]  # fmt: skip
    columns = [
        Column("Indicator", "indicator", kind="code"), Column("Role", "role"), Column("Value", "value", "@unit"),
        Column("Period", "period"), Column("Reading", "reading", kind="verdict"), Column("Stale", "is_stale"),
        Column("Finding", "finding", kind="text"), Column("Why this bar", "reason", kind="text"),
    ]  # fmt: skip
    return Claim(
        id=claims.cell(row, "claim_id"),
        statement=claims.cell(row, "statement"),
        verdict=claims.cell(row, "verdict"),
        because=claims.cell(row, "because"),
        known_at=claims.cell(row, "known_at"),
        says=says or [claims.cell(row, "because")],
        evidence=table(evidence, f"Evidence for {claim_id}", columns, rows) if rows else None,
    )


def _heat_map(answers: Answers) -> Section:
    heat, scores = answers["heat_map"], answers["driver_scores"]
    section = Section(
        "drivers", "Metals and their drivers", [], short="Drivers", credits=answers.credits("driver_composites")
    )
    if not len(heat):
        section.has_data = False
        section.says = ["No metal has a composite of its drivers."]
        section.missing = missing(answers, INPUTS["drivers"])
        return section
    last = len(heat) - 1
    section.says = [
        "In ", heat.cell(0, "month"), " the drivers push ", heat.cell(0, "metal"), " most (",
        heat.cell(0, "composite", "zscore"), ") and ", heat.cell(last, "metal"), " least (",
        heat.cell(last, "composite", "zscore"), "), with ", heat.cell(0, "drivers_available"), " of ",
        heat.cell(0, "drivers_expected"), " drivers known for ", heat.cell(0, "metal"), ".",
    ]  # fmt: skip
    groups = {
        "Fiscal": "contribution_fiscal", "Monetary": "contribution_monetary", "China": "contribution_china",
        "AI": "contribution_ai", "Trade": "contribution_trade", "Geopolitics": "contribution_geopolitics",
        "Positioning": "contribution_positioning",
    }  # fmt: skip
    present = {heading: column for heading, column in groups.items() if heat.has(column)}
    absent = [heading.lower() for heading in groups if heading not in present]
    section.tables.append(
        table(heat, "Contribution of each group of drivers to the composite, standard deviations", [
            Column("Metal", "metal"),
            *(Column(heading, column, "zscore", "heat") for heading, column in present.items()),
            Column("Composite", "composite", "zscore", "heat"),
            Column("Known", "drivers_available"), Column("Of", "drivers_expected"),
        ])
    )  # fmt: skip
    if absent:
        section.notes.append(
            f"No figure in time for: {_words(absent)}. A missing part is left out, not counted as zero."
        )
    section.tables.append(
        table(scores, "Scores behind it", [
            Column("Metal", "metal"), Column("Driver", "driver"), Column("Sign", "sign"), Column("Z-score", "zscore"),
            Column("Contribution", "contribution", "zscore"), Column("Figure of", "value_period", kind="if_any"),
            Column("Why none", "gap_reason", kind="if_any"),
        ], folded=True)
    )  # fmt: skip
    return section


def _prices(answers: Answers) -> Section:
    prices, paths, volatility = answers["prices"], answers["price_paths"], answers["volatility"]
    section = Section("prices", "Prices and volatility", [], short="Prices")
    if not len(prices):
        section.has_data = False
        section.says = ["There is no price."]
        section.missing = missing(answers, INPUTS["prices"])
        return section
    ranked = prices.frame.with_row_index("place").drop_nulls("return_12m_pct").sort("return_12m_pct")["place"].to_list()
    section.says = []
    if ranked:
        low, high = ranked[0], ranked[-1]
        section.says += [
            "Over twelve months to ", prices.cell(high, "period"), " prices moved from ",
            prices.cell(low, "return_12m_pct", "return_pct"), " (", prices.cell(low, "metal"), ") to ",
            prices.cell(high, "return_12m_pct", "return_pct"), " (", prices.cell(high, "metal"), ")",
        ]  # fmt: skip
    if len(volatility):
        section.says += [
            "; ", volatility.cell(0, "metal"), " is the most volatile against its own past (",
            volatility.cell(0, "volatility_pct"), " annualised, more than in ", volatility.cell(0, "percentile"),
            f"{formats.THIN}% of all months)",
        ]  # fmt: skip
    section.says.append(".")
    section.tables.append(
        table(prices, "Newest monthly price of each metal", [
            Column("Metal", "metal"), Column("Month", "period"), Column("Price", "price_native", "@native_unit"),
            Column("1 month", "return_1m_pct", "return_pct"), Column("12 months", "return_12m_pct", "return_pct"),
            Column("Z-score", "price_zscore_expanding", "zscore"),
            Column("Volatility", "realised_volatility_12m_annualised_pct"),
        ])
    )  # fmt: skip
    section.credits = answers.credits("metal_prices")
    if len(paths):
        drawn = [
            Line(f"{m}_index", m.capitalize())
            for m in ("copper", "aluminium", "gold", "silver")
            if paths.has(f"{m}_index")
        ]
        first, last = paths.cell(0, "period"), paths.cell(len(paths) - 1, "period")
        ends = ", ".join(f"{d.name} at {paths.cell(len(paths) - 1, d.column).text}" for d in drawn)
        section.charts.append(
            _chart(
                answers, "price-paths", f"Prices, {first.text} = 100, logarithmic",
                f"Lines of monthly prices from {first.text} to {last.text}. In {last.text}: {ends}.",
                charts.lines("price_paths", paths.frame, drawn, f"{first.text} = 100",
                             yaxis=charts.axis(f"{first.text} = 100", type="log",
                                               tickvals=[25, 50, 100, 200, 400, 800, 1600])),
                table(paths, "Monthly prices as an index",
                      [Column("Month", "period"), *(Column(d.name, d.column) for d in drawn)],
                      range(len(paths) - 1, -1, -1)),
                ("metal_prices",), paths.newest("period"),
            )
        )  # fmt: skip
    if len(volatility):
        top = volatility.cell(0, "metal").text
        section.charts.append(
            _chart(
                answers, "volatility", "Realised volatility of twelve months against its own history",
                f"For each metal a bar from the 10th to the 90th percentile of its history, its median and the present "
                f"value. The highest against its past is {top} at {volatility.cell(0, 'volatility_pct').text}.",
                charts.ranges("volatility", volatility.frame, "metal", "volatility_10th_percentile_pct",
                              "volatility_median_pct", "volatility_90th_percentile_pct", "volatility_pct"),
                table(volatility, "Volatility against its history", [
                    Column("Metal", "metal"), Column("To", "period"), Column("Now", "volatility_pct"),
                    Column("10th percentile", "volatility_10th_percentile_pct"),
                    Column("Median", "volatility_median_pct"),
                    Column("90th percentile", "volatility_90th_percentile_pct"),
                    Column("Percentile now", "percentile"), Column("History from", "first_period"),
                ]),
                ("metal_prices",), volatility.newest("period"), tall=True,
            )
        )  # fmt: skip
    return section


def _capex(answers: Answers) -> Section:
    quarters, total, tonnes = answers["capex_quarters"], answers["capex_aggregate"], answers["implied_tonnes"]
    copper = answers["implied_copper"]
    section = Section("ai", "AI capital expenditure and the metal it implies", [], short="AI capex")
    if not len(total):
        section.has_data = False
        section.says = ["No hyperscaler has four quarters of capital expenditure."]
        section.missing = missing(answers, INPUTS["ai"])
        return section
    section.says = [
        total.cell(0, "capex_ttm_companies"), " of ", total.cell(0, "companies_expected"), " hyperscalers spent ",
        total.cell(0, "capex_ttm_usd"), " in the four quarters to ", total.cell(0, "calendar_quarter"),
    ]  # fmt: skip
    if total.frame["capex_ttm_carried"][0] is not None:
        section.says += [" (carried with their last known year: ", total.cell(0, "capex_ttm_carried"), ")"]
    if total.frame["like_for_like_yoy_pct"][0] is not None:
        section.says += [
            "; the quarter was ", total.cell(0, "like_for_like_yoy_pct", "yoy_pct"), " on a year before for the ",
            total.cell(0, "like_for_like_companies"), " with both quarters",
        ]  # fmt: skip
    base = [
        n
        for n in tonnes.where(metal="Copper", scenario="base")
        if tonnes.frame["implied_tonnes_per_year"][n] is not None
    ]
    if base:
        last = len(copper) - 1
        section.says += [
            ". That implies ", copper.cell(last, "base_tonnes_per_year"), " of copper (",
            copper.cell(last, "low_tonnes_per_year", "tonnes"), " to ",
            copper.cell(last, "high_tonnes_per_year", "tonnes"), " over the scenarios), ",
            tonnes.cell(base[0], "implied_pct_of_world_use"), " of the world's use in ",
            tonnes.cell(base[0], "world_use_year"),
        ]  # fmt: skip
    section.says.append(".")
    section.tables.append(
        table(total, "Hyperscalers together, newest quarters", [
            Column("Quarter", "calendar_quarter"), Column("Companies", "companies_reporting"),
            Column("Capex", "capex_usd"), Column("Four quarters", "capex_ttm_usd"),
            Column("Companies in it", "capex_ttm_companies"),
            Column("Carried", "capex_ttm_carried", kind="if_any"),
            Column("On a year before, like for like", "like_for_like_yoy_pct", "yoy_pct"),
        ], range(min(8, len(total))))
    )  # fmt: skip
    if quarters.frame["capex_usd"].null_count():
        section.notes.append(
            "A bar holds the companies whose quarter is known, as marked where some lack: the table of the chart says "
            "why the others are not. Sums over fewer companies, and the tonnes they imply, are lower bounds."
        )
    if quarters.has("capex_usd"):
        bars = charts.stacked(
            "capex_quarters", quarters.frame, "calendar_quarter", "capex_bn", "company", "US dollars, billions"
        )
        for row in total.frame.filter(pl.col("companies_reporting") < pl.col("companies_expected")).to_dicts():
            charts.over(bars, row["calendar_quarter"], row["capex_bn"],
                        f"{row['companies_reporting']}/{row['companies_expected']}")  # fmt: skip
        section.charts.append(
            _chart(
                answers, "capex", "Cash capital expenditure by calendar quarter",
                f"Stacked bars by company to {formats.written(quarters.newest('calendar_quarter'), 'quarter')}: "
                f"together {total.cell(0, 'capex_usd').text} in {total.cell(0, 'calendar_quarter').text}.",
                bars,
                table(quarters, "Capital expenditure by company and quarter", [
                    Column("Quarter", "calendar_quarter"), Column("Company", "company"), Column("Capex", "capex_usd"),
                    Column("On a year before", "capex_yoy_pct", "yoy_pct"),
                    Column("Why none", "gap_reason", kind="if_any"),
                ]),
                ("driver_ai_capex",), quarters.newest("calendar_quarter"), period="quarter",
            )
        )  # fmt: skip
    if base:
        section.charts.append(
            _chart(
                answers, "implied-copper", "Copper implied by the spending, low, base and high scenario",
                f"A band around a line, tonnes a year; in {tonnes.cell(base[0], 'calendar_quarter').text} "
                f"{tonnes.cell(base[0], 'implied_tonnes_per_year').text} in the base scenario. "
                "Every quarter is over the same companies; the table names those carried with their last known year.",
                charts.band("implied_copper", copper.frame, "calendar_quarter", Line("low_tonnes_per_year", "low"),
                            Line("base_tonnes_per_year", "base"), Line("high_tonnes_per_year", "high"),
                            "tonnes a year", ":,.0f"),
                table(tonnes, "Metal implied by the spending, by scenario", [
                    Column("Quarter", "calendar_quarter"), Column("Metal", "metal"), Column("Scenario", "scenario"),
                    Column("Implied", "implied_tonnes_per_year"), Column("Of world use", "implied_pct_of_world_use"),
                    Column("Companies", "capex_ttm_companies"), Column("Carried", "capex_ttm_carried", kind="if_any"),
                    Column("Lower bound", "is_lower_bound"),
                    Column("Why none", "gap_reason", kind="if_any"),
                ]),
                ("driver_ai_capex",), tonnes.newest("calendar_quarter"), period="quarter",
            )
        )  # fmt: skip
    section.notes.append(
        "Tonnes stand on referenced parameters, see docs/data_centre_parameters.md; cash purchases only, no leases."
    )
    section.credits = answers.credits("driver_ai_capex")
    return section


def _money(answers: Answers) -> Section:
    gap, lags = answers["money_ppi"], answers["lead_lag"]
    section = Section("money", "China: money against producer prices", [], short="Money and PPI")
    if not len(gap):
        section.has_data = False
        section.says = ["China's money or its producer prices have no figure."]
        section.missing = missing(answers, INPUTS["money"])
        return section
    section.says = [
        "In ", gap.cell(0, "month"), " producer prices stood ", gap.cell(0, "ppi_yoy_pct", "yoy_pct"),
        " on the year and M1 grew ", gap.cell(0, "gap_pp"), " against M2",
    ]  # fmt: skip
    best = lags.where(is_max=True)
    if best:
        section.says += [
            "; money fits prices best ", lags.cell(best[0], "lag_months", "months"), " later (correlation ",
            lags.cell(best[0], "correlation"), ", 95 % band ",
            lags.cell(best[0], "correlation_lower_95", "correlation"),
            " to ", lags.cell(best[0], "correlation_upper_95", "correlation"), ")",
        ]  # fmt: skip
    section.says.append(".")
    section.credits = answers.credits("divergence_money_ppi")
    lead = gap.cell(0, "lead_months", "months")
    moved = lead.value is not None
    figure = charts.lines(
        "money_ppi", gap.frame,
        [Line("ppi_zscore", "Producer prices"),
         Line("gap_zscore", f"M1 less M2, {lead.text} ahead" if moved else "M1 less M2",
              "gap_shown_at_month" if moved else None)],
        "z-score", hover=":+.2f",
    )  # fmt: skip
    if moved:
        charts.mark(figure, str(gap.frame["month"][0]), f"prices to here, money {lead.text} ahead", left=True)
    section.charts.append(
        _chart(
            answers, "money-ppi", f"M1 less M2 growth, moved ahead {lead.text}, and producer prices"
            if moved else "M1 less M2 growth and producer prices",
            f"Two lines of z-scores to {gap.cell(0, 'month').text}: producer prices at "
            f"{gap.cell(0, 'ppi_zscore').text}, money at {gap.cell(0, 'gap_zscore').text}, drawn {lead.text} later "
            "than it was.",
            figure,
            table(gap, "Money and producer prices by month", [
                Column("Month", "month"), Column("Money shown at", "gap_shown_at_month"),
                Column("M1 less M2", "gap_pp"), Column("PPI", "ppi_yoy_pct", "yoy_pct"),
                Column("Money, z-score", "gap_zscore"), Column("PPI, z-score", "ppi_zscore"),
            ]),
            ("divergence_money_ppi",), gap.newest("month"),
        )
    )  # fmt: skip
    if best:
        at = lags.cell(best[0], "lag_months")
        figure = charts.band(
            "lead_lag", lags.frame, "lag_months", Line("correlation_lower_95", "lower, 95 %"),
            Line("correlation", "correlation"), Line("correlation_upper_95", "upper, 95 %"), "correlation", ":.2f",
        )  # fmt: skip
        figure.update_xaxes(title_text="months by which money comes first", dtick=3)
        charts.mark(figure, at.value, f"best at {at.text}", low=True)
        section.charts.append(
            _chart(
                answers, "lead-lag", "How far ahead money is",
                f"Correlation by months of lead with a 95 % band; the highest is "
                f"{lags.cell(best[0], 'correlation').text} at {at.text} months.",
                figure,
                table(lags, "Correlation by lead", [
                    Column("Lead, months", "lag_months"), Column("Correlation", "correlation"),
                    Column("Lower", "correlation_lower_95", "correlation"),
                    Column("Upper", "correlation_upper_95", "correlation"), Column("Pairs", "pairs"),
                    Column("From", "first_month"), Column("To", "last_month"),
                ]),
                ("lead_lag_money_ppi",), lags.newest("last_month"),
            )
        )  # fmt: skip
    return section


def _trade(answers: Answers) -> Section:
    duties, events = answers["duties"], answers["policy_events"]
    section = Section("trade", "Trade policy and the COMEX premium", [], short="Trade policy")
    premium = duties.has("copper_premium_pct") or duties.has("silver_premium_pct")
    if not premium:
        section.missing = missing(answers, INPUTS["premium"]) or [Missing("COMEX premium", answers.own_use.said)]
    if not len(duties):
        section.has_data = False
        section.says = ["No duty is on record."]
        return section
    section.says = [
        "In ", duties.cell(0, "month"), " a general US duty of ", duties.cell(0, "copper_refined_rate_pct"),
        " stands on refined copper (", duties.cell(0, "copper_highest_rate_pct"), " on some copper goods) and ",
        duties.cell(0, "aluminium_refined_rate_pct"), " on unwrought aluminium",
    ]  # fmt: skip
    if premium and duties.has("copper_premium_pct"):
        newest = next(n for n in range(len(duties)) if duties.frame["copper_premium_pct"][n] is not None)
        section.says += [
            "; COMEX copper over the world price: ", duties.cell(newest, "copper_premium_pct", "yoy_pct"), " in ",
            duties.cell(newest, "month"),
        ]  # fmt: skip
    section.says.append("." if premium else "; the COMEX premium has no figure here.")
    drawn = [
        Line("copper_highest_rate_pct", "Copper goods, highest"),
        Line("copper_refined_rate_pct", "Refined copper"),
        Line("aluminium_refined_rate_pct", "Unwrought aluminium"),
    ]
    premiums = [
        Line(c, n)
        for c, n in (("copper_premium_pct", "COMEX premium, copper"), ("silver_premium_pct", "COMEX premium, silver"))
        if duties.has(c)
    ]
    figure = charts.lines("duties", duties.frame, drawn, "duty, per cent", steps=True)
    for n, line in enumerate(premiums):
        extra = charts.lines("duties", duties.frame, [line], "").data[0]
        extra.update(yaxis="y2", line={"color": charts.colour(("purple", "ochre")[n]), "dash": "solid", "width": 2})
        figure.add_trace(extra)
    if premiums:  # two panels over one time axis: a premium and a duty are not of one size
        figure.update_layout(
            yaxis=charts.axis("duty, per cent", domain=[0.5, 1]),
            yaxis2=charts.axis("premium, per cent", domain=[0, 0.42]),
            xaxis_anchor="y2",
        )
    figure.update_layout(xaxis_range=["2018-01-01", str(duties.newest("month"))])
    section.charts.append(
        _chart(
            answers, "duties", "US duties" + (" and the COMEX premium" if premiums else "") + " by month",
            f"Steps to {duties.cell(0, 'month').text}: refined copper "
            f"{duties.cell(0, 'copper_refined_rate_pct').text}, highest on copper goods "
            f"{duties.cell(0, 'copper_highest_rate_pct').text}, unwrought aluminium "
            f"{duties.cell(0, 'aluminium_refined_rate_pct').text}.",
            figure,
            table(duties, "Duties and premium by month", [
                Column("Month", "month"), *(Column(d.name, d.column) for d in (*drawn, *premiums)),
            ]),
            ("divergence_trade_tightness",) if premiums else (), duties.newest("month"), tall=bool(premiums),
        )
    )  # fmt: skip
    section.notes.append(
        "Each measure has its legal date and its citation; docs/policy_events.md says where each was read. A duty on "
        "goods made of copper is not one on the metal."
    )
    if len(events):
        section.tables.append(
            table(events, "Measures since 2025", [
                Column("Effective", "effective_on"), Column("Rate", "rate_pct", kind="if_any"),
                Column("Metals", "metals"), Column("On", "products", kind="text"),
                Column("Measure", "measure", kind="code"), Column("Instrument", "instrument", kind="code"),
                Column("Ends", "ends_on", kind="if_any"), Column("In force", "is_in_force", kind="if_any"),
                Column("Citation", "citation", kind="link"),
            ], link="source_url")
        )  # fmt: skip
    section.credits = answers.credits("policy_events", *(("divergence_trade_tightness",) if premiums else ()))
    return section


def _coal(answers: Answers) -> Section:
    coal = answers["coal"]
    section = Section("coal", "Coal in emerging Asia", [], short="Coal")
    if not len(coal):
        section.has_data = False
        section.says = ["Coal's share of electricity has no figure."]
        section.missing = missing(answers, INPUTS["coal"])
        return section
    names = coal.frame["name"].unique(maintain_order=True).to_list()
    whole = coal.where(name=names[0])
    newest = coal.where(year=coal.newest("year"))
    shares: list[Sentence] = [[coal.cell(n, "coal_share_pct"), " in ", coal.cell(n, "name")] for n in newest]
    section.says = ["Of all electricity in ", coal.cell(newest[0], "year"), " coal made ", *_listed(shares), "."]
    section.charts.append(
        _chart(
            answers, "coal-share", "Coal's share of electricity, per cent",
            f"Lines by country to {coal.newest('year')}; {names[0]} at {coal.cell(whole[0], 'coal_share_pct').text}.",
            charts.lines_by("coal", coal.frame, "year", "coal_share_pct", "name", "per cent of electricity"),
            table(coal, "Coal by country and year", [
                Column("Year", "year"), Column("Country", "name"), Column("Share", "coal_share_pct"),
                Column("Coal", "coal_twh"),
                Column("Slope of 5 years", "coal_share_slope_pp_per_year"),
                Column("Slope before", "coal_share_slope_before_pp_per_year"), Column("Exit slows", "phase_out_slows"),
            ]),
            ("divergence_coal_transition",), None,
        )
    )  # fmt: skip
    section.credits = answers.credits("divergence_coal_transition")
    return section


def _analog(answers: Answers) -> Section:
    summary, distance, outcomes = answers["analog_summary"], answers["analog_distance"], answers["analog_outcomes"]
    section = Section("seventies", "How like the 1970s", [], short="1970s")
    if not len(summary) or not len(distance):
        section.has_data = False
        section.says = ["Today's macro state cannot be compared with the past."]
        section.missing = missing(answers, INPUTS["seventies"])
        return section
    section.says = [
        "Of the ", summary.cell(0, "nearest_months", "count"), " months most like ",
        summary.cell(0, "reference_month"), ", ",
        summary.cell(0, "nearest_in_1970s"), " fall in the 1970s (", summary.cell(0, "nearest_in_1970s_pct"),
        ", where ", summary.cell(0, "candidates_in_1970s_pct"), " of all months do); the nearest is ",
        summary.cell(0, "nearest_month"), ".",
    ]  # fmt: skip
    lacking = summary.frame["reference_missing_dimensions"][0]
    if lacking:
        section.notes.append(
            f"Compared in {summary.frame['reference_dimensions'][0]} dimensions; without a figure in time: "
            f"{lacking.replace('_', ' ')}."
        )
    section.charts.append(
        _chart(
            answers, "analog", f"Distance of {summary.cell(0, 'reference_month').text} to each past month",
            f"A line over the months since {distance.cell(len(distance) - 1, 'month').text}; lower is more alike. "
            f"The nearest is {summary.cell(0, 'nearest_month').text} at {summary.cell(0, 'nearest_distance').text}; "
            f"the median of the 1970s is {summary.cell(0, 'median_distance_1970s', 'distance').text}.",
            charts.nearest("analog_distance", distance.frame),
            table(distance, "The thirty months most like today", [
                Column("Month", "month"), Column("Distance", "distance"), Column("In the 1970s", "is_1970s"),
            ], distance.frame.with_row_index("place").sort("distance")["place"].to_list()[:30]),
            ("analog_1970s",), summary.frame["reference_month"][0],
        )
    )  # fmt: skip
    section.tables.append(
        table(outcomes, "What base metals and gold did next: median real return, and the range over 36 months", [
            Column("After which months", "sample", kind="code"), Column("Asset", "asset", kind="code"),
            Column("Months", "months", "count"),
            Column("After 12 months", "after_12_months_real_return_pct", "return_pct"),
            Column("24", "after_24_months_real_return_pct", "return_pct"),
            Column("36", "after_36_months_real_return_pct", "return_pct"),
            Column("Lowest, 36", "after_36_months_lowest_real_return_pct", "return_pct"),
            Column("Highest, 36", "after_36_months_highest_real_return_pct", "return_pct"),
        ])
    )  # fmt: skip
    section.credits = answers.credits("analog_1970s")
    return section


def _divergences(answers: Answers) -> Section:
    rows = answers["divergences"]
    section = Section("divergences", "Divergences", [], credits=answers.credits("divergences"))
    if not len(rows):
        section.has_data = False
        section.says = ["No divergence can be computed."]
        section.missing = missing(answers, INPUTS["divergences"])
        return section
    counts = answers["divergence_counts"]
    opened = [n for n in range(len(rows)) if rows.frame["state"][n] != "closed"]
    section.says = [
        counts.cell(0, "not_closed"), " of ", counts.cell(0, "divergences"), " are open, opening or closing"
    ]  # fmt: skip
    sized = [n for n in opened if rows.frame["gap_zscore"][n] is not None]
    if sized:
        widest = max(sized, key=lambda n: abs(rows.frame["gap_zscore"][n]))
        section.says += ["; the widest is ", rows.cell(widest, "subject"), " (", rows.cell(widest, "title"), ", gap ",
                         rows.cell(widest, "gap_zscore"), ")"]  # fmt: skip
    section.says += ["; ", counts.cell(0, "stale"), " stand on figures older than their limit."]
    for title in rows.frame["title"].unique(maintain_order=True):
        numbers = rows.where(title=title)
        left, right = (rows.frame[c][numbers[0]] for c in ("left_label", "right_label"))
        section.tables.append(
            table(rows, title, [
                Column("Subject", "subject"), Column("State", "state", kind="state"),
                Column("Days in it", "days_in_state"), Column("Gap, z-score", "gap_zscore"),
                Column(left[:1].upper() + left[1:], "left_value"), Column(right[:1].upper() + right[1:], "right_value"),
                Column("Period", "period"), Column("Stale", "is_stale"),
            ], numbers)
        )  # fmt: skip
    return section


def _opportunities(answers: Answers) -> Section:
    rows = answers["opportunities"]
    section = Section(
        "opportunities", "Ranking of metals", [], short="Ranking", credits=answers.credits("opportunities")
    )
    section.notes.append(
        "This is not investment advice: a ranking of figures by a rule fixed in advance, nothing more."
    )
    if not rows.has("opportunity_rank"):
        section.has_data = False
        section.says = ["No metal can be ranked."]
        section.missing = missing(answers, INPUTS["opportunities"])
        return section
    section.says = [
        rows.cell(0, "metal"), " comes first with a rank sum of ", rows.cell(0, "rank_sum"), " in ",
        rows.cell(0, "month"), ": drivers ", rows.cell(0, "composite_rank"), ", price against drivers ",
        rows.cell(0, "price_gap_rank"), ", volatility ", rows.cell(0, "volatility_rank"), ".",
    ]  # fmt: skip
    section.tables.append(
        table(rows, "Ranks by the drivers' composite, the price against it, and volatility. Not investment advice.", [
            Column("Metal", "metal"), Column("Rank", "opportunity_rank", kind="if_any"),
            Column("Rank sum", "rank_sum", kind="if_any"),
            Column("Composite", "composite", "zscore"), Column("Composite rank", "composite_rank", kind="if_any"),
            Column("Price gap", "price_gap_zscore"), Column("Price gap rank", "price_gap_rank", kind="if_any"),
            Column("Volatility", "realised_volatility_12m_annualised_pct"),
            Column("Volatility rank", "volatility_rank", kind="if_any"),
            Column("Open divergences", "open_divergences", kind="text"),
            Column("Month", "month"), Column("Stale", "is_stale"),
            Column("Why unranked", "gap_reason", kind="text"),
        ])
    )  # fmt: skip
    return section


def _state(answers: Answers) -> Section:
    sources, checks = answers["sources"], answers["checks"]
    counts = answers["source_counts"]
    section = Section("state", "State of the data", [
        "Of ", counts.cell(0, "publishers"), " publishers ", counts.cell(0, "current_publishers"), " are current, ",
        counts.cell(0, "stale_publishers"), " have a series older than its limit and ",
        counts.cell(0, "missing_publishers"), " have given nothing; ", counts.cell(0, "bundled_publishers"),
        " stand on figures that ship with the project.",
    ], short="Data")  # fmt: skip
    section.notes.append(answers.own_use.said)
    section.missing = missing(answers, sources.frame["source_id"].to_list())
    held = [n for n in range(len(sources)) if sources.frame["state"][n] != "missing"]
    section.tables.append(
        table(sources, "Publishers with figures", [
            Column("Publisher", "title", kind="link"), Column("State", "state", kind="state"), Column("Came", "origin"),
            Column("Newest period", "last_period"), Column("Age, days", "age_days"), Column("Series", "series_held"),
            Column("Expected", "series_expected", kind="if_any"), Column("Stale", "series_stale", kind="if_any"),
            Column("Retrieved", "retrieved_at"), Column("Last asked", "last_asked_at", kind="if_any"),
            Column("Outcome", "last_outcome", kind="if_any"),
        ], held, link="homepage")
    )  # fmt: skip
    section.tables.append(
        table(sources, "Credit lines and terms of every publisher", [
            Column("Publisher", "title", kind="link"), Column("Credit", "credit", kind="text"),
            Column("Terms", "licence", kind="text"),
        ], link="homepage", folded=True)
    )  # fmt: skip
    section.tables.append(
        table(checks, "Audit before this publication", [
            Column("Check", "check_name", kind="code"), Column("Passed", "passed"),
            Column("Blocks publication", "is_blocking"),
            Column("Said", "said", kind="text"),
        ])
    )  # fmt: skip
    return section
