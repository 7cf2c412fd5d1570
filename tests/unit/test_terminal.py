"""Output of a run: bars on a terminal, log lines elsewhere; and the summary at a given width."""

from __future__ import annotations

import io
import logging
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pipelines import view
from pipelines.cli import app
from pipelines.reporting import progress, status

LONG = "a_publisher: " + "reached after a long while " * 8


def _terminal(width: int = 80) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=True, width=width, color_system=None), out


def _say() -> None:
    log = logging.getLogger("metals.landing")
    log.debug("[source=a row=1] the first request failed")
    log.debug("1 of 2 publishers asked", extra={"stage": "ask", "done": 1, "total": 2, "finished": "a"})
    log.info(LONG)
    log.warning("b: could not be reached (Connection refused)")


def test_a_line_of_a_log_is_never_folded_and_debug_lines_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    with progress.watching(Console(file=out, width=80), {}, verbose=False, quiet=False):
        _say()
    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines] == [
        LONG,
        "b: could not be reached (Connection refused)",
    ]
    assert out.getvalue() == ""


def test_verbose_adds_each_request_and_quiet_leaves_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watching(Console(file=io.StringIO()), {}, verbose=True, quiet=False):
        _say()
    said = capsys.readouterr().err
    assert "the first request failed" in said
    assert "publishers asked" not in said, "a step of a bar is no line"
    with progress.watching(Console(file=io.StringIO()), {}, verbose=False, quiet=True):
        _say()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_terminal_shows_bars_and_keeps_the_warnings_above(capsys: pytest.CaptureFixture[str]) -> None:
    console, out = _terminal()
    with progress.watching(console, {"load": 3}, verbose=False, quiet=False):
        _say()
        log = logging.getLogger("metals.raw")
        for source in ("a", "b"):
            log.debug("%s: loaded", source, extra={"stage": "load"})
    shown = out.getvalue()
    assert "asking publishers" in shown
    assert "1/2" in shown
    assert re.search(r"loading\s.*2/3", shown), shown
    assert "b: could not be reached (Connection refused)" in shown
    assert "first request" not in shown
    assert "b: loaded (0 s)" in shown, "the newest step is named below the bars"
    assert capsys.readouterr().err == ""


def test_the_publishers_still_being_asked_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    console, out = _terminal(120)
    with progress.watching(console, {}, verbose=False, quiet=False):
        log = logging.getLogger("metals.landing")
        for source, far in (("fred", "3/15"), ("sec_edgar", "12/32")):
            log.debug("asking", extra={"item": source, "of_item": far})
        log.debug("asked", extra={"stage": "ask", "done": 1, "total": 2, "finished": "fred"})
    assert "waiting for sec_edgar 12/32" in out.getvalue()


def test_the_logger_is_left_as_it_was() -> None:
    logger = logging.getLogger("metals")
    before = (list(logger.handlers), logger.level, logger.propagate)
    with progress.watching(Console(file=io.StringIO()), {}, verbose=True, quiet=False):
        pass
    assert (logger.handlers, logger.level, logger.propagate) == before


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as the console can tell
    console, _ = progress.consoles()
    with console.capture() as captured:
        console.print("[bold red]error[/] told")
    assert "\x1b[31" not in captured.get()
    assert "\x1b[1;31" not in captured.get()
    assert "error told" in re.sub(r"\x1b\[[0-9;]*m", "", captured.get())


