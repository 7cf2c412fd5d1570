"""The charts of the brief as Plotly figures, from query results. Colours are those of the page's light theme; the page
replaces them with the dark ones when it draws.

No number is computed here: each trace holds columns of a frame, in the order of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from pipelines.brief import formats

# Name: light, dark. Blue, vermillion, green, purple and ochre are distinguishable with all three kinds of colour
# blindness (after Okabe and Ito); each has a contrast of at least 4.5 on its background, so labels can use it too.
PALETTE = {
    "paper": ("#fdfcf9", "#14171c"),
    "ink": ("#1c2127", "#e9e6df"),
    "muted": ("#5a626d", "#a5adb8"),
    "rule": ("#dcd8cf", "#343a43"),
    "blue": ("#0a5c9e", "#74b4ee"),
    "vermillion": ("#b8430a", "#f59662"),
    "green": ("#00705a", "#4fc7a6"),
    "purple": ("#7a4a94", "#c8a0e2"),
    "ochre": ("#7f6000", "#dbb449"),
    "shade": ("#eceae3", "#242932"),
}
LINES = ("blue", "vermillion", "green", "purple", "ochre")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def colour(role: str) -> str:
    return PALETTE[role][0]


def faint(role: str, share: float) -> str:
    """The colour with an opacity, as hexadecimal with alpha, so that the page can still replace it."""
    return colour(role) + f"{round(255 * share):02x}"


@dataclass(frozen=True)
class Line:
    """A column of a frame to draw, its label, and its x column if that is not the first of the frame."""

    column: str
    name: str
    x: str | None = None


def path(values: Sequence[float], width: int = 100, height: int = 24) -> str:
    """A sparkline's points for SVG: evenly spaced, the lowest value at the bottom and the highest at the top."""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = width / max(len(values) - 1, 1)
    return " ".join(f"{n * step:.2f},{height * (high - v) / span:.2f}" for n, v in enumerate(values))


def _x(frame: pl.DataFrame, column: str) -> list[Any]:
    """Values of the x axis: quarters by their names, other dates in ISO format."""
    if column.endswith("quarter"):
        return [formats.written(v, column) for v in frame[column].to_list()]
    return [v.isoformat() if isinstance(v, date) else v for v in frame[column].to_list()]


def _named(figure: go.Figure, column: str) -> go.Figure:
    """The figure with an x axis that names its periods as the rest of the page does."""
    if column.endswith("quarter"):
        return figure.update_xaxes(type="category", categoryorder="category ascending")
    return figure.update_xaxes(hoverformat="%b %Y") if column.endswith(("month", "period")) else figure


def _figure(y_title: str, **layout: Any) -> go.Figure:
    base: dict[str, Any] = {
        "template": None,
        "paper_bgcolor": colour("paper"),
        "plot_bgcolor": colour("paper"),
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": colour("ink")},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8, "autoexpand": True},
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": colour("paper"), "bordercolor": colour("rule"), "font": {"color": colour("ink")}},
        "dragmode": False,
        "xaxis": axis(showgrid=False),
        "yaxis": axis(y_title),
    }
    base.update(layout)
    return go.Figure(layout=base)


def axis(title: str | None = None, **more: Any) -> dict[str, Any]:
    """Layout of axes: thin lines, automatic margins for labels, no zoom."""
    return {
        "title": {"text": title or "", "font": {"size": 12, "color": colour("muted")}, "standoff": 6},
        "automargin": True,
        "fixedrange": True,
        "gridcolor": colour("rule"),
        "gridwidth": 1,
        "linecolor": colour("rule"),
        "zeroline": False,
        "tickfont": {"size": 12, "color": colour("muted")},
        **more,
    }


def _source(query: str, column: str) -> dict[str, str]:
    """The query and column of a trace's y values; the tests compare them with the warehouse."""
    return {"query": query, "column": column}


