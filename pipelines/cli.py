"""The `metals` command: thin. It starts the same job as the UI and the schedule, and reads the published file."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from pipelines import catalog, summary, warehouse
from pipelines.errors import MetalsError
from pipelines.settings import PROJECT_ROOT, Settings

app = typer.Typer(
    name="metals",
    help="What drives non-ferrous and precious metals: a dated warehouse of drivers, divergences and claims.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console()
errors = Console(stderr=True)

EXIT_PUBLISHED = 0
EXIT_NOT_PUBLISHED = 1
EXIT_USAGE = 2
UI_ADDRESS = "http://127.0.0.1:3000"


def _fail(text: str, code: int) -> typer.Exit:
    errors.print(f"[bold red]error[/] {escape(text)}")
    return typer.Exit(code)


def _home(settings: Settings) -> None:
    """Dagster's state lives under the project, unless the user put it elsewhere."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT / "dagster_home")))
    home.mkdir(parents=True, exist_ok=True)
    # What a run intends (an event for each asset and check) is logged as one transaction.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")


@app.command()
def run(
    only: Annotated[
        list[str] | None, typer.Option(help="Ask and load only this publisher (repeatable); models are always built.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Build what was known by the end of this day, into warehouse/as_of/. Asks no publisher.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option(help="Ask no publisher; use what has landed and what is bundled.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run the daily job once: ask who is due, load, build, check, publish.

    Exit code 0 when a warehouse was published (also when publishers could not be reached), 1 when it was not, 2 for a
    wrong call.
    """
    settings = Settings(offline=True) if offline else Settings()
    _home(settings)
    _log_to_console(quiet=as_json)
    started = time.monotonic()
    try:
        tracked = catalog.load(settings.catalog_dir)
        unknown = sorted(set(only or []) - set(tracked.sources))
        if unknown:
            raise _fail(f"unknown publisher {', '.join(unknown)}; known are {', '.join(tracked.sources)}", EXIT_USAGE)
        if as_of is not None:
            settings = settings.model_copy(update={"as_of": as_of.date(), "offline": True})
        before = summary.rows_by_source(settings)
        succeeded, outcomes = _execute(settings, only)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    except (OSError, sqlite3.OperationalError) as error:  # a read-only or full disk, before any step could say so
        raise _fail(f"nothing could be written: {error}; {_state(settings)}", EXIT_NOT_PUBLISHED) from None
    if not succeeded:
        said = f"not published: see the messages above, or the run in the UI; {_state(settings)}"
        raise _fail(said, EXIT_NOT_PUBLISHED)
    if as_json:
        console.print_json(json.dumps(summary.as_dict(settings, outcomes, before), default=str))
        return
    summary.show(console, settings, outcomes, before)
    console.print(f"\npublished {_short(settings.published_path)} in {time.monotonic() - started:.0f} s")
    if as_of is None:
        summary.show_next_steps(console, settings)


def _state(settings: Settings) -> str:
    exists = settings.published_path.exists()
    return "the last published file is as it was" if exists else "nothing was published yet"


def _execute(settings: Settings, only: list[str] | None) -> tuple[bool, dict[str, list[str]]]:
    """Execute the daily job in this process. Returns success and, per publisher, what came of each request."""
    # Imported here: Dagster and dbt take seconds to import, and `metals sql` needs neither.
    console.print("[dim]starting[/]", highlight=False) if console.is_terminal else None
    from dagster import AssetKey, DagsterInstance  # noqa: PLC0415

    from pipelines.assets import landed, raw  # noqa: PLC0415
    from pipelines.automation import DAILY  # noqa: PLC0415
    from pipelines.definitions import assemble  # noqa: PLC0415

    warehouse.prepare(settings)
    definitions = assemble(settings)
    job = definitions.resolve_job_def(DAILY)
    selection: list[AssetKey] | None = None
    if only:
        tracked = catalog.load(settings.catalog_dir)
        left_out = {
            key
            for source in tracked.sources.values()
            if source.id not in only
            for key in (landed.key(source.id), raw.key(source.id))
        }
        selection = [k for k in job.asset_layer.executable_asset_keys if k not in left_out]
    with DagsterInstance.get() as instance, warehouse.exclusive(settings):
        result = job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            raise_on_error=False,
            run_config={
                "resources": {
                    "metals": {
                        "config": {
                            "as_of": settings.as_of.isoformat() if settings.as_of else "",
                            "offline": settings.offline,
                        }
                    }
                },
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            tags={"metals/started_by": "cli"},
        )
        outcomes: dict[str, list[str]] = {}
        for event in result.get_asset_materialization_events():
            key = event.asset_key
            if key is not None and key.path[0] == "landing":
                text = event.materialization.metadata["outcomes"].value
                outcomes[key.path[1]] = str(text).split(", ")
        for failure in (e for e in result.all_events if e.is_step_failure):
            data = failure.step_failure_data
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            reason = data.user_failure_data.description if data.user_failure_data else None
            message = reason or (error.message if error is not None else failure.message)
            errors.print(f"[bold red]{escape(failure.step_key or '')}[/] {escape(str(message).strip())}")
            for name, value in (data.user_failure_data.metadata if data.user_failure_data else {}).items():
                errors.print(f"  [bold]{escape(name)}[/] {escape(str(value.value).strip())}")
        return result.success, outcomes


def _log_to_console(*, quiet: bool) -> None:
    handler = RichHandler(console=errors, show_path=False, show_level=False, markup=False, log_time_format="%H:%M:%S")
    logger = logging.getLogger("metals")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Show the published warehouse at a glance: publishers, drivers, claims, failed checks."""
    settings = _published()
    if as_json:
        console.print_json(json.dumps(summary.as_dict(settings, {}), default=str))
    else:
        summary.show(console, settings, {})


@app.command()
def doctor() -> None:
    """Say what works and what does not: settings, disk, catalogue, publishers, published file."""
    settings = Settings()
    table = Table(show_header=False, box=None, pad_edge=False)
    problems = 0
    for name, good, said in summary.diagnose(settings):
        problems += not good
        table.add_row("[green]ok[/]" if good else "[yellow]see[/]", name, escape(said))
    console.print(table)
    console.print(summary.sources_table(settings))
    console.print(f"{problems} point(s) to look at" if problems else "nothing to mend")


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="A query; without it, lines are read from the terminal.")] = None,
    rows: Annotated[int, typer.Option(help="Most rows to show.")] = 40,
) -> None:
    """Ask the published file, read-only."""
    settings = _published()
    with warehouse.reader(settings) as connection:
        if query is not None:
            _answer(connection, query, rows)
            return
        console.print(f"{_short(settings.published_path)}, read-only. One query a line; an empty line ends.")
        while line := _prompt():
            _answer(connection, line, rows, stay=True)


