"""Number formats of the brief: by unit, which the name of a column or a column beside it gives.

Text only; nothing is computed here beyond rounding and the choice of thousands, millions or billions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from pipelines.catalog import Frequency, period_label

MINUS, THIN = "\u2212", "\u202f"  # a true minus sign, and a narrow no-break space
MISSING = "missing"
_HYPHEN = re.compile(r"(?<![^\s(])-(?=\d)")  # before a negative number; not in 2025-11-07 or 12-month


@dataclass(frozen=True)
class Unit:
    """Format of a unit: decimals, prefix and suffix, whether a plus is shown, whether large numbers are scaled."""

    decimals: int
    after: str = ""
    before: str = ""
    signed: bool = False
    scaled: bool = False
    trimmed: bool = False
    """Whether 50.0 is written as 50."""


# The units of the warehouse: suffixes of column names, and values of the columns unit and native_unit.
UNITS = {
    "usd": Unit(0, before="$", scaled=True),
    "usd_per_tonne": Unit(0, f"{THIN}/{THIN}t", "$"),
    "usd_per_dry_tonne": Unit(1, f"{THIN}/{THIN}dry t", "$"),
    "usd_per_troy_ounce": Unit(2, f"{THIN}/{THIN}oz", "$"),
    "usd_per_pound": Unit(2, f"{THIN}/{THIN}lb", "$"),
    "tonnes": Unit(0, "t", scaled=True),
    "tonnes_per_year": Unit(0, "t a year", scaled=True),
    "twh": Unit(0, f"{THIN}TWh"),
    "twh_per_year": Unit(1, f"{THIN}TWh a year", signed=True),
    "pct": Unit(1, f"{THIN}%"),
    "yoy_pct": Unit(1, f"{THIN}%", signed=True),
    "return_pct": Unit(1, f"{THIN}%", signed=True),
    "rate_pct": Unit(1, f"{THIN}%", trimmed=True),
    "pct_of_gdp": Unit(1, f"{THIN}% of GDP"),
    "pct_of_world_use": Unit(2, f"{THIN}%"),
    "pp": Unit(1, f"{THIN}pp", signed=True),
    "pp_of_gdp": Unit(1, f"{THIN}pp of GDP", signed=True),
    "pp_of_gdp_per_pp": Unit(2, f"{THIN}pp of GDP per pp", signed=True),
    "pct_per_pp_of_gdp": Unit(1, f"{THIN}% per pp of GDP", signed=True),
    "pp_of_revenue": Unit(1, f"{THIN}pp of revenue", signed=True),
    "pp_per_year": Unit(2, f"{THIN}pp a year", signed=True),
    "zscore": Unit(2, signed=True),
    "t_statistic": Unit(2, signed=True),
    "correlation": Unit(2, signed=True),
    "index": Unit(1),
    "ratio": Unit(2),
    "distance": Unit(2),
    "share": Unit(2),
    "sign": Unit(0, signed=True),
    "percentile": Unit(0),
    "months": Unit(0, f"{THIN}months"),
    "count": Unit(0),
    "metals": Unit(0, f"{THIN}metals"),
    "bytes": Unit(0),
}
_SCALES = ((1e12, "tn", "Gt"), (1e9, "bn", "Gt"), (1e6, "m", "Mt"), (1e3, "k", "kt"))


def unit_of(column: str) -> str | None:
    """The longest unit that is a suffix of a column's name; None if there is none (a count, a text)."""
    ends = [name for name in UNITS if column == name or column.endswith(f"_{name}")]
    return max(ends, key=len) if ends else None


def number(value: float, unit: str | None) -> str:
    """A number with its unit. A unit that is not listed is written after the number."""
    known = UNITS.get(unit or "")
    if known is None:
        text = f"{abs(value):,.0f}" if float(value).is_integer() else f"{abs(value):,.2f}"
        is_below_zero = value < 0 and text not in ("0", "0.00")
        return (MINUS if is_below_zero else "") + text + (f"{THIN}{unit.replace('_', ' ')}" if unit else "")
    size, decimals, after = abs(value), known.decimals, known.after
    if known.scaled:
        for scale, money, mass in _SCALES:
            if size >= scale:
                size, decimals = size / scale, 1 if size / scale < 100 else 0
                after = f"{THIN}{money}" if unit == "usd" else f"{THIN}{mass}{known.after[1:]}"
                break
        else:
            after = known.after if unit == "usd" else f"{THIN}{known.after}"
    digits = f"{size:,.{decimals}f}"
    if known.trimmed and "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    zero = float(digits.replace(",", "")) == 0
    sign = "" if zero else MINUS if value < 0 else "+" if known.signed else ""
    return f"{sign}{known.before}{digits}{after}"


def day(value: date) -> str:
    return period_label(value, Frequency.DAILY)


def _dated(value: date, column: str, unit: str | None) -> str:
    if unit:
        return period_label(value, Frequency(unit))
    if column.endswith("quarter"):
        return period_label(value, Frequency.QUARTERLY)
    # Periods and months are stored as their first day; other dates are days.
    by_month = column.endswith(("period", "month")) and value.day == 1
    return period_label(value, Frequency.MONTHLY if by_month else Frequency.DAILY)


def written(value: object, column: str, unit: str | None = None) -> str:
    """A value as displayed. `unit` overrides the unit in the column's name; of a period it is its frequency."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return _dated(value, column, unit)
    if isinstance(value, int | float):
        if column.endswith("year") and unit is None and isinstance(value, int):
            return str(value)
        return number(value, unit or unit_of(column))
    return _HYPHEN.sub(MINUS, str(value))