def test_output_that_is_no_terminal_is_not_held_to_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert [console.width for console in progress.consoles()] == [progress.COLUMNS_OF_A_FILE] * 2
    monkeypatch.setenv("COLUMNS", "100")
    assert [console.width for console in progress.consoles()] == [100, 100]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("metals run --only worldb", ["worldbank_indicators", "worldbank_pink_sheet"]),
        ("metals series add fiscal", ["fiscal_data"]),
        ("metals exp", ["explain", "export"]),
    ],
)
def test_the_shell_is_told_what_may_follow(words: str, offered: list[str]) -> None:
    run = CliRunner().invoke(
        app,
        [],
        prog_name="metals",
        env={
            "_METALS_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
    )
    assert sorted(run.stdout.split()) == offered


@pytest.mark.parametrize(
    ("outcomes", "judged", "said"),
    [
        ({"blocked": 3, "not_tried": 4}, {}, "kept (blocked by the publisher)"),
        ({"failed": 1, "not_tried": 4}, {}, "kept (not reached)"),
        ({"fresh": 1, "blocked": 1}, {}, "fresh, part blocked"),
        ({"unchanged": 1, "failed": 1, "blocked": 1}, {}, "unchanged, part failed, part blocked"),
        ({"absent": 2}, {}, "kept"),
        ({"fresh": 2}, {"fresh": 0, "taken": 0, "refused": 2}, "kept (refused by contract)"),
        ({"unchanged": 1}, {"fresh": 0, "taken": 0, "refused": 1}, "kept (refused by contract)"),
        ({"fresh": 1, "unchanged": 1}, {"fresh": 0, "refused": 1}, "unchanged, part refused"),
        ({"fresh": 2}, {"refused": 1}, "fresh, part refused"),
        ({"fresh": 2}, {"fresh": 0, "taken": 0, "waiting": 2}, "kept (not read in time)"),
        ({"not_due": 1}, {"fresh": 0, "refused": 1}, "kept (refused by contract)"),
    ],
)
def test_the_summary_tells_a_block_from_a_fault_and_a_refusal_from_news(
    outcomes: dict[str, int], judged: dict[str, int], said: str
) -> None:
    counts = {"fresh": 1, "taken": 1, "refused": 0, "waiting": 0} | judged
    source = {"last_outcome": None, "rows": 7, "ever_answered": True}
    assert status.retrieval_outcome(outcomes, source | {f"requests_{k}": n for k, n in counts.items()}) == said


# A synthetic summary: fourteen claims, long sentences, every publisher bundled.
CLAIMS = [
    {
        "claim_id": f"{letter}{n}", "name": "volatility", "title": "Macro drives metals volatility",
        "verdict": "undetermined", "decisive_supporting": 3,
        "last_verdict": "contradicted", "last_verdict_on": date(2026, 10, 31),
        "decisive_contradicting": 12, "decisive_indicators": 17, "because": "Because of many things. " * 9 + "The end.",
    }
    for letter, most in (("C", 7), ("D", 4), ("S", 3))
    for n in range(most)
]  # fmt: skip
SENTENCE = "Jun 2026: synthetic palladium +12.6 % to synthetic silver -14.5 % on the month, 2 of 9 up; copper +37.8 %"
DEAD = "[source=a row=b] a.example.org could not be reached (ConnectionRefusedError: [Errno 111] Connection refused)"


def _source(name: str, **more: Any) -> dict[str, Any]:
    return {
        "source_id": name, "rows": 1_234, "how": "bundled (not reached)", "last_period_end": date(2026, 9, 30),
        "age_days": 61, "rows_added": 1_234, "rows_quarantined": 0, "last_outcome": "failed", "last_fault": DEAD,
        "requests_refused": 0, "requests_waiting": 0, **more,
    }  # fmt: skip


def _content(sources: list[dict[str, Any]], outcomes: dict[str, dict[str, int]], **more: Any) -> dict[str, Any]:
    return {
        "as_of": date(2026, 11, 30), "held_back": None,
        "messages": [], "sources": sources, "reach": status.reach(sources, outcomes),
        "view": dict.fromkeys(("moved", "drives", "changed"), SENTENCE), "claims": CLAIMS, "divergence_changes": [],
        "drivers": [{"driver": "driver_x", "figure": "capex_usd", "label": "2026Q2", "value": 151.4e9}],
        "failed_checks": [
            {"check_name": f"check_{n}", "is_blocking": n == 8, "said": "78 series are older than their limit",
             "examples": [f"example_{k}" for k in range(9)]}
            for n in range(9)
        ],
        **more,
    }  # fmt: skip


def _printed(content: dict[str, Any], width: int, *, terminal: bool = True, verbose: bool = False) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None if terminal else "auto")
    status.print_summary(console, content, with_added=False, verbose=verbose)
    return [line.rstrip() for line in out.getvalue().splitlines()]


SOURCES = [_source(f"publisher_{n:02}") for n in range(23)]
LINES_AFTER = 8  # of `metals run`: published, brief, next steps
UNREACHED = {s["source_id"]: {"failed": 1, "not_tried": 7} for s in SOURCES}


