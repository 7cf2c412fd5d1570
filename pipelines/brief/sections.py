"""What the brief says, section by section: a sentence computed from the data, tables, charts, what is missing and why.

Every figure is a cell of an answer, so that the page can link it to its query and a test can read it back.
"""

from __future__ import annotations

from datetime import datetime

from pipelines import view
from pipelines.brief import charts, driver_sections, formats
from pipelines.brief.answers import Answers
from pipelines.brief.parts import (
    INPUTS,
    Brief,
    Claim,
    Column,
    Headline,
    Month,
    Section,
    Sentence,
    listed,
    missing,
    table,
    words,
)

VIEW = {"moved": "What moved", "drives": "Drivers now", "changed": "What changed"}
OPEN_QUESTION = ("undetermined", "no_data")
LED = {"too old": "too old to count: ", "neutral": "not decided: "}  # what leads a finding that decides nothing
SHOWN = 6  # flips of the twelve months that stand open
ON_THE = {"monthly": "from the month before", "quarterly": "from the quarter before"}


def brief(answers: Answers, made_at: datetime) -> Brief:
    """Everything the page says, in its order."""
    as_of = answers["publication"].cell(0, "as_of")
    claims = answers["claims"]
    return Brief(
        as_of=as_of,
        made_at=f"{made_at:%H:%M} UTC on {formats.day(made_at.date())}",
        unreached=_unreached(answers),
        view=[(VIEW[name], _view(answers, name)) for name in view.NAMES],
        headlines=_headlines(answers),
        sections=[
            _changes(answers),
            driver_sections.prices(answers),
            _releases(answers),
            _claims(answers),
            driver_sections.drivers(answers),
            driver_sections.capex(answers),
            driver_sections.money(answers),
            driver_sections.trade(answers),
            driver_sections.coal(answers),
            driver_sections.analog(answers),
            _divergences(answers),
            _opportunities(answers),
            _state(answers),
        ],
        claims=[_claim(answers, n) for n in range(len(claims))],
        own_use=answers.own_use,
        queries=list(answers.asked.values()),
    )


def _view(answers: Answers, name: str) -> Sentence:
    answer = answers[name]
    row = answer.frame.row(0, named=True) if len(answer) else None
    return [p if isinstance(p, str) else answer.cell(0, p.column, p.unit) for p in view.sentence(name, row)]


def _unreached(answers: Answers) -> Sentence:
    """That no publisher was reached, how far the figures go, and behind which claims newer ones are due."""
    state = answers["freshness"]
    row = state.frame.row(0, named=True)
    if not row["nobody_reached"] or row["newest_figure_on"] is None:
        return []
    says: Sentence = ["No publisher was reached"]
    if row["last_reached_at"] is not None:
        says += [" since ", state.cell(0, "last_reached_at")]
    says += [": this page stands on figures to ", state.cell(0, "newest_figure_on")]
    due = answers["evidence_due"]
    if due.has("current_until"):
        says += [
            ". ", due.cell(0, "claims_due"), " of ", due.cell(0, "claims_judged"),
            " claims rest on figures for which a newer one is already due; the oldest: ", due.cell(0, "claim"),
            " (since ", due.cell(0, "current_until"), ")",
        ]  # fmt: skip
    return [*says, "."]


def _headlines(answers: Answers) -> list[Headline]:
    found = answers["headlines"]
    shown = []
    for place in found.frame["place"].unique(maintain_order=True).to_list():
        rows = found.where(place=place)  # newest first
        newest = rows[0]
        course = [found.cell(n, "value", "@unit") for n in reversed(rows)]
        shown.append(
            Headline(
                name=found.cell(newest, "figure"),
                value=found.cell(newest, "value", "@unit"),
                change=found.cell(newest, "change", "@change_unit"),
                on=ON_THE.get(found.frame["frequency"][newest], "from the figure before"),
                period=found.cell(newest, "period", "@frequency"),
                age_days=found.cell(newest, "age_days"),
                course=course,
                path=charts.path(found.frame["value"][rows[0] : rows[-1] + 1].reverse().to_list()),
            )
        )
    return shown


