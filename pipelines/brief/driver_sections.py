"""The sections on prices and drivers: capital expenditure, money, trade, coal, the 1970s."""

from __future__ import annotations

import polars as pl

from pipelines.brief import charts, formats
from pipelines.brief.answers import Answers
from pipelines.brief.charts import Line
from pipelines.brief.parts import INPUTS, Column, Missing, Section, Sentence, chart, listed, missing, table


def prices(answers: Answers) -> Section:
    prices, paths, volatility = answers["prices"], answers["price_paths"], answers["volatility"]
    section = Section("prices", "Prices and volatility", [], short="Prices")
    if not len(prices):
        section.has_data = False
        section.says = ["No price is available."]
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
            "; ", volatility.cell(0, "metal"), " is the most volatile relative to its own history (",
            volatility.cell(0, "volatility_pct"), " annualised, more than in ", volatility.cell(0, "percentile"),
            f"{formats.THIN}% of all months)",
        ]  # fmt: skip
    section.says.append(".")
    section.tables.append(
        table(prices, "Newest monthly price of each metal", [
            Column("Metal", "metal"), Column("Month", "period"), Column("Price", "price_native", "@native_unit"),
            Column("1 month", "return_1m_pct", "return_pct"), Column("12 months", "return_12m_pct", "return_pct"),
            Column("Real price, z-score", "real_price_zscore_expanding", "zscore"),
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
        ], range(min(8, len(total))))
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
        for row in total.frame.filter(pl.col("companies_reporting") < pl.col("companies_expected")).to_dicts():
            charts.over(bars, formats.written(row["calendar_quarter"], "calendar_quarter"), row["capex_bn"],
                        f"{row['companies_reporting']}/{row['companies_expected']}")  # fmt: skip
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
        "Tonnes are based on referenced parameters, see docs/data_centre_parameters.md; cash purchases only, no leases."
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
    section.says = [
        "In ", gap.cell(0, "month"), " producer prices changed by ", gap.cell(0, "ppi_yoy_pct", "yoy_pct"),
        " over the year and M1 grew ", gap.cell(0, "gap_pp"), " against M2",
    ]  # fmt: skip
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
    lead = gap.cell(0, "lead_months", "months")
    moved = lead.value is not None
    figure = charts.lines(
        "money_ppi", gap.frame,
        [Line("ppi_zscore", "Producer prices"),
         Line("gap_zscore", f"M1 less M2, {lead.text} ahead" if moved else "M1 less M2",
              "gap_shown_at_month" if moved else None)],
        "z-score", hover=":.2f",
    )  # fmt: skip
    if moved:
        charts.mark(figure, str(gap.frame["month"][0]), f"prices to here, money {lead.text} ahead", left=True)
    section.charts.append(
        chart(
            answers, "money-ppi", f"M1 less M2 growth, moved ahead {lead.text}, and producer prices"
            if moved else "M1 less M2 growth and producer prices",
            f"Two lines of z-scores to {gap.cell(0, 'month').text}: producer prices at "
            f"{gap.cell(0, 'ppi_zscore').text}, money at {gap.cell(0, 'gap_zscore').text}, drawn {lead.text} later "
            "than its own month.",
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


def trade(answers: Answers) -> Section:
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
        " applies to refined copper (", duties.cell(0, "copper_highest_rate_pct"), " on some copper goods) and ",
        duties.cell(0, "aluminium_refined_rate_pct"), " on unwrought aluminium",
    ]  # fmt: skip
    if premium and duties.has("copper_premium_pct"):
        newest = next(n for n in range(len(duties)) if duties.frame["copper_premium_pct"][n] is not None)
        section.says += [
            "; COMEX copper over the world price: ", duties.cell(newest, "copper_premium_pct", "yoy_pct"), " in ",
            duties.cell(newest, "month"),
        ]  # fmt: skip
    section.says.append("." if premium else "; no figure for the COMEX premium is available.")
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
    if premiums:  # two panels over one time axis: premiums and duties differ in scale
        figure.update_layout(
            yaxis=charts.axis("duty, per cent", domain=[0.5, 1]),
            yaxis2=charts.axis("premium, per cent", domain=[0, 0.42]),
            xaxis_anchor="y2",
        )
    figure.update_layout(xaxis_range=["2018-01-01", str(duties.newest("month"))])
    section.charts.append(
        chart(
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
        "Each measure has its legal date and its citation; docs/policy_events.md lists the sources. A duty on copper "
        "goods is not a duty on the metal."
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
            f"Compared in {summary.frame['reference_dimensions'][0]} dimensions; without a timely figure: "
            f"{lacking.replace('_', ' ')}."
        )
    section.charts.append(
        chart(
            answers, "analog", f"Distance of {summary.cell(0, 'reference_month').text} to each past month",
            f"A line over the months since {distance.cell(len(distance) - 1, 'month').text}; lower is more similar. "
            f"The nearest is {summary.cell(0, 'nearest_month').text} at {summary.cell(0, 'nearest_distance').text}; "
            f"the median of the 1970s is {summary.cell(0, 'median_distance_1970s', 'distance').text}.",
            charts.nearest("analog_distance", distance.frame),
            table(distance, "The thirty months most similar to today", [
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
        ])
    )  # fmt: skip
    section.credits = answers.credits("analog_1970s")
    return section