def test_the_summary_fits_one_screen_and_names_no_list() -> None:
    lines = _printed(_content(SOURCES, UNREACHED), 80)
    assert len(lines) + LINES_AFTER <= 40, "\n".join(lines)
    text = "\n".join(lines)
    for folded in ("publisher_07", "driver_x", "example_1", "Because of", "check_7"):
        assert folded not in text
    assert text.count("undetermined, was contradicted") == len(CLAIMS), "the last that could be given"
    assert "check check_8 failed (blocks): 78" in text, "a blocking check comes first"
    assert "check check_0 failed (does not block): 78" in text
    assert "and 7 more failed checks (metals status -v)" in text
    verbose = " ".join(_printed(_content(SOURCES, UNREACHED), 80, verbose=True))
    assert verbose.count("2026-10-31.") == len(CLAIMS), "with its day"
    for unfolded in ("publisher_07", "driver_x", "example_1", "The end.", "check_7"):
        assert unfolded in verbose


@pytest.mark.parametrize("verbose", [False, True])
def test_no_width_and_no_pipe_loses_a_word_or_a_digit(verbose: bool) -> None:
    content = _content(SOURCES, UNREACHED)
    whole = _printed(content, 140, terminal=False, verbose=verbose)
    assert SENTENCE in "\n".join(whole), "one line in a pipe"
    assert not any("\x1b" in line or "…" in line for line in whole)
    for width in (60, 80, 120):
        lines = _printed(content, width, verbose=verbose)
        assert max(map(len, lines)) <= width
        for printed in (lines, _printed(content, width, terminal=False, verbose=verbose)):
            assert _signs(printed) == _signs(whole), width


def _signs(lines: list[str]) -> list[str]:
    """Every character but rules and blanks: a narrow table folds its cells."""
    return sorted("".join(lines).replace("─", "").replace(" ", ""))


def test_a_run_that_reached_nobody_says_so_in_one_line() -> None:
    lines = _printed(_content(SOURCES, UNREACHED), 140, terminal=False)
    assert [line for line in lines if "reached" in line] == [
        "No publisher was reached (23 tried: Connection refused); the bundled figures end on 2026-09-30."
    ]
    offline = {name: {"offline": 8} for name in UNREACHED}
    lines = _printed(_content([s | {"how": "bundled (offline)"} for s in SOURCES], offline), 140, terminal=False)
    assert lines[1] == "No publisher was asked (offline): the bundled figures end on 2026-09-30."
    nothing = [_source("a", rows=0, how="nothing yet (not reached)", last_period_end=None), _source("b", rows=0)]
    lines = _printed(_content(nothing, {"a": {"failed": 1}, "b": {"failed": 1}}), 140, terminal=False)
    assert lines[:2] == [
        "Known as of 2026-11-30: no figure of 2 publishers",
        "No publisher was reached (2 tried: Connection refused); there are no figures of before.",
    ]


def test_a_publisher_that_fails_among_healthy_ones_is_named_with_its_reason() -> None:
    fresh = [_source(f"healthy_{n}", how="fresh", last_fault=None) for n in range(22)]
    outcomes = {s["source_id"]: {"fresh": 3} for s in fresh}
    lines = _printed(_content([*fresh, _source("a")], outcomes | {"a": {"failed": 1}}), 140, terminal=False)
    assert lines[1] == "a: bundled (not reached): a.example.org could not be reached (Connection refused)"
    assert lines[2] == ""
    broken = _source("a", how="kept (failed)", last_fault="[source=a row=b] is HTML where CSV was expected")
    lines = _printed(_content([broken, _source("b")], {"a": {"failed": 1}, "b": {"failed": 1}}), 140, terminal=False)
    assert lines[1:3] == [
        "a: kept (failed): is HTML where CSV was expected",  # it answered: there is a network
        "b: bundled (not reached): a.example.org could not be reached (Connection refused)",
    ]
    refused = _source("a", how="kept (refused by contract)", last_fault=DEAD, requests_refused=1)
    lines = _printed(_content([*fresh, refused], outcomes | {"a": {"fresh": 1}}), 140, terminal=False)
    assert lines[1:3] == ["a: kept (refused by contract)", ""], "an error of an earlier run is not this one's"
    many = [_source(f"dead_{n}") for n in range(7)]
    outcomes |= {s["source_id"]: {"failed": 1} for s in many}
    lines = _printed(_content([*fresh, *many], outcomes), 140, terminal=False)
    assert [line.partition(":")[0] for line in lines[1:5]] == ["dead_0", "dead_1", "dead_2", "dead_3"]
    assert lines[5] == "and 3 more publishers with a fault (metals status -v)"