def _changes(answers: Answers) -> Section:
    flips, months, states = answers["verdict_flips"], answers["flips_by_month"], answers["divergence_changes"]
    section = Section("changes", "What flipped, and why", [], short="Flips")
    if len(flips):
        section.tables.append(
            table(flips, "Verdicts that flipped since the last publication", [
                Column("", "title"), Column("", "claim_id"), Column("", "verdict_before", kind="verdict"),
                Column("to", "verdict_after", kind="verdict"), Column("Because", "why", kind="text"),
            ], listed=True)
        )  # fmt: skip
    if len(states):
        section.tables.append(
            table(states, "Divergences that changed since the last publication", [
                Column("Subject", "subject"), Column("Divergence", "title"),
                Column("Before", "state_before", kind="state"), Column("Now", "state_after", kind="state"),
                Column("Since", "state_since", kind="if_any"),
            ])
        )  # fmt: skip
    if not len(flips) and not answers["changed"].frame["is_first"][0]:
        section.says = ["No verdict flipped since the last publication. "]
    if len(months):
        columns = [
            Column("", "title"), Column("", "claim_id"), Column("", "month", "monthly"),
            Column("", "verdict_before", kind="verdict"), Column("to", "verdict_after", kind="verdict"),
            Column("Because", "why", kind="text"),
        ]  # fmt: skip
        caption = "Verdicts that flipped over twelve months, and the first figure that turned with each"
        section.tables.append(table(months, caption, columns, range(min(SHOWN, len(months))), listed=True))
        if len(months) > SHOWN:
            rest = range(SHOWN, len(months))
            section.tables.append(table(months, "Earlier flips", columns, rest, listed=True, folded=True))
    elif not len(flips):
        known = _has_history(answers)
        section.says.append("No claim flipped over twelve months." if known else "There is no history of verdicts yet.")
    return section


def _releases(answers: Answers) -> Section:
    coming = answers["releases"]
    section = Section("releases", "The next ten days", [], short="Releases")
    if not len(coming):
        section.says = ["No release is expected within ten days."]
        return section
    section.says = [
        "Next, by ", coming.cell(0, "released_on"), ": ", coming.cell(0, "titles"), " of ",
        coming.cell(0, "period", "@frequency"), " (", coming.cell(0, "publisher"), ").",
    ]  # fmt: skip
    columns = [
        Column("by", "released_on"), Column("", "titles", kind="text"), Column("of", "period", "@frequency"),
        Column("from", "publisher"), Column("bears on claims", "claim_titles", kind="text"),
        Column("scores", "drivers", kind="text"),
    ]  # fmt: skip
    bearing = [n for n in range(len(coming)) if coming.frame["claims"][n] or coming.frame["drivers"][n]]
    others = [n for n in range(len(coming)) if n not in bearing]
    if bearing:
        caption = "Expected releases, and the claims and scores that rest on their series"
        section.tables.append(table(coming, caption, columns, bearing, listed=True))
    if others:
        caption = "Expected releases on which no claim or score rests"
        section.tables.append(table(coming, caption, columns, others, listed=True, folded=True))
    section.notes.append(
        "Each day is the latest expected: the period's end and the publisher's usual lag. Daily series are left out."
    )
    return section


def _has_history(answers: Answers) -> bool:
    """Whether verdicts of more than one day are known."""
    return answers["verdict_months"].frame["as_of"].n_unique() > 1


def _claims(answers: Answers) -> Section:
    counts = answers["verdict_counts"]
    says: Sentence = []
    for n in range(len(counts)):
        word = counts.frame["verdict"][n]
        says += [
            *([", "] if n else []), counts.cell(n, "claims"), " without data" if word == "no_data" else f" {word}",
        ]  # fmt: skip
    months = answers["verdict_months"]
    if _has_history(answers):
        says += [
            ". Each square is a month's verdict, from ", months.cell(0, "as_of", "monthly"), " to ",
            months.cell(len(months) - 1, "as_of", "monthly"),
        ]  # fmt: skip
    return Section("claims", "Claims", [*says, "."], has_data=len(counts) > 0)


