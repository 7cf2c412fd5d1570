"""The sections on prices and drivers: scores, positions, capital expenditure, money, trade, coal, the 1970s."""

from __future__ import annotations

import polars as pl

from pipelines.brief import charts, formats
from pipelines.brief.answers import Answer, Answers
from pipelines.brief.charts import Line
from pipelines.brief.parts import (
    INPUTS,
    Column,
    Missing,
    Section,
    Sentence,
    chart,
    listed,
    missing,
    table,
    words,
)

PLAIN = {"Macroeconomy": "the macroeconomy", "Trade": "trade", "Geopolitics": "geopolitics"}
MONEY_UNITS = "per cent, points"


def drivers(answers: Answers) -> Section:
    section = Section(
        "drivers", "Metals and their drivers", [], short="Drivers", credits=answers.credits("driver_composites")
    )
    for part in (_heat_map, _fiscal, _positioning, _attribution, _regimes):
        part(answers, section)
    section.has_data = bool(section.tables)
    return section


def _heat_map(answers: Answers, section: Section) -> None:
    heat, scores = answers["heat_map"], answers["driver_scores"]
    if not len(heat):
        section.says = ["No metal has a composite of its drivers. "]
        section.missing = missing(answers, INPUTS["drivers"])
        return
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
        table(heat, f"What each group of drivers adds, standard deviations{_figures_of(heat)}. "
              f"Composite: their sum, as known at the end of {heat.cell(0, 'month').text}", [
            Column("Metal", "metal"),
            *(Column(heading, column, "zscore", "heat") for heading, column in present.items()),
            Column("Composite", "composite", "zscore", "heat"),
            Column("Drivers scored", "drivers_available"), Column("Of all", "drivers_expected"),
        ])
    )  # fmt: skip
    if absent:
        why = {
            h: "; ".join(
                scores.frame.filter(pl.col("driver_group") == groups[h].removeprefix("contribution_"))["gap_reason"]
                .drop_nulls().unique(maintain_order=True).to_list()
            )
            for h in absent
        }  # fmt: skip
        parts = words([f"{h} ({why[h] or 'no figure in time'})" for h in absent])
        section.notes.append(f"Without a score: {parts}. A missing part is left out, not counted as zero.")
    if unscored:
        section.notes.append(
            f"Not scored: {words(unscored)}. No study in the table of exposures says what they do to each metal."
        )
    section.notes += _left_out(answers, "composite", "composite")
    section.says += shared(heat)
    section.tables.append(
        table(scores, "Scores behind it", [
            Column("Metal", "metal"), Column("Driver", "driver"), Column("Sign", "sign"), Column("Z-score", "zscore"),
            Column("Contribution", "contribution", "zscore"), Column("Figure of", "value_period_label", kind="if_any"),
            Column("Why none", "gap_reason", kind="if_any"),
        ], folded=True)
    )  # fmt: skip


def _figures_of(heat: Answer) -> str:
    """The months of the figures behind the scores, which may lie before the month of the composite."""
    if not heat.has("figures_from_month"):
        return ""
    months = [heat.cell(0, column).text for column in ("figures_from_month", "figures_to_month")]
    return f", from figures of {' to '.join(dict.fromkeys(months))}"


def shared(answer: Answer) -> list[str]:
    """Which metals share one composite, because the same drivers are known with the same signs: no finding of each."""
    groups = [g.split(", ") for g in answer.frame["shared_by"].drop_nulls().unique(maintain_order=True).to_list()]
    alike = "; ".join(words(metals) for metals in groups if len(metals) > 1)
    said = "Metals for which the same drivers are known share one composite, so each group is one finding"
    return [f"{said}: {alike}. "] if alike else []


def _left_out(answers: Answers, what: str, named: str) -> list[str]:
    """The tracked metals without a price, or without a composite, by the reason."""
    rows = answers["left_out"]
    found: dict[str, list[str]] = {}
    for n in rows.where(what=what):
        found.setdefault(rows.frame["why"][n], []).append(rows.frame["metal"][n])
    parts = "; ".join(f"{words(metals)} ({why})" for why, metals in found.items())
    return [f"Without a {named}: {parts}."] if parts else []


