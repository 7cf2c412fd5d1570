"""Output of a run: bars on a terminal, log lines elsewhere; and the summary at a given width."""

from __future__ import annotations

import io
import logging
import re

import pytest
from rich.console import Console
from typer.testing import CliRunner

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