def _claim(answers: Answers, row: int) -> Claim:
    claims, evidence, history = answers["claims"], answers["evidence"], answers["verdict_months"]
    claim = claims.frame.row(row, named=True)
    claim_id, verdict = claim["claim_id"], claim["verdict"]
    last: Sentence = []
    if verdict in OPEN_QUESTION and claim["last_verdict"] is not None:
        last = ["last ", claims.cell(row, "last_verdict"), " on ", claims.cell(row, "last_verdict_on")]
    says = _why(answers, claim_id, verdict)
    if claim["lines"]:
        says += [" Judged apart: ", claims.cell(row, "lines"), ". The whole is ", claims.cell(row, "verdict"), ": "]
        counts: list[Sentence] = [
            [claims.cell(row, column), word]
            for column, word in (
                ("decisive_supporting", " for"), ("decisive_contradicting", " against"),
                ("decisive_undecided", " undecided"), ("decisive_missing_or_stale", " missing or too old"),
            )
            if claim[column]
        ]  # fmt: skip
        says += [*listed(counts), "."]
    limits: list[Sentence] = []
    if claim["decisive_missing_or_stale"]:
        limits.append([claims.cell(row, "decisive_missing_or_stale"), " missing or too old"])
    if claim["decisive_ageing"]:
        limits.append([claims.cell(row, "decisive_ageing"), " ageing"])
    if claim["decidable_until"] == claim["as_of"]:
        limits.append(["the evidence counts until today"])
    elif claim["decidable_until"]:
        limits.append(["the evidence counts until ", claims.cell(row, "decidable_until")])
    rows = evidence.where(claim_id=claim_id)
    months = [
        Month(history.cell(n, "verdict"), history.cell(n, "as_of", "monthly"))
        for n in history.where(claim_id=claim_id)
        if _has_history(answers)
    ]
    return Claim(
        id=claims.cell(row, "claim_id"),
        title=claims.cell(row, "title"),
        statement=claims.cell(row, "statement"),
        verdict=claims.cell(row, "verdict"),
        last=last,
        says=says,
        basis=[
            claims.cell(row, "decisive_supporting"), " for, ", claims.cell(row, "decisive_contradicting"),
            " against, of ", claims.cell(row, "decisive_indicators"),
        ],
        limits=[*listed(limits), "."] if limits else [],
        months=months,
        history=_in_words(months),
        evidence=table(evidence, f"Evidence for {claim['title'] or claim_id} ({claim_id})", [
            Column("Finding", "finding", kind="text"), Column("Reading", "reading", kind="verdict"),
            Column("Role", "role"), Column("Value", "value", "@unit"), Column("Period", "period_label", kind="if_any"),
            Column("Why this bar", "reason", kind="text"),
        ], rows, printed=True) if rows else None,
        is_own=claim["defined_in"] == "overlay",
    )  # fmt: skip


def _why(answers: Answers, claim_id: str, verdict: str) -> Sentence:
    """The verdict in one sentence: the first decisive finding that speaks for it, of a mixed one also one against."""
    evidence = answers["evidence"]
    found = {
        reading: evidence.where(claim_id=claim_id, role="decisive", reading=reading)
        for reading in ("supports", "contradicts", "neutral", "missing", "too old")
    }
    wanted = {
        "supported": ("supports",), "contradicted": ("contradicts",), "mixed": ("supports", "contradicts"),
    }.get(verdict) or next(((r,) for r in ("too old", "missing", "neutral") if found[r]), ())  # fmt: skip
    says: Sentence = []
    for reading in wanted:
        for n in found[reading][:1]:
            says += ["; against it, " if says else LED.get(reading, ""), evidence.cell(n, "finding")]
    if not says:
        return ["Its evidence is licensed for personal use only and is not shown."]
    return [*says, "."]