def _fiscal(answers: Answers, section: Section) -> None:
    fiscal = answers["fiscal"]
    if not len(fiscal):
        return
    section.says += [
        "The US deficit of twelve months to ", fiscal.cell(0, "month"), " was ",
        fiscal.cell(0, "deficit_12m_pct_gdp", "pct_of_gdp"),
    ]  # fmt: skip
    if fiscal.frame["deficit_12m_change_pp"][0] is not None:
        section.says += [", a change of ", fiscal.cell(0, "deficit_12m_change_pp", "pp"), " on the year"]
    if fiscal.frame["fiscal_impulse_12m_pp"][0] is not None:
        section.says += ["; at unchanged unemployment an impulse of ", fiscal.cell(0, "fiscal_impulse_12m_pp", "pp")]
    section.says.append(".")
    section.tables.append(
        table(fiscal, "US fiscal impulse by month", [
            Column("Twelve months to", "month"), Column("Deficit", "deficit_12m_pct_gdp", "pct_of_gdp"),
            Column("Change on the year", "deficit_12m_change_pp", "pp"),
            Column("Impulse at unchanged unemployment", "fiscal_impulse_12m_pp", "pp"),
            Column("Unemployment", "unemployment_12m_mean_pct"),
            Column("Net interest, of receipts", "net_interest_pct", kind="if_any"),
        ], folded=True)
    )  # fmt: skip


def _positioning(answers: Answers, section: Section) -> None:
    positions = answers["positioning"]
    if not len(positions):
        return
    section.tables.append(
        table(positions, "Managed money, net futures positions in each metal's newest report, percentile of all", [
            Column("Metal", "metal"), Column("Percentile", "net_percentile"), Column("Report of", "report_date"),
            Column("Age, days", "age_days"), Column("Stale", "is_stale", kind="if_any"),
            Column("Net contracts", "net_managed_money_contracts"),
            Column("Week's change", "net_managed_money_change_1w_contracts", kind="if_any"),
        ])
    )  # fmt: skip


def _attribution(answers: Answers, section: Section) -> None:
    shares = answers["attribution"]
    if not len(shares):
        return
    last = len(shares) - 1
    parts = {
        "Macroeconomy": "macro_pct", "China": "china_pct", "Trade": "trade_pct", "Geopolitics": "geopolitics_pct",
        "AI": "ai_pct",
    }  # fmt: skip
    known = {heading: column for heading, column in parts.items() if shares.has(column)}
    section.says += [
        f" Of the variance of monthly returns, {words([PLAIN.get(h, h) for h in known])} explained ",
        shares.cell(0, "explained_pct"), " (", shares.cell(0, "metal"), ") to ", shares.cell(last, "explained_pct"),
        " (", shares.cell(last, "metal"), ") in the ", shares.cell(0, "months_used"), " months to ",
        shares.cell(0, "month"), ".",
    ]  # fmt: skip
    section.tables.append(
        table(
            shares,
            f"Share of the variance of monthly returns that goes with each group, "
            f"{shares.cell(0, 'months_used').text} months to {shares.cell(0, 'month').text}",
            [
                Column("Metal", "metal"), Column("Explained", "explained_pct"),
                *(Column(heading, column, kind="if_any") for heading, column in known.items()),
                Column("Macroeconomy, out of sample", "out_of_sample_pct", "yoy_pct", kind="if_any"),
            ],
            folded=True,
            printed=True,
        )
    )  # fmt: skip
    section.notes.append(
        "Explained is adjusted for the number of drivers; shares of groups overlap. Below zero out of sample is worse "
        "than supposing no change."
    )


def _regimes(answers: Answers, section: Section) -> None:
    regimes = answers["regimes"]
    if not len(regimes):
        return
    section.tables.append(
        table(regimes, "Risk regimes: newest state, and monthly moves of four metals when on and when off", [
            Column("Risk", "regime"), Column("Newest month", "regime_month", "monthly"),
            Column("Age, days", "age_days"), Column("Stale", "is_stale", kind="if_any"), Column("On then", "is_on"),
            Column("Z-score then", "present_zscore"), Column("When on", "inside_pct"),
            Column("When off", "outside_pct"), Column("t", "gap_t_statistic"),
        ])
    )  # fmt: skip


