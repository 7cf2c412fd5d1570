"""What the brief says, section by section: a sentence computed from the data, tables, charts, what is missing and why.

Every figure is a cell of an answer, so that the page can link it to its query and a test can read it back.
"""

from __future__ import annotations

from datetime import datetime

from pipelines.brief import driver_sections, formats
from pipelines.brief.answers import Answers
from pipelines.brief.parts import (
    INPUTS,
    Brief,
    Claim,
    Column,
    Section,
    Sentence,
    counted,
    listed,
    missing,
    table,
    words,
)


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
        driver_sections.prices(answers),
        driver_sections.capex(answers),
        driver_sections.money(answers),
        driver_sections.trade(answers),
        driver_sections.coal(answers),
        driver_sections.analog(answers),
        _divergences(answers),
        _opportunities(answers),
        _state(answers),
    ]
    counts = answers["verdict_counts"]
    says = listed([[counts.cell(n, "claims"), f" {_verdict(counts.frame['verdict'][n])}"] for n in range(len(counts))])
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
            *counted(totals, "verdicts_flipped", "verdict"), " flipped, ",
            *counted(totals, "divergences_changed", "divergence"), " changed state, ",
            *counted(totals, "rows_of_new_periods", "figure"), " came in and ",
            *counted(totals, "rows_revised", "figure"), " revised.",
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
                Column("Newest period", "last_period", "@frequency"),
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
    if claims.frame["lines"][row]:
        says += [" " if says else "", "Judged apart: ", claims.cell(row, "lines"), "."]
    if claims.frame["decisive_missing_or_stale"][row]:
        says += [
            " " if says else "", claims.cell(row, "decisive_missing_or_stale"), " of ",
            claims.cell(row, "decisive_indicators"), " decisive indicators have no figure or too old a one.",
        ]  # fmt: skip
    if claims.frame["decisive_ageing"][row]:
        says += [
            " " if says else "", claims.cell(row, "decisive_ageing"), " of ", claims.cell(row, "decisive_indicators"),
            " are ageing: they count, although newer figures are due.",
        ]  # fmt: skip
    if claims.frame["last_verdict_on"][row] not in (None, claims.frame["as_of"][row]):
        says += [
            " Last verdict that could be given: ", claims.cell(row, "last_verdict"), ", on ",
            claims.cell(row, "last_verdict_on"), ".",
        ]  # fmt: skip
    if claims.frame["decidable_until"][row]:
        says += [" Its evidence counts until ", claims.cell(row, "decidable_until"), "."]
    columns = [
        Column("Indicator", "indicator", kind="code"), Column("Role", "role"), Column("Value", "value", "@unit"),
        Column("Period", "period_label"), Column("Reading", "reading", kind="verdict"), Column("Stale", "is_stale"),
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
    # A theme with a row in the table of exposures is scored; where it has no figure, that is for want of data.
    scored = set(scores.frame["driver_group"].to_list())
    absent = [h for h, column in groups.items() if h not in present and column.removeprefix("contribution_") in scored]
    unscored = [h for h, column in groups.items() if column.removeprefix("contribution_") not in scored]
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
            f"No figure in time for: {words(absent)}. A missing part is left out, not counted as zero."
        )
    if unscored:
        section.notes.append(
            f"Not scored: {words(unscored)}. Their indices and positions are in the warehouse, but the table of "
            "exposures has no study of what they do to each metal, and without one a sign would be an opinion."
        )
    section.tables.append(
        table(scores, "Scores behind it", [
            Column("Metal", "metal"), Column("Driver", "driver"), Column("Sign", "sign"), Column("Z-score", "zscore"),
            Column("Contribution", "contribution", "zscore"), Column("Figure of", "value_period_label", kind="if_any"),
            Column("Why none", "gap_reason", kind="if_any"),
        ], folded=True)
    )  # fmt: skip
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
    # One table per divergence and what is set against what: ounces and tonnes do not share a column.
    kinds = rows.frame.select("title", "left_label", "right_label").unique(maintain_order=True)
    for title, left, right in kinds.rows():
        numbers = rows.where(title=title, left_label=left, right_label=right)
        section.tables.append(
            table(rows, title, [
                Column("Subject", "subject"), Column("State", "state", kind="state"),
                Column("Days in it", "days_in_state"), Column("Gap, z-score", "gap_zscore"),
                Column(left[:1].upper() + left[1:], "left_value"), Column(right[:1].upper() + right[1:], "right_value"),
                Column("Period", "period_label"), Column("Stale", "is_stale"),
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
            Column("Newest period ends", "last_period_end"), Column("Age, days", "age_days"),
            Column("Series", "series_held"),
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