def _in_words(months: list[Month]) -> str:
    """The history as runs of one verdict: undetermined from Dec 2025, supported from Jun 2026."""
    runs: list[str] = []
    for n, month in enumerate(months):
        if n == 0 or month.verdict.value != months[n - 1].verdict.value:
            runs.append(f"{month.verdict.text.replace('_', ' ')} from {month.as_of.text}")
    return words(runs)


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
        "By their newest figures ", counts.cell(0, "not_closed"), " of ", counts.cell(0, "divergences"),
        " were open, opening or closing",
    ]  # fmt: skip
    sized = [n for n in opened if rows.frame["gap_zscore"][n] is not None]
    if sized:
        sized.sort(key=lambda n: -abs(rows.frame["gap_zscore"][n]))
        of_metals = [n for n in sized if rows.frame["is_metal"][n]]
        for n in dict.fromkeys([sized[0], *of_metals[:1]]):
            section.says += [
                "; the widest was " if n == sized[0] else "; of metals, ", rows.cell(n, "subject"), " (",
                rows.cell(n, "title"), ", gap ", rows.cell(n, "gap_zscore"), " in ", rows.cell(n, "period_label"), ")",
            ]  # fmt: skip
    section.says += ["; ", counts.cell(0, "stale"), " of all stand on figures older than their limit."]
    columns = [
        Column("Subject", "subject"), Column("Divergence", "title"), Column("State", "state", kind="state"),
        Column("Days in it", "days_in_state"), Column("Gap, z-score", "gap_zscore"),
        Column("Period", "period_label"), Column("Stale", "is_stale"),
    ]  # fmt: skip
    section.tables.append(table(rows, "Open, opening or closing", columns, opened))
    # One table per divergence and what is set against what: ounces and tonnes do not share a column.
    kinds = rows.frame.select("divergence_id", "title", "left_label", "right_label").unique(maintain_order=True)
    for divergence, title, left, right in kinds.rows():
        numbers = rows.where(divergence_id=divergence, left_label=left, right_label=right)
        scaled = ". The composite is scaled against its own past, so it differs from the one under Ranking"
        section.tables.append(
            table(rows, title + (scaled if divergence == "price_driver" else ""), [
                Column("Subject", "subject"), Column("State", "state", kind="state"),
                Column("Days in it", "days_in_state"), Column("Gap, z-score", "gap_zscore"),
                Column(left[:1].upper() + left[1:], "left_value"), Column(right[:1].upper() + right[1:], "right_value"),
                Column("Period", "period_label"), Column("Stale", "is_stale"),
            ], numbers, folded=True)
        )  # fmt: skip
    return section


# The reasons for no rank that are about a metal's lift or lag; by the others, nothing was compared.
JUDGED = ("its drivers do not lift it", "its price does not lag its drivers")