def lines(
    query: str,
    frame: pl.DataFrame,
    drawn: Sequence[Line],
    y_title: str,
    *,
    steps: bool = False,
    hover: str = ":,.1f",
    **layout: Any,
) -> go.Figure:
    """One line per column over the frame's first column, each labelled at its right end."""
    figure = _figure(y_title, **{"margin": {"l": 8, "r": 8, "t": 20, "b": 8}, "showlegend": True, **layout})
    for n, line in enumerate(drawn):
        figure.add_trace(
            go.Scatter(
                x=_x(frame, line.x or frame.columns[0]),
                y=frame[line.column].to_list(),
                name=line.name,
                mode="lines",
                line={
                    "color": colour(LINES[n]),
                    "width": 5 - 1.5 * n if steps else 2,
                    "dash": DASHES[n],
                    "shape": "hv" if steps else "linear",
                },  # steps may overlap: thick lines below, thin ones above
                hovertemplate=f"%{{y{hover}}}",
                meta=_source(query, line.column),
                connectgaps=False,
            )
        )
    return _named(figure, frame.columns[0])


def lines_by(query: str, frame: pl.DataFrame, x: str, y: str, by: str, y_title: str, *, first: int = 0) -> go.Figure:
    """One line per value of a column. `first` is the place of the first colour in the palette."""
    figure = _figure(y_title, showlegend=True)
    for n, name in enumerate(frame[by].unique(maintain_order=True).to_list(), start=first):
        part = frame.filter(pl.col(by) == name)
        figure.add_trace(
            go.Scatter(
                x=_x(part, x), y=part[y].to_list(), name=name, mode="lines",
                line={"color": colour(LINES[n % len(LINES)]), "width": 2, "dash": DASHES[n % len(DASHES)]},
                hovertemplate="%{y:.1f}", meta={**_source(query, y), "where": {by: name}},
            )
        )  # fmt: skip
    return figure


def stacked(query: str, frame: pl.DataFrame, x: str, y: str, by: str, y_title: str) -> go.Figure:
    """Bars over x, stacked by the values of a column."""
    figure = _figure(y_title, barmode="stack", bargap=0.25, showlegend=True)
    hatches = ("", "/", ".", "\\", "x")
    for n, name in enumerate(sorted(frame[by].unique().to_list())):
        part = frame.filter(pl.col(by) == name)
        figure.add_trace(
            go.Bar(
                x=_x(part, x),
                y=part[y].to_list(),
                name=name,
                marker={
                    "color": colour(LINES[n % len(LINES)]),
                    "pattern": {
                        "shape": hatches[n % len(hatches)],
                        "fgcolor": colour("paper"),
                        "size": 5,
                        "solidity": 0.2,
                    },
                },
                hovertemplate="%{y:$,.1f} bn",
                meta={**_source(query, y), "where": {by: name}},
            )
        )
    return _named(figure, x)


def band(
    query: str, frame: pl.DataFrame, x: str, low: Line, middle: Line, high: Line, y_title: str, hover: str
) -> go.Figure:
    """A central line inside a band."""
    figure = _figure(y_title)
    xs = _x(frame, x)
    edges = {"color": faint("blue", 0.35), "width": 1}
    for line, style in ((high, {}), (low, {"fill": "tonexty", "fillcolor": faint("blue", 0.15)})):
        figure.add_trace(
            go.Scatter(
                x=xs, y=frame[line.column].to_list(), name=line.name, mode="lines", line=edges,
                hovertemplate=f"%{{y{hover}}}", meta=_source(query, line.column), **style,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=xs, y=frame[middle.column].to_list(), name=middle.name, mode="lines+markers",
            line={"color": colour("blue"), "width": 2.5}, marker={"size": 6},
            hovertemplate=f"%{{y{hover}}}", meta=_source(query, middle.column),
        )
    )  # fmt: skip
    return _named(figure, x)


