"""Progress of a run: bars by stage and publisher on a terminal, log lines elsewhere.

Driven by the records of the logger `metals`, which may carry `stage`, `done`, `total` and `item` as extras. Decides
nothing and reads no table.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from pipelines import text

# In the order of a run; a stage that is skipped is not shown.
STAGES = {
    "ask": "asking publishers",
    "load": "loading",
    "models": "models and tests",
    "history": "verdicts of past months",
}
# Width of tables, in characters, where the output is a file or a pipe and COLUMNS is not set.
COLUMNS_OF_A_FILE = 140


class _Console(Console):
    """Shows text only: what a terminal would obey is taken out of everything but rich's own styles."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for shown, style, control in super().render(renderable, options):
            yield Segment(shown if control else text.printable(shown, keep=text.SPACES), style, control)


def consoles() -> tuple[Console, Console]:
    """(standard output, standard error), in colour where the terminal and NO_COLOR allow it."""
    found = []
    for stderr in (False, True):
        console = _Console(stderr=stderr, emoji=False)
        if not console.is_terminal and "COLUMNS" not in console._environ:
            console.width = COLUMNS_OF_A_FILE
        found.append(console)
    return found[0], found[1]


@contextlib.contextmanager
def watching(console: Console, totals: Mapping[str, int], *, verbose: bool, quiet: bool) -> Iterator[None]:
    """Show the records of the logger `metals` while the block runs.

    `totals` gives the number of steps of a stage whose records do not. `quiet` shows warnings only, `verbose` adds a
    line for each failed request. Bars are drawn on a terminal that can redraw lines; everywhere else a record is one
    line, never wrapped, that starts with the time.
    """
    logger = logging.getLogger("metals")
    before = logger.handlers, logger.level, logger.propagate
    lowest = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    handler: logging.Handler
    if console.is_terminal and not console.is_dumb_terminal and not quiet:
        handler = _Bars(console, totals, lowest)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
        handler.setLevel(lowest)
        handler.addFilter(_is_a_line)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    try:
        with handler if isinstance(handler, _Bars) else contextlib.nullcontext():
            yield
    finally:
        logger.handlers, logger.propagate = before[0], before[2]
        logger.setLevel(before[1])


def _is_a_line(record: logging.LogRecord) -> bool:
    """Whether a record is shown as a line; a step that only advances a bar never is, not even with `verbose`."""
    return record.levelno > logging.DEBUG or not (hasattr(record, "stage") or hasattr(record, "item"))


class _Bars(logging.Handler):
    """A bar per stage, below it the publishers still being fetched, above it the log lines."""

    def __init__(self, console: Console, totals: Mapping[str, int], lowest: int) -> None:
        super().__init__(logging.DEBUG)
        self._console, self._totals, self._lowest = console, totals, lowest
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}
        self._waiting: dict[str, str] = {}
        self._now, self._since = "starting", time.monotonic()
        self._live = Live(get_renderable=self._drawn, console=console, transient=True, refresh_per_second=8)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._count(record)
            shown = logging.DEBUG if self._lowest == logging.DEBUG else logging.WARNING
            if record.levelno >= shown and _is_a_line(record):
                style = "yellow" if record.levelno >= logging.WARNING else "dim"
                self._console.print(Text(record.getMessage(), style=style))
            elif record.levelno >= logging.INFO or hasattr(record, "stage"):
                self._now, self._since = record.getMessage(), time.monotonic()
        except Exception:  # noqa: BLE001 - as in logging: a line that cannot be shown must not stop a run
            self.handleError(record)

    def _count(self, record: logging.LogRecord) -> None:
        stage, item = getattr(record, "stage", None), getattr(record, "item", None)
        if item is not None:
            self._waiting[item] = getattr(record, "of_item", "")
        if stage is None:
            return
        self._waiting.pop(getattr(record, "finished", ""), None)
        total = getattr(record, "total", self._totals.get(stage))
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGES[stage], total=total)
        done = getattr(record, "done", None)
        if done is None:
            self._progress.advance(self._tasks[stage])
        else:
            self._progress.update(self._tasks[stage], completed=done, total=total)
        if self._progress.finished and stage == "ask":
            self._waiting.clear()

    def _drawn(self) -> Group:
        asked = ", ".join(f"{name} {answered}".strip() for name, answered in list(self._waiting.items()))
        line = f"waiting for {asked}" if asked else f"{self._now} ({time.monotonic() - self._since:.0f} s)"
        return Group(self._progress, Text(line, style="dim", overflow="ellipsis", no_wrap=True))