def _opportunities(answers: Answers) -> Section:
    rows = answers["opportunities"]
    section = Section(
        "opportunities", "Ranking of metals", [], short="Ranking", credits=answers.credits("opportunities")
    )
    section.notes.append(
        "This is not investment advice: a ranking of figures by a rule fixed in advance, nothing more."
    )
    if not rows.has("month"):
        section.has_data = False
        section.says = ["No metal can be ranked."]
        section.missing = missing(answers, INPUTS["opportunities"])
        return section
    if rows.has("opportunity_rank"):
        section.says = [
            rows.cell(0, "metal"), " came first with a rank sum of ", rows.cell(0, "rank_sum"), " in ",
            rows.cell(0, "month"), ": drivers ", rows.cell(0, "composite_rank"), ", price against drivers ",
            rows.cell(0, "price_gap_rank"), ".",
        ]  # fmt: skip
    elif not set(rows.frame["gap_reason"]).isdisjoint(JUDGED):
        section.says = [
            "In ", rows.cell(0, "month"), " no metal was lifted by its drivers while its price lagged clearly behind."
        ]  # fmt: skip
    else:
        section.says = ["No metal can be ranked: ", rows.cell(0, "gap_reason"), "."]
    section.notes += driver_sections.shared(rows)
    caption = (
        "Metals that their drivers lift and whose price lags; volatility beside. Composite of "
        f"{rows.cell(0, 'month').text}, the newest month with prices. Not investment advice"
    )
    section.tables.append(
        table(rows, caption, [
            Column("Metal", "metal"), Column("Rank", "opportunity_rank", kind="if_any"),
            Column("Rank sum", "rank_sum", kind="if_any"),
            Column("Composite", "composite", "zscore"), Column("Composite rank", "composite_rank", kind="if_any"),
            Column("Price gap", "price_gap_zscore"), Column("Price gap rank", "price_gap_rank", kind="if_any"),
            Column("Volatility", "realised_volatility_12m_annualised_pct"),
            Column("Open divergences", "open_divergences", kind="text"),
            Column("Month", "month"), Column("Stale", "is_stale"),
            Column("Why unranked", "gap_reason", kind="text"),
        ], folded=not rows.has("opportunity_rank"))
    )  # fmt: skip
    return section


def _state(answers: Answers) -> Section:
    sources, checks, sizes = answers["sources"], answers["checks"], answers["table_changes"]
    counts, data = answers["source_counts"], answers["data_changes"]
    section = Section("state", "State of the data", [
        "Of ", counts.cell(0, "publishers"), " publishers ", counts.cell(0, "current_publishers"), " are current, ",
        counts.cell(0, "stale_publishers"), " have a series older than its limit and ",
        counts.cell(0, "missing_publishers"), " have given nothing; ", counts.cell(0, "bundled_publishers"),
        " stand on figures that ship with the project.",
    ], short="Data")  # fmt: skip
    section.missing = missing(answers, sources.frame["source_id"].to_list())
    held = [n for n in range(len(sources)) if sources.frame["state"][n] != "missing"]
    section.tables.append(
        table(sources, "Publishers with figures", [
            Column("Publisher", "title", kind="link"), Column("State", "state", kind="state"), Column("Came", "origin"),
            Column("Newest period ends", "last_period_end"), Column("Age, days", "age_days"),
            Column("Series", "series_held"),
            Column("Expected", "series_expected", kind="if_any"), Column("Stale", "series_stale", kind="if_any"),
            Column("Retrieved", "retrieved_at"), Column("Last asked", "last_asked_at", kind="if_any"),
            Column("Outcome", "last_outcome", kind="code"),
        ], held, link="homepage", folded=True)
    )  # fmt: skip
    if len(data):
        section.tables.append(
            table(data, "Figures that came in or were revised since the build before, by publisher", [
                Column("Publisher", "title"), Column("Series", "series"), Column("New", "rows_of_new_periods"),
                Column("Revised", "rows_revised"), Column("No longer there", "rows_vanished"),
                Column("Newest period", "last_period", "@frequency"),
            ], folded=True)
        )  # fmt: skip
    if len(sizes):
        section.tables.append(
            table(sizes, "Tables that grew or shrank since the last publication", [
                Column("Table", "table_name", kind="code"), Column("Rows before", "rows_before"),
                Column("Rows now", "rows_after"), Column("More", "rows_more", kind="if_any"),
            ], folded=True)
        )  # fmt: skip
    section.tables.append(
        table(sources, "Credit lines and terms of every publisher", [
            Column("Publisher", "title", kind="link"), Column("Credit", "credit", kind="text"),
            Column("Terms", "licence", kind="text"),
        ], link="homepage", folded=True, printed=True)
    )  # fmt: skip
    section.tables.append(
        table(checks, "Audit before this publication", [
            Column("Check", "check_name", kind="code"), Column("Passed", "passed"),
            Column("Blocks publication", "is_blocking"),
            Column("Said", "said", kind="text"),
        ], folded=True)
    )  # fmt: skip
    return section