def ranges(query: str, frame: pl.DataFrame, label: str, low: str, middle: str, high: str, now: str) -> go.Figure:
    """Per row, the usual range as a bar, its median as a tick and the current value as a dot."""
    figure = _figure("", hovermode="closest", showlegend=True)
    names = frame[label].to_list()
    figure.add_trace(
        go.Bar(
            orientation="h", y=names, base=frame[low].to_list(), x=(frame[high] - frame[low]).to_list(),
            customdata=frame[high].to_list(), name="10th to 90th percentile",
            marker={"color": faint("muted", 0.28), "line": {"width": 0}}, width=0.5,
            hovertemplate="%{y}: %{base:.1f} to %{customdata:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    for column, name, symbol, shade, size in (
        (middle, "median", "line-ns", "muted", 16),
        (now, "last twelve months", "circle", "vermillion", 11),
    ):
        figure.add_trace(
            go.Scatter(
                x=frame[column].to_list(), y=names, name=name, mode="markers",
                marker={"symbol": symbol, "size": size, "color": colour(shade),
                        "line": {"width": 2, "color": colour(shade)}},
                hovertemplate=f"%{{y}}, {name}: %{{x:.1f}} %<extra></extra>",
                meta={**_source(query, column), "axis": "x"},
            )
        )  # fmt: skip
    figure.update_layout(
        xaxis=axis("annualised, per cent", rangemode="tozero"),
        yaxis=axis(autorange="reversed", showgrid=False, tickfont={"size": 13, "color": colour("ink")}),
    )
    return figure


def nearest(query: str, frame: pl.DataFrame) -> go.Figure:
    """Distance of each past month to the newest one, with the nearest marked and the 1970s shaded."""
    figure = _figure("distance, standard deviations", showlegend=True)
    figure.add_trace(
        go.Scatter(
            x=_x(frame, "month"), y=frame["distance"].to_list(), name="distance", mode="lines",
            line={"color": colour("muted"), "width": 1.5}, hovertemplate="%{y:.2f}",
            meta=_source(query, "distance"),
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=_x(frame, "month"), y=frame["nearest_distance"].to_list(), name="nearest twentieth", mode="markers",
            marker={"color": colour("vermillion"), "size": 7, "symbol": "diamond"}, hoverinfo="skip",
            meta=_source(query, "nearest_distance"),
        )
    )  # fmt: skip
    seventies = frame.filter(pl.col("is_1970s"))["month"]
    if len(seventies):
        shade(figure, str(seventies.min()), str(seventies.max()), "the 1970s")
    figure.update_yaxes(rangemode="tozero")
    return _named(figure, "month")


def shade(figure: go.Figure, start: str, end: str, text: str) -> None:
    """A shaded, labelled span of the x axis."""
    figure.add_shape(
        type="rect", xref="x", yref="paper", x0=start, x1=end, y0=0, y1=1, layer="below",
        fillcolor=colour("shade"), line={"width": 0},
    )  # fmt: skip
    figure.add_annotation(
        x=start, y=0.99, yref="paper", xanchor="left", yanchor="top", text=text, showarrow=False, xshift=4,
        font={"size": 12, "color": colour("muted")},
    )  # fmt: skip


def over(figure: go.Figure, x: object, y: float, text: str) -> None:
    """A label above a point."""
    figure.add_annotation(
        x=str(x), y=y, text=text, showarrow=False, yanchor="bottom", font={"size": 11, "color": colour("muted")},
    )  # fmt: skip


def mark(figure: go.Figure, x: object, text: str, *, left: bool = False, low: bool = False) -> None:
    """A dotted vertical line at x with a label beside it."""
    figure.add_shape(
        type="line", xref="x", yref="paper", x0=x, x1=x, y0=0, y1=1,
        line={"color": colour("muted"), "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.add_annotation(
        x=x, y=0.02 if low else 0.98, yref="paper", xanchor="right" if left else "left",
        yanchor="bottom" if low else "top", text=text, showarrow=False, xshift=-5 if left else 5,
        font={"size": 12, "color": colour("ink")}, bgcolor=faint("paper", 0.8),
    )  # fmt: skip
