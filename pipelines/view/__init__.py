"""Three sentences on the market from the published figures: what moved, what drives it, what changed since before.

The terminal and the brief share them. Every figure is a cell of the row that a query beside this file gives; where
there is none, the sentence says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2

FOLDER = Path(__file__).parent
_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER))  # noqa: S701 - SQL, from our own files
NAMES = ("moved", "drives", "changed")
NEAR_ZERO = 0.1  # standard deviations, as printed; a word of display, no bar of a rule
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A cell of the query's row; `unit` where the column's name does not end in one."""

    column: str
    unit: str | None = None


Sentence = list[str | Figure]


def query(name: str, **values: int) -> str:
    """A query beside this file, over all figures; the brief leaves out what is licensed for personal use."""
    return _TEMPLATES.get_template(f"{name}.sql").render(and_not_own_use=lambda table, key: "", **values)


def sentence(name: str, row: Row | None) -> Sentence:
    """The sentence on the row of the query of that name."""
    return {"moved": _moved, "drives": _drives, "changed": _changed}[name](row)


def as_text(rows: Callable[[str], list[dict[str, Any]]]) -> dict[str, str]:
    """The sentences as plain text by name. `rows` answers a query on the published file."""
    said = {}
    for name in NAMES:
        found = rows(query(name))
        row = found[0] if found else None
        said[name] = "".join(p if isinstance(p, str) else _plain(row or {}, p) for p in sentence(name, row))
    return said


def _plain(row: Row, figure: Figure) -> str:
    value = row[figure.column]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, date):
        return f"{value:%b %Y}"
    if figure.column.endswith(("_usd_per_tonne", "_usd_per_troy_ounce")):
        return f"{value:,.0f} USD/{'t' if figure.column.endswith('tonne') else 'oz'}"
    if isinstance(value, float):
        return f"{value:+.2f}" if figure.column.endswith("zscore") else f"{value:+.1f} %"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _moved(row: Row | None) -> Sentence:
    if row is None:
        return ["No metal has a monthly price of two months in a row."]
    said: Sentence = []
    if late := row["months_late"]:
        said += ["The newest monthly prices are ", Figure("months_late"), f" month{'s' * (late > 1)} behind. "]
    said += [
        Figure("metals_up"), " of ", Figure("metals_known"), " metals rose in ", Figure("month"), ", from ",
        Figure("riser"), " ", Figure("riser_return_pct"),
    ]  # fmt: skip
    if row["metals_known"] > 1:
        said += [" to ", Figure("faller"), " ", Figure("faller_return_pct")]
    if row["copper_12m_return_pct"] is not None:
        said += [
            "; copper averaged ", Figure("copper_usd_per_tonne"), " (", Figure("copper_return_pct"), ", ",
            Figure("copper_12m_return_pct"), " on the year)",
        ]  # fmt: skip
    if row["gold_usd_per_troy_ounce"] is not None:
        said += [", gold ", Figure("gold_usd_per_troy_ounce"), " (", Figure("gold_return_pct"), ")"]
    return [*said, "."]


def _drives(row: Row | None) -> Sentence:
    if row is None:
        return ["No metal has a composite of its drivers."]
    said: Sentence = ["Composites of drivers, in standard deviations"]
    if row["figures_from_month"] is not None:
        said += [", from figures of ", Figure("figures_from_month")]
        said += [" to ", Figure("figures_to_month")] if row["figures_to_month"] != row["figures_from_month"] else []
    said += [": highest for ", *_end(row, "most")]
    if row["least"] is not None:
        said += [", lowest for ", *_end(row, "least")]
    named = f"{row['most']}, {row['least'] or ''}".split(", ")
    others = [m for m in ("copper", "gold") if m not in named and row[f"{m}_zscore"] is not None]
    for n, metal in enumerate(others):
        said += [", " if n else "; ", f"{metal} ", *_score(row, f"{metal}_zscore")]
    return [*said, "."]


def _end(row: Row, end: str) -> Sentence:
    shared = "one composite, " if ", " in row[end] else ""
    return [
        Figure(end), f" ({shared}", *_score(row, f"{end}_zscore"), ", mainly ", Figure(f"{end}_group"), " ",
        Figure(f"{end}_group_zscore"), ")",
    ]  # fmt: skip


def _score(row: Row, column: str) -> Sentence:
    return [*(["near zero at "] if round(abs(row[column]), 2) <= NEAR_ZERO else []), Figure(column)]


def _changed(row: Row | None) -> Sentence:
    if row is None:
        return ["This file was not compared with a publication before it."]
    if row["is_first"]:
        return [
            "This is the first publication: ", Figure("figures_new"), " figures of ", Figure("publishers"),
            " publishers are new, and nothing can differ yet.",
        ]  # fmt: skip
    since: Sentence = [Figure("since") if row["since"] else "the last publication"]
    if not (row["flips"] or row["divergences_changed"] or row["figures_new"] or row["figures_revised"]):
        return ["No verdict, divergence or figure has changed since ", *since, "."]
    return [
        "Since ", *since, ": ",
        Figure("flips") if row["flips"] else "no verdict flipped", "; ", Figure("divergences_changed"),
        " divergence changed state; " if row["divergences_changed"] == 1 else " divergences changed state; ",
        Figure("figures_new"), " figures new, ", Figure("figures_revised"), " revised.",
    ]  # fmt: skip