def prices(answers: Answers) -> Section:
    prices, paths, volatility = answers["prices"], answers["price_paths"], answers["volatility"]
    ratios = answers["ratios"]
    section = Section("prices", "Movers", [])
    if not len(prices):
        section.has_data = False
        section.says = ["No price is available."]
        section.missing = missing(answers, INPUTS["prices"])
        return section
    newest = prices.frame.with_row_index("place").filter(pl.col("period") == pl.col("period").max())
    ranked = newest.drop_nulls("return_12m_pct").sort("return_12m_pct")["place"].to_list()
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
            "; ", volatility.cell(0, "metal"), " was the most volatile relative to its own history (",
            volatility.cell(0, "volatility_pct"), " annualised in the twelve months to ", volatility.cell(0, "period"),
            ", percentile ", volatility.cell(0, "percentile"), " of its months)",
        ]  # fmt: skip
    section.says.append(".")
    section.tables.append(
        table(prices, "Newest monthly average price of each metal, by its move on the month", [
            Column("Metal", "metal"), Column("Price", "price_native", "@native_unit"),
            Column("1 month", "return_1m_pct", "return_pct"), Column("12 months", "return_12m_pct", "return_pct"),
            Column("Month", "period"), Column("Real, z-score", "real_price_zscore_expanding", "zscore"),
            Column("12-month volatility", "realised_volatility_12m_annualised_pct"),
        ])
    )  # fmt: skip
    section.notes += _left_out(answers, "price", "monthly price")
    section.credits = answers.credits("metal_prices")
    if len(ratios):
        section.tables.append(
            table(ratios, "Ratios between prices", [
                Column("Ratio", "ratio"), Column("Newest", "value", "@unit"),
                Column("A year before", "value_year_before", "@unit", kind="if_any"),
                Column("Z-score", "zscore"), Column("Month", "month"),
            ])
        )  # fmt: skip
    if len(paths):
        drawn = [
            Line(f"{m}_index", m.capitalize())
            for m in ("copper", "aluminium", "gold", "silver")
            if paths.has(f"{m}_index")
        ]
        first, last = paths.cell(0, "period"), paths.cell(len(paths) - 1, "period")
        ends = ", ".join(f"{d.name} at {paths.cell(len(paths) - 1, d.column).text}" for d in drawn)
        section.charts.append(
            chart(
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
            chart(
                answers, "volatility", "Realised volatility of twelve months against its own history",
                f"For each metal a bar from the 10th to the 90th percentile of its history, its median and the present "
                f"value. The highest relative to its history is {top} at {volatility.cell(0, 'volatility_pct').text}.",
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


def capex(answers: Answers) -> Section:
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
            "; the quarter was ", total.cell(0, "like_for_like_yoy_pct", "yoy_pct"), " on a year earlier for the ",
            total.cell(0, "like_for_like_companies"), " companies with both quarters",
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
            tonnes.cell(base[0], "implied_pct_of_world_use"), " of the world's ",
            tonnes.cell(base[0], "world_use_measure"), " in ",
            tonnes.cell(base[0], "world_use_year"),
        ]  # fmt: skip
    section.says.append(".")
    section.tables.append(
        table(total, "Hyperscalers together, newest quarters", [
            Column("Quarter", "calendar_quarter"), Column("Companies", "companies_reporting"),
            Column("Capex", "capex_usd"), Column("Four quarters", "capex_ttm_usd"),
            Column("Companies in it", "capex_ttm_companies"),
            Column("Carried", "capex_ttm_carried", kind="if_any"),
            Column("On a year earlier, like for like", "like_for_like_yoy_pct", "yoy_pct"),
        ], range(min(8, len(total))), folded=True)
    )  # fmt: skip
    if quarters.frame["capex_usd"].null_count():
        section.notes.append(
            "A bar covers the companies whose quarter is known and is marked where some are missing; the chart's table "
            "gives the reasons. Sums over fewer companies, and the tonnes they imply, are lower bounds."
        )
    if quarters.has("capex_usd"):
        bars = charts.stacked(
            "capex_quarters", quarters.frame, "calendar_quarter", "capex_bn", "company", "US dollars, billions"
        )
        expected = total.frame["companies_expected"][0]
        drawn = quarters.frame.group_by("calendar_quarter").agg(pl.col("capex_bn").sum(), pl.count("capex_usd"))
        for quarter, height, known in drawn.filter(pl.col("capex_usd").is_between(1, expected - 1)).rows():
            charts.over(bars, formats.written(quarter, "calendar_quarter"), height, f"{known}/{expected}")
        section.charts.append(
            chart(
                answers, "capex", "Cash capital expenditure by calendar quarter",
                f"Stacked bars by company to {quarters.cell(0, 'calendar_quarter').text}: "
                f"together {total.cell(0, 'capex_usd').text} in {total.cell(0, 'calendar_quarter').text}.",
                bars,
                table(quarters, "Capital expenditure by company and quarter", [
                    Column("Quarter", "calendar_quarter"), Column("Company", "company"), Column("Capex", "capex_usd"),
                    Column("On a year earlier", "capex_yoy_pct", "yoy_pct"),
                    Column("Why none", "gap_reason", kind="if_any"),
                ]),
                ("driver_ai_capex",), quarters.newest("calendar_quarter"), period="calendar_quarter",
            )
        )  # fmt: skip
    if base:
        section.charts.append(
            chart(
                answers, "implied-copper", "Copper implied by the spending, low, base and high scenario",
                f"A band around a line, tonnes a year; in {tonnes.cell(base[0], 'calendar_quarter').text} "
                f"{tonnes.cell(base[0], 'implied_tonnes_per_year').text} in the base scenario. "
                "Every quarter covers the same companies; the table names those carried with their last known year.",
                charts.band("implied_copper", copper.frame, "calendar_quarter", Line("low_tonnes_per_year", "low"),
                            Line("base_tonnes_per_year", "base"), Line("high_tonnes_per_year", "high"),
                            "tonnes a year", ":,.0f"),
                table(tonnes, "Metal implied by the spending, by scenario", [
                    Column("Quarter", "calendar_quarter"), Column("Metal", "metal"), Column("Scenario", "scenario"),
                    Column("Implied", "implied_tonnes_per_year"),
                    Column("Of the world's", "implied_pct_of_world_use"), Column("Measure", "world_use_measure"),
                    Column("Companies", "capex_ttm_companies"), Column("Carried", "capex_ttm_carried", kind="if_any"),
                    Column("Lower bound", "is_lower_bound"),
                    Column("Why none", "gap_reason", kind="if_any"),
                ]),
                ("driver_ai_capex",), tonnes.newest("calendar_quarter"), period="calendar_quarter",
            )
        )  # fmt: skip
    section.notes.append(
        "Tonnes are based on parameters with references in the project's docs; cash purchases only, no leases."
    )
    section.credits = answers.credits("driver_ai_capex")
    return section


def money(answers: Answers) -> Section:
    gap, lags = answers["money_ppi"], answers["lead_lag"]
    section = Section("money", "China: money against producer prices", [], short="Money and PPI")
    if not len(gap):
        section.has_data = False
        section.says = ["Figures for China's money supply or producer prices are missing."]
        section.missing = missing(answers, INPUTS["money"])
        return section
    parts: list[Sentence] = [
        [what, gap.cell(n, column, unit), " in ", gap.cell(n, "month")]
        for what, column, unit in (
            ("producer prices changed by ", "ppi_yoy_pct", "yoy_pct"), ("M1 less M2 growth stood at ", "gap_pp", "pp"),
        )
        for n in [n for n in range(len(gap)) if gap.frame[column][n] is not None][:1]
    ]  # fmt: skip
    section.says = ["On the year ", *listed(parts)]
    best = lags.where(is_max=True)
    if best:
        section.says += [
            "; money fits prices best with a lead of ", lags.cell(best[0], "lag_months", "months"), " (correlation ",
            lags.cell(best[0], "correlation"), ", 95 % band ",
            lags.cell(best[0], "correlation_lower_95", "correlation"),
            " to ", lags.cell(best[0], "correlation_upper_95", "correlation"), ")",
        ]  # fmt: skip
    section.says.append(".")
    section.credits = answers.credits("divergence_money_ppi")
    _nowcast(answers, section)
    lead = gap.cell(0, "lead_months", "months")
    moved = lead.value is not None
    shown = "gap_shown_at_month" if moved else "month"
    ahead = f", {lead.text} ahead" if moved else ""
    figure = charts.lines("money_ppi", gap.frame, [Line("ppi_yoy_pct", "Producer prices, on the year")], MONEY_UNITS)
    # M1 has another definition from 2025: two lines, not one, and a mark where it broke.
    figure.add_traces(charts.lines_by("money_ppi", gap.frame, shown, "gap_pp", "m1_definition", "", first=1).data)
    for trace in figure.data[1:]:
        trace.name = f"M1 less M2, {trace.name}"
    after = gap.where(m1_definition="from 2025")
    if after and len(after) < len(gap):
        charts.mark(figure, str(gap.frame[shown][after[-1]]), 
                    f"M1 redefined, {gap.cell(after[-1], 'month').text}{' (shifted)' * moved}", left=True)  # fmt: skip
    newest = [next((n for n in range(len(gap)) if gap.frame[c][n] is not None), 0) for c in ("ppi_yoy_pct", "gap_pp")]
    section.charts.append(
        chart(
            answers, "money-ppi", f"M1 less M2 growth{ahead}, and producer prices",
            f"Lines to {gap.cell(0, 'month').text}: producer prices at "
            f"{gap.cell(newest[0], 'ppi_yoy_pct', 'yoy_pct').text} on the year, M1 less M2 growth at "
            f"{gap.cell(newest[1], 'gap_pp').text}{', drawn ' + lead.text + ' later than its month' if moved else ''}.",
            figure,
            table(gap, "Money and producer prices by month", [
                Column("Month", "month"), Column("Money shown at", "gap_shown_at_month"),
                Column("M1 less M2", "gap_pp"), Column("M1 as defined", "m1_definition"),
                Column("PPI", "ppi_yoy_pct", "yoy_pct"),
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
        figure.update_xaxes(title_text="lead of money over prices, months", dtick=3)
        charts.mark(figure, at.value, f"best at {at.text}", low=True)
        section.charts.append(
            chart(
                answers, "lead-lag", "Lead of money over producer prices",
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


def _nowcast(answers: Answers, section: Section) -> None:
    nowcast = answers["ppi_nowcast"]
    if not len(nowcast):
        return
    gain = nowcast.frame["beats_no_change"][0]
    section.says += [
        " From figures to ", nowcast.cell(0, "origin_month"),
        ", with the gap of six months before, producer prices of ", nowcast.cell(0, "target_month"),
        " were forecast at ", nowcast.cell(0, "forecast_pct", "yoy_pct"), " on the year (80 % band of past errors: ",
        nowcast.cell(0, "forecast_lower_80_pct", "yoy_pct"), " to ",
        nowcast.cell(0, "forecast_upper_80_pct", "yoy_pct"), "); ", nowcast.cell(0, "forecasts", "count"),
        " such forecasts erred by ", nowcast.cell(0, "rmse_pp", "points"), ", no change by ",
        nowcast.cell(0, "rmse_no_change_pp", "points"),
        ", a gain beyond chance." if gain else ": not shown to be better than no change.",
    ]  # fmt: skip
    section.tables.append(
        table(nowcast, "Producer prices expected from money, on the year, and the error of past forecasts", [
            Column("Month", "target_month"), Column("Expected", "forecast_pct", "yoy_pct"),
            Column("Lower, 80 %", "forecast_lower_80_pct", "yoy_pct"),
            Column("Upper", "forecast_upper_80_pct", "yoy_pct"), Column("No change", "no_change_pct", "yoy_pct"),
            Column("Error", "rmse_pp", "points"), Column("Of no change", "rmse_no_change_pp", "points"),
            Column("Without money", "rmse_own_past_pp", "points"), Column("Beats no change", "beats_no_change"),
            Column("Inside the band", "band_covered_pct"), Column("Forecasts", "forecasts", "count"),
        ], range(len(nowcast) - 1, -1, -1), folded=True)
    )  # fmt: skip


def trade(answers: Answers) -> Section:
    duties, events = answers["duties"], answers["policy_events"]
    stocks, margin = answers["stocks"], answers["import_margin"]
    section = Section("trade", "Trade policy and the COMEX premium", [], short="Trade policy")
    premium = duties.has("copper_premium_pct") or duties.has("silver_premium_pct")
    if not premium:
        section.missing = missing(answers, INPUTS["premium"]) or [Missing("COMEX premium", answers.own_use.said)]
    if not len(duties):
        section.has_data = False
        section.says = ["No duty is on record."]
        return section
    last = len(duties) - 1
    section.says = [
        "General US duties (measures last checked to ", duties.cell(last, "checked_to"), "): ",
        duties.cell(last, "copper_refined_rate_pct"), " on refined copper (",
        duties.cell(last, "copper_highest_rate_pct"), " on some copper goods) and ",
        duties.cell(last, "aluminium_refined_rate_pct"), " on unwrought aluminium",
    ]  # fmt: skip
    if premium and duties.has("copper_premium_pct"):
        newest = max(n for n in range(len(duties)) if duties.frame["copper_premium_pct"][n] is not None)
        section.says += [
            "; COMEX copper over the world price: ", duties.cell(newest, "copper_premium_pct", "yoy_pct"), " in ",
            duties.cell(newest, "month"),
        ]  # fmt: skip
    section.says.append("." if premium else "; no figure for the COMEX premium is available.")
    drawn = [
        Line("copper_highest_rate_pct", "Copper goods, highest", "copper_highest_from"),
        Line("copper_refined_rate_pct", "Refined copper", "copper_refined_from"),
        Line("aluminium_refined_rate_pct", "Unwrought aluminium", "aluminium_refined_from"),
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
    if premiums:  # two panels over one time axis: premiums and duties differ in scale
        figure.update_layout(
            yaxis=charts.axis("duty, per cent", domain=[0.5, 1]),
            yaxis2=charts.axis("premium, per cent", domain=[0, 0.42]),
            xaxis_anchor="y2",
        )
    figure.update_layout(xaxis_range=["2018-01-01", str(duties.newest("status_on"))])
    section.charts.append(
        chart(
            answers, "duties", "US duties" + (" and the monthly COMEX premium" if premiums else ""),
            f"Steps on legal days, measures checked to {duties.cell(last, 'checked_to').text}: refined copper "
            f"{duties.cell(last, 'copper_refined_rate_pct').text}, highest on copper goods "
            f"{duties.cell(last, 'copper_highest_rate_pct').text}, unwrought aluminium "
            f"{duties.cell(last, 'aluminium_refined_rate_pct').text}.",
            figure,
            table(duties, "Duties at the end of each month, and premium", [
                Column("Month", "month"), *(Column(d.name, d.column) for d in (*drawn, *premiums)),
                Column("Measures checked only to", "checked_only_to", kind="if_any"),
            ], range(last, -1, -1)),
            ("divergence_trade_tightness",) if premiums else (), duties.newest("checked_to"), tall=bool(premiums),
        )
    )  # fmt: skip
    section.notes.append(
        f"Measures were last checked to {duties.cell(last, 'checked_to').text}: a later one is not in these figures. "
        "Each has its legal date and its citation. A duty on copper goods is not a duty on the metal."
    )
    if len(events):
        section.tables.append(
            table(events, f"Measures since 2025, last checked to {duties.cell(last, 'checked_to').text}", [
                Column("Effective", "effective_on"), Column("Rate", "rate_pct", kind="if_any"),
                Column("Metals", "metals"), Column("On", "products", kind="text"),
                Column("Measure", "measure", kind="code"), Column("Instrument", "instrument", kind="code"),
                Column("Ends", "ends_on", kind="if_any"), Column("In force", "is_in_force", kind="if_any"),
                Column("Citation", "citation", kind="link"),
            ], link="source_url", folded=True, printed=True)
        )  # fmt: skip
    if len(stocks):
        section.tables.append(
            table(stocks, "Exchange stocks (licensed for personal use)", [
                Column("Metal", "metal"), Column("Month", "month"), Column("COMEX", "comex_stock_tonnes"),
                Column("LME", "lme_stock_tonnes"), Column("Shanghai", "shfe_stock_tonnes"),
                Column("In the US", "us_share_pct"), Column("Outside the US, on the year", "outside_us_yoy_pct"),
            ])
        )  # fmt: skip
    if len(margin):
        section.tables.append(
            table(margin, "Import margin into China (licensed for personal use)", [
                Column("Metal", "metal"), Column("Day", "trading_day"),
                Column("Shanghai before tax", "shanghai_price_before_vat_usd_per_tonne"),
                Column("World", "world_price_usd_per_tonne"), Column("Margin", "import_margin_usd_per_tonne"),
                Column("Of the price", "margin_return_pct"),
            ])
        )  # fmt: skip
    section.credits = answers.credits("policy_events", *(("divergence_trade_tightness",) if premiums else ()))
    return section


def coal(answers: Answers) -> Section:
    coal = answers["coal"]
    section = Section("coal", "Coal in emerging Asia", [], short="Coal")
    if not len(coal):
        section.has_data = False
        section.says = ["No figure for coal's share of electricity is available."]
        section.missing = missing(answers, INPUTS["coal"])
        return section
    names = coal.frame["name"].unique(maintain_order=True).to_list()
    whole = coal.where(name=names[0])
    newest = coal.where(year=coal.newest("year"))
    shares: list[Sentence] = [[coal.cell(n, "coal_share_pct"), " in ", coal.cell(n, "name")] for n in newest]
    section.says = ["Of all electricity in ", coal.cell(newest[0], "year"), " coal generated ", *listed(shares), "."]
    section.charts.append(
        chart(
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


def analog(answers: Answers) -> Section:
    summary, distance, outcomes = answers["analog_summary"], answers["analog_distance"], answers["analog_outcomes"]
    section = Section("seventies", "Similarity to the 1970s", [], short="1970s")
    if not len(summary) or not len(distance):
        section.has_data = False
        section.says = ["Today's macro state cannot be compared with the past."]
        section.missing = missing(answers, INPUTS["seventies"])
        return section
    section.says = [
        "Of the ", summary.cell(0, "nearest_months", "count"), " months most like ",
        summary.cell(0, "reference_month"), ", ",
        summary.cell(0, "nearest_in_1970s"), " fall in the 1970s (", summary.cell(0, "nearest_in_1970s_pct"),
        ", compared with ", summary.cell(0, "candidates_in_1970s_pct"), " of all months); the nearest is ",
        summary.cell(0, "nearest_month"), ".",
    ]  # fmt: skip
    lacking = summary.frame["reference_missing_dimensions"][0]
    if lacking:
        section.notes.append(
            f"Compared in {summary.frame['reference_dimensions'][0]} dimensions; without a timely figure: {lacking}."
        )
    section.charts.append(
        chart(
            answers, "analog", f"Distance of {summary.cell(0, 'reference_month').text} to each past month",
            f"A line over the months since {distance.cell(len(distance) - 1, 'month').text}; lower is more similar. "
            f"The nearest is {summary.cell(0, 'nearest_month').text} at {summary.cell(0, 'nearest_distance').text}; "
            f"the median of the 1970s is {summary.cell(0, 'median_distance_1970s', 'distance').text}.",
            charts.nearest("analog_distance", distance.frame),
            table(distance, f"The thirty months most similar to {summary.cell(0, 'reference_month').text}", [
                Column("Month", "month"), Column("Distance", "distance"), Column("In the 1970s", "is_1970s"),
            ], distance.frame.with_row_index("place").sort("distance")["place"].to_list()[:30]),
            ("analog_1970s",), summary.frame["reference_month"][0],
        )
    )  # fmt: skip
    section.tables.append(
        table(outcomes, "Subsequent returns of base metals and gold: median real return, and range over 36 months", [
            Column("After these months", "sample", kind="code"), Column("Asset", "asset", kind="code"),
            Column("Months", "months", "count"),
            Column("After 12 months", "after_12_months_real_return_pct", "return_pct"),
            Column("24", "after_24_months_real_return_pct", "return_pct"),
            Column("36", "after_36_months_real_return_pct", "return_pct"),
            Column("Lowest, 36", "after_36_months_lowest_real_return_pct", "return_pct"),
            Column("Highest, 36", "after_36_months_highest_real_return_pct", "return_pct"),
        ], folded=True, printed=True)
    )  # fmt: skip
    section.credits = answers.credits("analog_1970s")
    return section