JUNE = date(2026, 6, 1)
ROWS: dict[str, dict[str, Any]] = {
    "moved": {
        "month": JUNE, "metals_known": 3, "metals_up": 2, "riser": "tin", "riser_return_pct": 8.24, "faller": "gold",
        "faller_return_pct": -2.0, "copper_12m_return_pct": -3.0,
        "copper_usd_per_tonne": 13_551.6, "copper_return_pct": 0.12, "gold_usd_per_troy_ounce": 4_228.0,
        "gold_return_pct": -2.0, "months_late": 4,
    },
    "drives": {
        "month": JUNE, "most": "silver, zinc", "most_zscore": 1.2, "most_group": "AI", "most_group_zscore": 0.9,
        "least": "tin", "least_zscore": -0.4, "least_group": "fiscal", "least_group_zscore": -0.6,
        "copper_zscore": 0.3, "gold_zscore": -0.1, "figures_from_month": date(2026, 4, 1), "figures_to_month": JUNE,
    },
    "changed": {
        "is_first": False, "since": datetime(2026, 6, 30, 22, 5, tzinfo=UTC), "flips": "C4 no data to mixed",
        "divergences_changed": 1, "figures_new": 1_200, "figures_revised": 3, "publishers": 2,
    },
}  # fmt: skip


def _view(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    answers = {view.query(name): [rows[name]] if name in rows else [] for name in view.NAMES}
    return view.as_text(answers.__getitem__)


def test_the_view_is_three_sentences_from_the_figures() -> None:
    assert _view(ROWS) == {
        "moved": "The newest monthly prices are 4 months behind. 2 of 3 metals rose in Jun 2026, from tin +8.2 % to "
        "gold -2.0 %; copper averaged 13,552 USD/t (+0.1 %, -3.0 % on the year), gold 4,228 USD/oz (-2.0 %).",
        "drives": "Composites of drivers, in standard deviations, from figures of Apr 2026 to Jun 2026: highest for "
        "silver, zinc (one composite, +1.20, mainly AI +0.90), lowest for tin (-0.40, mainly fiscal -0.60); "
        "copper +0.30, gold near zero at -0.10.",
        "changed": "Since 2026-06-30 22:05 UTC: C4 no data to mixed; 1 divergence changed state; "
        "1,200 figures new, 3 revised.",
    }
    calm = ROWS["changed"] | {"flips": None, "divergences_changed": 0}
    assert "no verdict flipped; 0 divergences changed state" in _view({"changed": calm})["changed"]
    quiet = calm | {"figures_new": 0, "figures_revised": 0}
    assert (
        _view({"changed": quiet})["changed"]
        == "No verdict, divergence or figure has changed since 2026-06-30 22:05 UTC."
    )
    first = _view({"changed": ROWS["changed"] | {"is_first": True, "publishers": 14}})
    assert "first publication: 1,200 figures of 14 publishers" in first["changed"]
    assert _view({}) == {
        "moved": "No metal has a monthly price of two months in a row.",
        "drives": "No metal has a composite of its drivers.",
        "changed": "This file was not compared with a publication before it.",
    }


def test_a_message_that_did_not_arrive_is_said_and_one_that_did_on_demand() -> None:
    content = _content([_source("healthy", how="fresh", last_fault=None)], {"healthy": {"fresh": 3}})
    for outcome, shown in (("not_taken", [True, True]), ("unconfirmed", [True, True]), ("delivered", [False, True])):
        sent = {
            "channel": "mail",
            "at": datetime(2026, 8, 1, tzinfo=UTC),
            "outcome": outcome,
            "said": f"Mail: {outcome}.",
        }
        lines = [_printed(content | {"messages": [sent]}, 140, terminal=False, verbose=v) for v in (False, True)]
        assert [any(f"Mail: {outcome}. 2026-08-01 00:00 UTC" in line for line in found) for found in lines] == shown
