"""Continuity of a payload with the known figures: detects an older file, a changed unit, and figures out of scale.

A contract checks one row at a time, and the catalogue's range must cover sixty years; faults that show only in
comparison with known figures are found here. Pure functions: frames in, reasons out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import polars as pl

from pipelines.ingest.precision import printed

# With fewer figures than this, the usual scale of a series is unknown.
MIN_FIGURES_FOR_SCALE = 24
# No price, index or amount of the catalogue that is never zero has exceeded its own record by this factor from one
# release to the next. Pounds for tonnes (2,205), kilograms for ounces (32) and thousands for units all exceed it.
OUT_OF_SCALE = 20.0
# A change of unit is distinguished from revisions by a factor common to this many figures, within the tolerance.
MIN_FIGURES_FOR_FACTOR = 8
COMMON_FACTOR_TOLERANCE = 0.005
MIN_FACTOR = 0.02  # 2 %: short tons for tonnes are 10 %, a new index base is more; revisions vary
SHARE_WITH_FACTOR = 0.9
# Half of the figures that two files of a series have in common move by less than this share of its level from one to
# the next, also at a benchmark revision; two constructions of a newspaper index differ by more.
REWRITTEN_SHARE = 0.2
# The level says nothing about figures near zero (a rate, a balance): those move by less than this share of the range of
# their middle half. Two constructions with a correlation of 0.6 differ by 0.45 of it.
REWRITTEN_SHARE_OF_SPREAD = 0.4
# Half or twice the figures known over the same periods: another frequency, or a file of which a part is missing.
COUNT_FACTOR = 2
# A series whose catalogue states its first period begins within a year of it.
LATE_START = timedelta(days=366)


def reasons(
    incoming: pl.DataFrame,
    known: pl.DataFrame,
    never_zero: Collection[str],
    first_periods: Mapping[str, date] | None = None,
) -> pl.DataFrame:
    """Rows of `incoming` (series_id, period, value, decimals) that do not continue `known` (series_id, period, value).

    `never_zero` are the series whose figures are always above zero, such as prices and indices; figures near zero (a
    rate, a flow between two countries) may change by any factor without being wrong. `first_periods` is where the
    catalogue says that a series begins.

    Returns series_id, period, reason, whole; empty if there are none. `whole` marks the rows, all of them, of a series
    that differs as a whole: another unit, base, sign, construction or frequency, or a file that begins late.
    """
    if incoming.is_empty():
        return pl.DataFrame(
            schema={"series_id": pl.String, "period": pl.Date, "reason": pl.String, "whole": pl.Boolean}
        )
    whole = pl.concat(
        [
            _rescaled(incoming, known),
            _rewritten(incoming, known, never_zero),
            _other_count(incoming, known),
            _late(incoming, first_periods or {}),
        ]
    ).unique("series_id", keep="first", maintain_order=True)
    parts = [
        incoming.join(whole, on="series_id", how="inner", maintain_order="left").select("series_id", "period", "reason")
    ]
    others = incoming.join(whole, on="series_id", how="anti", maintain_order="left")
    parts.append(_out_of_scale(others.filter(pl.col("series_id").is_in(list(never_zero))), known))
    return pl.concat(part.with_columns(whole=pl.lit(n == 0)) for n, part in enumerate(parts))


def older(ends: pl.DataFrame, earlier: pl.DataFrame) -> str | None:
    """Why a payload is an older file: every series that an earlier response to the same request had ends earlier now.

    Both frames are (series_id, last_period). A payload that extends one series, or has a new one, is not older.
    """
    both = ends.join(earlier, on="series_id", how="left", suffix="_before")
    shorter = (pl.col("last_period") < pl.col("last_period_before")).fill_null(False)
    if both.is_empty() or not both.select(shorter.all()).item():
        return None
    first = both.sort("series_id").row(0, named=True)
    return (
        f"ends in {first['last_period']} ({first['series_id']}), but an earlier response ended in "
        f"{first['last_period_before']}: an older file, or figures were withdrawn"
    )


def _rescaled(incoming: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Series whose figures are the same multiple of the known ones, with the reason."""
    both = incoming.join(known, on=["series_id", "period"], how="inner", suffix="_known", maintain_order="left").filter(
        (pl.col("value") != 0) & (pl.col("value_known") != 0)
    )
    expected = pl.col("factor") * pl.col("value_known")
    slack = printed() * (1 + pl.col("factor").abs()) + COMMON_FACTOR_TOLERANCE * expected.abs()
    return (
        both.with_columns(factor=(pl.col("value") / pl.col("value_known")).median().over("series_id"))
        .group_by("series_id", maintain_order=True)
        .agg(
            pl.len().alias("figures"),
            pl.col("factor").first(),
            ((pl.col("value") - expected).abs() <= slack).mean().alias("share"),
            # With few digits, a factor near one cannot be distinguished from rounding.
            (expected.abs() > 10 * printed()).mean().alias("told_apart"),
        )
        .filter(
            (pl.col("figures") >= MIN_FIGURES_FOR_FACTOR)
            & ((pl.col("factor") - 1).abs() > MIN_FACTOR)
            & (pl.col("share") >= SHARE_WITH_FACTOR)
            & (pl.col("told_apart") >= SHARE_WITH_FACTOR)
        )
        .select(
            "series_id",
            pl.format(
                "its figures are {} times those known over {} periods: another unit, base or sign",
                pl.col("factor").round_sig_figs(5),
                "figures",
            ).alias("reason"),
        )
    )