def _prompt() -> str:
    try:
        return input("metals> ").strip()
    except EOFError:
        return ""


def _answer(connection: duckdb.DuckDBPyConnection, query: str, rows: int, *, stay: bool = False) -> None:
    try:
        frame = warehouse.query(connection, query)
    except duckdb.Error as error:
        if stay:
            errors.print(escape(str(error)))
            return
        raise _fail(str(error), EXIT_USAGE) from None
    table = Table()
    for name in frame.columns:
        table.add_column(escape(name), no_wrap=True, overflow="ellipsis", max_width=60)
    for row in frame.head(rows).iter_rows():
        table.add_row(*(_shown(v) for v in row))
    console.print(table)
    if frame.height > rows:
        console.print(f"{rows} of {frame.height} rows shown (--rows)")


def _shown(value: Any) -> str:
    return escape(f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value))


@app.command()
def explain(
    table: Annotated[str, typer.Argument(help="A published table, e.g. driver_ai_capex.")],
    key: Annotated[str, typer.Argument(help="Key of a row, its parts in the table's order, e.g. 'MSFT 2026 4'.")],
) -> None:
    """Show which payloads (and, for filings, accession numbers) stand behind a published row."""
    settings = _published()
    with warehouse.reader(settings) as connection:
        found = summary.explain(connection, table, key)
    if not found:
        raise _fail(f"no row of {table} has the key {key!r}; see row_key in the table lineage", EXIT_USAGE)
    for line in found:
        console.print(line)


@app.command()
def history(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], help="First month whose verdicts are wanted, as 2008-01.")
    ],
) -> None:
    """Compute the verdicts of past month ends, a second or two each, and publish them.

    What has been computed stays as long as neither the rules nor what was known by then changes.
    """
    settings = Settings()
    _home(settings)
    _log_to_console(quiet=False)
    if not settings.build_path.exists():
        raise _fail("there is no build yet; run `metals run`", EXIT_NOT_PUBLISHED)
    from pipelines import history as past  # noqa: PLC0415
    from pipelines.assets import published  # noqa: PLC0415

    as_of = settings.as_of_date()
    months = 12 * (as_of.year - since.year) + as_of.month - since.month + 1
    if months < 1:
        raise _fail(f"{since:%Y-%m} lies in the future", EXIT_USAGE)
    try:
        with warehouse.exclusive(settings):
            filled = past.fill(settings, months)
            published.publish(settings)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    said = f"{filled.computed} month ends computed, {filled.kept} kept, {len(filled.failed)} not to be had"
    console.print(f"{said}; see the table claim_verdict_history")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000) -> None:
    """Start the Dagster UI and the schedule, on this machine only."""
    settings = Settings()
    _home(settings)
    dagster = Path(sys.executable).with_name("dagster")
    arguments = [str(dagster), "dev", "-w", str(PROJECT_ROOT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    raise typer.Exit(subprocess.call(arguments, cwd=PROJECT_ROOT))  # noqa: S603 - fixed program, no shell


def _published() -> Settings:
    settings = Settings()
    if not settings.published_path.exists():
        raise _fail(f"{_short(settings.published_path)} is not there yet; run `metals run`", EXIT_NOT_PUBLISHED)
    return settings


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    app()