def _rewritten(incoming: pl.DataFrame, known: pl.DataFrame, never_zero: Collection[str]) -> pl.DataFrame:
    """Series most of whose known figures changed by much, without a common factor."""
    both = incoming.join(known, on=["series_id", "period"], how="inner", suffix="_known", maintain_order="left")
    before = pl.col("value_known")
    never = pl.col("series_id").is_in(list(never_zero))
    return (
        both.group_by("series_id", maintain_order=True)
        .agg(
            figures=pl.len(),
            moved=(pl.col("value") - before).abs().median(),
            level=before.abs().median(),
            spread=before.quantile(0.75) - before.quantile(0.25),
        )
        .with_columns(
            usual=pl.when(never)
            .then(REWRITTEN_SHARE * pl.col("level"))
            .otherwise(REWRITTEN_SHARE_OF_SPREAD * pl.col("spread"))
        )
        .filter(
            (pl.col("figures") >= MIN_FIGURES_FOR_SCALE) & (pl.col("usual") > 0) & (pl.col("moved") > pl.col("usual"))
        )
        .select(
            "series_id",
            pl.format(
                "half of its {} known figures changed by more than {}, at a {}: another construction",
                "figures",
                pl.col("moved").round_sig_figs(3),
                pl.when(never)
                .then(pl.format("level of {}", pl.col("level").round_sig_figs(3)))
                .otherwise(pl.format("spread of {}", pl.col("spread").round_sig_figs(3))),
            ).alias("reason"),
        )
    )


def _other_count(incoming: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Series with half or twice as many figures as are known over the periods that both cover.

    More figures are no other frequency where they complete the known ones: nearly all of those are there, unchanged.
    """
    spans = [
        frame.group_by("series_id", maintain_order=True).agg(
            pl.col("period").min().alias("first"), pl.col("period").max().alias("last")
        )
        for frame in (incoming, known)
    ]
    common = spans[0].join(spans[1], on="series_id", suffix="_known", maintain_order="left")
    common = common.select(
        "series_id", first=pl.max_horizontal("first", "first_known"), last=pl.min_horizontal("last", "last_known")
    )
    counts = [
        frame.join(common, on="series_id")
        .filter(pl.col("period").is_between("first", "last"))
        .group_by("series_id")
        .agg(pl.len().cast(pl.Int64).alias("figures"))
        for frame in (incoming, known)
    ]
    unchanged = (pl.col("value") - pl.col("value_known")).abs() <= printed() + COMMON_FACTOR_TOLERANCE * pl.col(
        "value_known"
    ).abs()
    same = (
        incoming.join(known, on=["series_id", "period"], suffix="_known")
        .filter(unchanged)
        .group_by("series_id")
        .agg(pl.len().cast(pl.Int64).alias("same"))
    )
    here, there = pl.col("figures"), pl.col("figures_known")
    completes = pl.col("same").fill_null(0) >= SHARE_WITH_FACTOR * there
    return (
        common.join(counts[0], on="series_id", maintain_order="left")
        .join(counts[1], on="series_id", suffix="_known", maintain_order="left")
        .join(same, on="series_id", how="left", maintain_order="left")
        .filter(
            (pl.max_horizontal(here, there) >= MIN_FIGURES_FOR_SCALE)
            & ((here * COUNT_FACTOR < there) | (here > there * COUNT_FACTOR) & ~completes)
        )
        .select(
            "series_id",
            pl.format(
                "has {} figures between {} and {}, where {} are known: another frequency, or part of a file",
                here,
                "first",
                "last",
                there,
            ).alias("reason"),
        )
    )


def _late(incoming: pl.DataFrame, first_periods: Mapping[str, date]) -> pl.DataFrame:
    """Series that begin more than a year later than the catalogue says."""
    stated = pl.DataFrame(list(first_periods.items()), schema={"series_id": pl.String, "stated": pl.Date}, orient="row")
    return (
        incoming.group_by("series_id", maintain_order=True)
        .agg(pl.col("period").min().alias("first"))
        .join(stated, on="series_id", maintain_order="left")
        .filter(pl.col("first") > pl.col("stated") + LATE_START)
        .select(
            "series_id",
            pl.format(
                "begins in {}, not in {}: another construction, or part of a file", pl.col("first"), pl.col("stated")
            ).alias("reason"),
        )
    )


def _out_of_scale(incoming: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows out of scale with the known figures of their series (at a first load: with the rest of the payload)."""
    size = pl.col("value").abs()
    scale = known.group_by("series_id").agg(
        pl.len().alias("figures"),
        size.max().alias("largest"),
        size.min().alias("least"),
    )
    own = incoming.group_by("series_id").agg(
        pl.len().alias("own_figures"), size.top_k(2).min().alias("second"), size.max().alias("first")
    )
    enough = pl.col("figures").fill_null(0) >= MIN_FIGURES_FOR_SCALE
    alone = ~enough & (pl.col("own_figures") >= MIN_FIGURES_FOR_SCALE) & (size == pl.col("first"))
    largest = pl.when(enough).then("largest").when(alone).then("second")
    return (
        incoming.join(scale, on="series_id", how="left", maintain_order="left")
        .join(own, on="series_id", how="left", maintain_order="left")
        .with_columns(
            reason=pl.when((largest > 0) & (size > OUT_OF_SCALE * largest))
            .then(pl.format("is more than {} times the largest figure known, {}", pl.lit(int(OUT_OF_SCALE)), largest))
            .when(enough & (size > 0) & (size < pl.col("least") / OUT_OF_SCALE))
            .then(pl.format("is less than 1/{} of the smallest figure known, {}", pl.lit(int(OUT_OF_SCALE)), "least"))
        )
        .filter(pl.col("reason").is_not_null())
        .select("series_id", "period", "reason")
    )
