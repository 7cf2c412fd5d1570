"""The `metals` command, a thin layer: it starts the same job as the UI and the schedule, and reads the published file.

Exit codes: 0 success, 1 failure (nothing published, or a problem to fix), 2 wrong usage, 130 after Ctrl-C. Results go
to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
import typer.core
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from pipelines import catalog, sources, text, warehouse
from pipelines.authoring import overlay
from pipelines.errors import InvalidQuery, MetalsError, SettingsError
from pipelines.reporting import explain, export, progress, questions, rows, status
from pipelines.settings import FIRST_AS_OF_DAY, PROJECT_ROOT, Settings, in_project, variable


class _Commands(typer.core.TyperGroup):
    """Reports an error in one sentence where no command says more about it: a wrong setting, an unreadable file."""

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except MetalsError as error:
            raise _fail(str(error), EXIT_USAGE if isinstance(error, SettingsError) else EXIT_NOT_PUBLISHED) from None


app = typer.Typer(
    name="metals",
    cls=_Commands,
    help="What drives non-ferrous and precious metals: a bitemporal warehouse of drivers, divergences and claims.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
series_app = typer.Typer(name="series", help="Manage the tracked series.", no_args_is_help=True)
app.add_typer(series_app)
console, errors = progress.consoles()

log = text.logger("metals.cli")

EXIT_PUBLISHED = 0
EXIT_NOT_PUBLISHED = 1
EXIT_USAGE = 2


def _fail(text: str, code: int) -> typer.Exit:
    errors.print(f"[bold red]error[/] {escape(text)}", soft_wrap=True, highlight=False)
    return typer.Exit(code)


def _tracked(settings: Settings) -> catalog.Catalog:
    return catalog.load(settings.catalog_dir, settings.overlay_dir)


def _publishers(typed: str) -> list[str]:
    """For completion of a publisher's name."""
    try:
        return sorted(s for s in _tracked(Settings()).sources if s.startswith(typed))
    except MetalsError:
        return []


def _tables(typed: str) -> list[str]:
    """For completion of a published table's name."""
    settings = Settings()
    if not settings.published_path.exists():
        return []
    try:
        with warehouse.reader(settings) as connection:
            return [name for name in export.tables(connection) if name.startswith(typed)]
    except (duckdb.Error, MetalsError):
        return []


def _metals(typed: str) -> list[str]:
    """For completion of a metal's name."""
    try:
        return sorted(m for m in _tracked(Settings()).metals if m.startswith(typed.lower()))
    except MetalsError:
        return []


def _home(settings: Settings) -> None:
    """Dagster's state is stored in the project, or beside the warehouse if the project is read-only.

    DAGSTER_HOME overrides it; a relative path counts from the project's folder.
    """
    own = PROJECT_ROOT / "dagster_home"
    given = variable("DAGSTER_HOME")
    default = own if os.access(own, os.W_OK) else settings.warehouse_dir / "dagster_home"
    try:
        home = in_project(Path(given)) if given else default
    except ValueError as error:
        raise SettingsError(f"DAGSTER_HOME: {error}") from None
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    # A run's planned events (one per asset and check) are logged in one transaction.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")


@app.command()
def run(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Fetch and load only this publisher (repeatable); models are always built.", autocompletion=_publishers
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Build what was known by the end of this day, into warehouse/as_of/. Fetches nothing.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option(help="Fetch nothing; use landed responses and bundled figures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the summary, as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show each failed request, and publishers, drivers and reasons.")
    ] = False,
) -> None:
    """Run the daily job once: fetch what is due, load, build, check, publish. With --as-of, build a past day instead.

    Exit code 0 if a warehouse was published, even if publishers could not be reached (their last good figures stay),
    1 if not (the last published file stays), 2 for wrong usage.
    """
    settings = Settings(offline=True) if offline else Settings()
    _home(settings)
    started = time.monotonic()
    try:
        tracked = _tracked(settings)
        unknown = sorted(set(only or []) - set(tracked.sources))
        if unknown:
            raise _fail(f"unknown publisher {', '.join(unknown)}; known are {', '.join(tracked.sources)}", EXIT_USAGE)
        if as_of is not None:
            settings = settings.model_copy(update={"as_of": as_of.date()})
        if settings.as_of is not None and not FIRST_AS_OF_DAY <= settings.as_of <= settings.clock().date():
            raise _fail(f"--as-of takes a day from {FIRST_AS_OF_DAY} to today, not {settings.as_of}", EXIT_USAGE)
        if settings.as_of is not None and only:
            raise _fail("--only names publishers to fetch, and --as-of fetches nothing: use one of them", EXIT_USAGE)
        before = status.rows_by_source(settings)
        with progress.watching(errors, {"load": len(only or tracked.sources)}, verbose=verbose, quiet=as_json):
            has_published, failures, outcomes = _execute(settings, only)
    except (MetalsError, OSError, sqlite3.OperationalError) as error:
        # The latter two: a read-only folder or a full disk, before any step could report it.
        said = str(error) if isinstance(error, MetalsError) else f"nothing could be written: {error}"
        if as_json:
            _print_json({"published": None, "failures": [said]})
        raise _fail(f"{said}; {_state(settings)}", EXIT_NOT_PUBLISHED) from None
    if as_json and not has_published:
        _print_json({"published": None, "failures": failures})
    for failure in failures:
        errors.print(escape(failure), soft_wrap=True, highlight=False)
    if not has_published:
        said = f"not published: see the messages above, or the run in the UI; {_state(settings)}"
        raise _fail(said, EXIT_NOT_PUBLISHED)
    if as_json:
        _print_json(status.as_dict(settings, outcomes, before))
        return
    status.show(console, settings, outcomes, before, verbose=verbose)
    console.print(
        f"\npublished {_short(settings.published_path)} in {time.monotonic() - started:.0f} s", highlight=False
    )
    console.print(_brief(settings), highlight=False)
    if settings.as_of is None:
        status.show_next_steps(console, settings)


def _state(settings: Settings) -> str:
    exists = settings.published_path.exists()
    return "the last published file is unchanged" if exists else "nothing has been published yet"


def _print_json(content: dict[str, Any]) -> None:
    console.print_json(rows.as_json(content))


def _execute(settings: Settings, only: list[str] | None) -> tuple[bool, list[str], dict[str, dict[str, int]]]:
    # Imported here: Dagster takes a second to import, and `metals sql` does not need it.
    log.info("starting Dagster")
    from pipelines.definitions import assemble  # noqa: PLC0415
    from pipelines.orchestration import daily_run  # noqa: PLC0415

    warehouse.prepare(settings)
    log.info("planning the run")
    return daily_run.execute(assemble(settings), settings, only)


@app.command("status")
def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every publisher, driver, reason and failed check in full.")
    ] = False,
) -> None:
    """Summarise the published warehouse on one screen: its day, what moved and drives it, claims, failed checks."""
    settings = _published()
    if as_json:
        _print_json(status.as_dict(settings, {}))
    else:
        status.show(console, settings, {}, verbose=verbose)
        console.print(_brief(settings), highlight=False)


@app.command("doctor")
def doctor_command(
    publishers: Annotated[
        list[str] | None,
        typer.Argument(help="With --live: only these.", metavar="[PUBLISHER...]", autocompletion=_publishers),
    ] = None,
    live: Annotated[
        bool, typer.Option(help="Ask each publisher one small request, and compare the answer with what is expected.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="With --live: also write the results here as JSON, without keys, contact and addresses."),
    ] = None,
) -> None:
    """Check settings, disk, catalogue, publishers and the published file; with --live, the publishers' answers.

    Exit code 1 if there is a problem; a publisher that cannot be reached now does not count as one. With --live, exit
    code 1 if a publisher that was asked is in another state than good or changed. A live check lands and publishes
    nothing.
    """
    settings = Settings()
    if live:
        _live(publishers or [], report, settings)
        return
    if publishers or report:
        raise _fail("PUBLISHER and --report go with --live", EXIT_USAGE)
    from pipelines.reporting import doctor  # noqa: PLC0415

    table = Table(show_header=False, box=None, pad_edge=False)
    problems = 0
    for name, good, said in doctor.diagnose(settings):
        problems += not good
        table.add_row("[green]ok[/]" if good else "[yellow]see[/]", name, escape(said))
    console.print(table)
    console.print(doctor.sources_table(settings))
    console.print(f"{problems} problem(s) found" if problems else "no problems found")
    if problems:
        raise typer.Exit(1)


def _live(publishers: list[str], target: Path | None, settings: Settings) -> None:
    try:
        tracked = _tracked(settings)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    unknown = sorted(set(publishers) - set(tracked.sources))
    if unknown:
        raise _fail(f"unknown publisher {', '.join(unknown)}; known are {', '.join(tracked.sources)}", EXIT_USAGE)
    if target is not None and not target.absolute().parent.is_dir():
        raise _fail(f"there is no folder {target.absolute().parent}", EXIT_USAGE)
    from pipelines.ingest import live as live_check  # noqa: PLC0415
    from pipelines.reporting import live as live_report  # noqa: PLC0415

    chosen = [s for s in tracked.sources.values() if s.id in publishers or not publishers]
    checks = live_check.check(chosen, sources.modules(tracked), tracked, settings)
    console.print(live_report.table(checks, tracked))
    console.print(live_report.tally(checks), highlight=False)
    if target is not None:
        try:
            with warehouse.replacing(target) as part:
                part.write_text(live_report.report(checks, tracked, settings), encoding="utf-8")
        except OSError as error:
            raise _fail(f"{target} could not be written: {error.strerror}", EXIT_NOT_PUBLISHED) from None
        console.print(f"report in {target}, without keys, contact and addresses: read it before you send it")
    if not all(c.sound for c in checks):
        raise typer.Exit(1)


_Unrestricted = Annotated[
    bool,
    typer.Option(
        "--unrestricted", help="Let the query also read and write files, attach databases and load extensions."
    ),
]


@app.command()
def sql(
    query: Annotated[
        str | None,
        typer.Argument(help="Queries or a .sql file; without it, queries are read from the terminal."),
    ] = None,
    form: Annotated[
        rows.Format,
        typer.Option("--format", help="How rows are written; auto: a table, or one row a block if too wide."),
    ] = rows.Format.AUTO,
    limit: Annotated[
        int | None,
        typer.Option(
            "--rows", help="Maximum number of rows to show. By default 40 on a terminal, all elsewhere.", min=0
        ),
    ] = None,
    unrestricted: _Unrestricted = False,
) -> None:
    """Query the published file, read-only: selects only, without access to other files or the network."""
    settings = _published()
    opened = warehouse.reader(settings) if unrestricted else warehouse.locked_reader(settings)
    with opened as connection:

        def answer(text: str) -> None:
            statements = [text] if unrestricted else warehouse.selects(connection, text)
            for frame in [warehouse.query(connection, statement) for statement in statements]:
                rows.show(console, errors, frame, form, limit)

        if query is not None:
            try:
                answer(_query(query))
            except (duckdb.Error, InvalidQuery) as error:
                raise _fail(_why(error), EXIT_USAGE) from None
            return
        errors.print(
            f"{_short(settings.published_path)}, read-only. A query ends with ; or an empty line, the session too."
        )
        for typed in _typed():
            try:
                answer(typed)
            except (duckdb.Error, InvalidQuery) as error:
                errors.print(escape(_why(error)))


def _query(text: str) -> str:
    """The query: `text` itself, or the content of the .sql file of that name."""
    return Path(text).read_text(encoding="utf-8") if text.endswith(".sql") and Path(text).is_file() else text


def _typed() -> Iterator[str]:
    """Queries from the terminal: each ends with a semicolon or an empty line; an empty query ends the session."""
    typed = ""
    while True:
        try:
            line = input(("   ...> " if typed else "metals> ") if sys.stdin.isatty() else "")
        except EOFError:
            line = ""
        if not line.strip() and not typed:
            return
        typed += f"{line}\n"
        if not line.strip() or _is_whole(typed):
            yield typed
            typed = ""


def _is_whole(typed: str) -> bool:
    """Whether `typed` ends with a semicolon that is not part of a string, a name or a comment."""
    ends = [at for at, kind in duckdb.tokenize(typed) if kind != duckdb.token_type.comment]
    return bool(ends) and typed.encode()[ends[-1]] == ord(";")  # DuckDB counts bytes


def _why(error: duckdb.Error | InvalidQuery) -> str:
    restricted = isinstance(error, (duckdb.PermissionException, InvalidQuery))
    return f"{error}; --unrestricted allows more" if restricted else str(error)


@app.command("export")
def export_command(
    what: Annotated[
        str,
        typer.Argument(help="A published table, a query, or a .sql file.", autocompletion=_tables, metavar="WHAT"),
    ],
    target: Annotated[Path, typer.Argument(help="File to write, ending in .parquet, .csv or .xlsx.", metavar="FILE")],
    unrestricted: _Unrestricted = False,
) -> None:
    """Write a published table or a query's result to a Parquet, CSV or Excel file, atomically."""
    settings = _published()
    if target.suffix not in export.EXPORT_FORMATS:
        raise _fail(f"{target.name} should end in {' or '.join(export.EXPORT_FORMATS)}", EXIT_USAGE)
    if not target.absolute().parent.is_dir():
        raise _fail(f"there is no folder {target.absolute().parent}", EXIT_USAGE)
    part = warehouse.part_of(target)
    opened = warehouse.reader(settings) if unrestricted else warehouse.locked_reader(settings, part)
    with opened as connection:
        try:
            rows, own_use = export.export(connection, _query(what), target)
        except (duckdb.Error, InvalidQuery) as error:
            raise _fail(_why(error), EXIT_USAGE) from None
        except OSError as error:
            raise _fail(f"{target} could not be written: {error.strerror}", EXIT_NOT_PUBLISHED) from None
    console.print(f"{rows:,} rows in {target}", highlight=False)
    if own_use:
        errors.print(
            f"[yellow]personal use only[/]: this warehouse holds data of {escape(', '.join(own_use))} that is licensed "
            "for personal use; see the table sources before you share the file",
            soft_wrap=True,
        )


@app.command("explain")
def explain_command(
    table: Annotated[str, typer.Argument(help="A published table, e.g. driver_ai_capex.", autocompletion=_tables)],
    key: Annotated[
        str, typer.Argument(help="Key of a row, its parts in the table's order, e.g. 'MSFT 2026 4'; without it, keys.")
    ] = "",
) -> None:
    """Show the payloads (and, for filings, accession numbers) behind a published row."""
    settings = _published()
    with warehouse.reader(settings) as connection:
        found = explain.explain(connection, table, key) if key else explain.keys(connection, table)
        if not found:
            offered = explain.keys(connection, table, key)
            if offered:
                raise _fail(f"no row of {table} has the key {key!r}; keys like it: {'; '.join(offered)}", EXIT_USAGE)
            known = ", ".join(explain.tables(connection))
            raise _fail(f"there is no table {table!r} whose rows can be explained; known are {known}", EXIT_USAGE)
    for line in found:
        console.print(line, soft_wrap=True, highlight=False)


@app.command("claims")
def claims_command(
    claim_id: Annotated[str | None, typer.Argument(help="One claim, e.g. C5.", metavar="[CLAIM]")] = None,
) -> None:
    """Show the verdict on each claim, or one claim with its evidence, rule and history."""
    with warehouse.reader(_published()) as connection:
        found = list(questions.claim(connection, claim_id) if claim_id else questions.claims(connection))
        if not found:
            known = ", ".join(
                name for (name,) in connection.execute("select claim_id from claim_verdicts order by 1").fetchall()
            )
            raise _fail(f"there is no claim {claim_id!r}; known are {known}", EXIT_USAGE)
    _print(found)


@app.command("next")
def next_command(
    days: Annotated[int, typer.Option(help="Days ahead.", min=1, max=366)] = 14,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show which releases are expected in the coming days, and which claims and drivers rest on them."""
    with warehouse.reader(_published()) as connection:
        if as_json:
            _print_json(questions.releases(connection, days))
            return
        _print(list(questions.coming(connection, days)))


@app.command("why")
def why_command(metal: Annotated[str, typer.Argument(help="A metal, e.g. copper.", autocompletion=_metals)]) -> None:
    """Show a metal's price, its drivers with what each adds, and what the past attributes to them."""
    with warehouse.reader(_published()) as connection:
        found = list(questions.why(connection, metal.lower()))
        if not found:
            known = ", ".join(
                name for (name,) in connection.execute("select metal_id from metals order by 1").fetchall()
            )
            raise _fail(f"there is no metal {metal!r}; known are {known}", EXIT_USAGE)
    _print(found)


@app.command("what-if")
def what_if_command(
    capex_pct: Annotated[
        float | None, typer.Option(help="Hyperscalers' capital expenditure of the newest four quarters, per cent more.")
    ] = None,
    copper_t_per_mw: Annotated[
        float | None, typer.Option(help="Copper in a data centre, tonnes per megawatt, in every scenario.")
    ] = None,
    aluminium_t_per_mw: Annotated[
        float | None, typer.Option(help="Aluminium in a data centre, tonnes per megawatt, in every scenario.")
    ] = None,
    money_gap_pp: Annotated[
        float | None, typer.Option(help="China's M1-M2 growth gap of the newest month, percentage points more.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show tonnes, composites, the nowcast and the claims as published, and as other inputs would give them.

    The models run in memory; nothing is written. Figures below zero lower an input: --capex-pct -30.
    """
    from pipelines.reporting import what_if  # noqa: PLC0415 - the models' machinery takes a second to import

    options = {
        "capex_pct": capex_pct, "copper_t_per_mw": copper_t_per_mw, "aluminium_t_per_mw": aluminium_t_per_mw,
        "money_gap_pp": money_gap_pp,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    if why := what_if.refusal(given):
        raise _fail(why, EXIT_USAGE)
    compared = what_if.compare(_published(), given)
    if as_json:
        figures = [{"what": c.what, "unit": c.unit, "base": c.base, "scenario": c.scenario} for c in compared]
        _print_json({"inputs_changed": given, "figures": figures})
        return
    _print(list(what_if.show(compared, given)))


def _print(found: list[RenderableType]) -> None:
    for part in found:
        console.print(part, highlight=False)


@app.command("history")
def history_command(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], help="First month to compute verdicts for, e.g. 2008-01.")
    ],
) -> None:
    """Compute the verdicts of past month ends, a second or two each, and publish them.

    Computed verdicts are kept until the rules or the data known by then change.
    """
    settings = Settings()
    _home(settings)
    if not settings.build_path.exists():
        raise _fail("there is no build yet; run `metals run`", EXIT_NOT_PUBLISHED)
    from pipelines import brief  # noqa: PLC0415
    from pipelines.audit import gate  # noqa: PLC0415
    from pipelines.transform import history  # noqa: PLC0415

    as_of = settings.as_of_date()
    months = 12 * (as_of.year - since.year) + as_of.month - since.month + 1
    if months < 1:
        raise _fail(f"{since:%Y-%m} lies in the future", EXIT_USAGE)
    try:
        with progress.watching(errors, {}, verbose=False, quiet=False), warehouse.exclusive(settings):
            filled = history.fill(settings, months)
            gate.publish(settings)
            brief.write(settings)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    said = f"{filled.computed} month ends computed, {filled.kept} kept, {len(filled.failed)} failed"
    console.print(f"{said}; see the table claim_verdict_history")


@app.command("rewind")
def rewind_command(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether the clock is right.")] = False,
) -> None:
    """After the clock was ahead: set aside what was recorded of later times, so that runs fetch and publish again.

    Journal lines and the build are renamed, not deleted. The published file stays until the next run replaces it.
    """
    settings = Settings(as_of=None)
    _home(settings)
    now = settings.clock()
    if not yes and not typer.confirm(f"The clock says {now:%Y-%m-%d %H:%M} UTC. Is that right?", err=True):
        raise _fail("nothing was set aside; set the clock right first", EXIT_NOT_PUBLISHED)
    from pipelines.ingest import rewind as rewinding  # noqa: PLC0415
    from pipelines.orchestration import instance, retention  # noqa: PLC0415

    done = rewinding.rewind(settings)
    with instance.opened() as opened:
        ticks = retention.rewind(opened, now.replace(tzinfo=UTC))
    if done is None and not ticks:
        console.print(f"nothing was recorded of a time after {now:%Y-%m-%d %H:%M} UTC")
        return
    if done is not None:
        lines = ", ".join(f"{n} of {name}" for name, n in done.lines.items()) or "none"
        console.print(f"journal lines set aside: {lines}; the build: {done.build or 'there is none'}", highlight=False)
    console.print(f"ticks of the schedule forgotten: {ticks}; next: metals run", highlight=False)


@series_app.command("add")
def series_add(
    publisher: Annotated[str, typer.Argument(help="Publisher in the catalogue.", autocompletion=_publishers)],
    select: Annotated[
        list[str],
        typer.Option(help="Where to find it in the publisher's response, as NAME=VALUE (repeatable), e.g. id=DGS2."),
    ],
    identity: Annotated[
        str, typer.Option("--id", help="Its id in the catalogue, ending in the unit, e.g. fred_dgs2_pct.")
    ],
    title: Annotated[str, typer.Option(help="Human-readable title.")],
    description: Annotated[str, typer.Option(help="What it measures, in one sentence.")],
    unit: Annotated[str | None, typer.Option(help="Unit as published, e.g. pct or usd_per_tonne.")] = None,
    frequency: Annotated[
        catalog.Frequency | None, typer.Option(help="Frequency of the figures.", case_sensitive=False)
    ] = None,
    plausible: Annotated[
        tuple[float, float] | None, typer.Option(help="Lowest and highest plausible figure, in the unit.")
    ] = None,
    lag: Annotated[int | None, typer.Option(help="Days from the end of a period to its publication.")] = None,
    stale_after: Annotated[int | None, typer.Option(help="Maximum normal age of the newest period, in days.")] = None,
    history: Annotated[
        catalog.History | None, typer.Option(help="Whether published figures are revised.", case_sensitive=False)
    ] = None,
    office: Annotated[str | None, typer.Option(help="Office that produces the figure.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence, if it differs from the file's default.")] = None,
    metal: Annotated[str | None, typer.Option(help="Metal in the catalogue, if the series is about one.")] = None,
    bundle: Annotated[bool, typer.Option(help="Whether its licence allows shipping it with the project.")] = False,
    in_project: Annotated[
        bool, typer.Option("--project", help="Write into the project's own file, to contribute it, not the overlay.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fetch and check, but write nothing.")] = False,
) -> None:
    """Add a series to your overlay, which an upgrade keeps, after checking it against the publisher's response.

    Fetches only this series, into a scratch folder; the response is not kept. Options with a default in the
    publisher's catalogue file may be left out. Exit code 1 if the response contradicts the entry (no row, rows out of
    range, another frequency); then nothing is written.
    """
    from pipelines.authoring import new_series  # noqa: PLC0415

    settings = Settings()
    given = {
        "id": identity, "title": title, "description": description, "unit": unit, "frequency": frequency,
        "plausible": plausible, "publication_lag_days": lag, "staleness_limit_days": stale_after, "history": history,
        "publisher": office, "licence": licence, "metal": metal, "bundle": bundle,
    }  # fmt: skip
    try:
        tracked = _tracked(settings)
        if publisher not in tracked.sources:
            raise _fail(f"unknown publisher {publisher}; known are {', '.join(tracked.sources)}", EXIT_USAGE)
        target = new_series.target(publisher, settings, in_project)
        chosen = new_series.selection(select, next(iter(tracked.series_of(publisher)), None))
        wanted = new_series.entry(target, {k: v for k, v in given.items() if v is not None} | {"select": chosen})
        new_series.refuse_known(wanted, tracked)
    except MetalsError as error:
        raise _fail(str(error), EXIT_USAGE) from None
    # The error below reports failures; the log line would repeat them.
    logging.getLogger("metals").addHandler(logging.NullHandler())
    try:
        trial = new_series.try_out(wanted, tracked, settings)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    if trial.rows:
        console.print(
            f"{trial.rows:,} rows, {trial.first_period} to {trial.last_period}, "
            f"from {trial.low:g} to {trial.high:g} {wanted.unit}",
            highlight=False,
        )
    doubts = new_series.doubts(wanted, trial)
    for doubt in doubts:
        errors.print(f"[yellow]problem[/]: {escape(doubt)}", soft_wrap=True, highlight=False)
    if doubts:
        raise _fail("nothing was written", EXIT_NOT_PUBLISHED)
    console.print(escape(new_series.text(wanted, target.defaults).strip("\n")), soft_wrap=True, highlight=False)
    if dry_run:
        console.print("nothing written (--dry-run)")
        return
    new_series.write(wanted, target, settings)
    console.print(
        f"written to {_short(target.path)}; next: metals run --only {publisher}", soft_wrap=True, highlight=False
    )


correction_app = typer.Typer(
    name="correction", help="Correct published figures, in your overlay.", no_args_is_help=True
)
app.add_typer(correction_app)
claim_app = typer.Typer(name="claim", help="Claims of your own.", no_args_is_help=True)
app.add_typer(claim_app)
_Reference = Annotated[str | None, typer.Option(help="Where the reason is stated: a document, a page.")]


@correction_app.command("add")
def correction_add(
    series: Annotated[str, typer.Argument(help="Series of the catalogue.")],
    period: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="First day of the period.")],
    action: Annotated[catalog.CorrectionAction, typer.Option(help="What to do with the figure.")],
    reason: Annotated[str, typer.Option(help="Why the figure is wrong, or right although unusual.")],
    reference: Annotated[str, typer.Option(help="Its source: a notice, a page, a document.")],
    published: Annotated[float | None, typer.Option(help="The published figure that it is about.")] = None,
    value: Annotated[float | None, typer.Option(help="The figure to use instead (override).")] = None,
    known_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on which this became known; by default today.")
    ] = None,
) -> None:
    """Correct one published figure, in your overlay; raw rows stay as published, models read the correction."""
    settings = Settings()
    entry = overlay.correction(
        series, period.date(), action=action.value, published=published, value=value,
        known_on=known_on.date() if known_on else settings.clock().date(), reason=reason, reference=reference,
    )  # fmt: skip
    _appended(settings, "corrections.yaml", "corrections", entry)


@claim_app.command("add")
def claim_add(
    name: Annotated[str, typer.Argument(help="Short name, e.g. copper_is_dear.")],
    statement: Annotated[str, typer.Option(help="What is claimed, in one sentence.")],
    decisive: Annotated[
        list[str],
        typer.Option(help="Rule that decides, e.g. 'wb_copper_usd_per_tonne zscore 120 >= 1' (repeatable)."),
    ],
    reason: Annotated[str, typer.Option(help="Why these thresholds, before looking at the result.")],
    changes: Annotated[str, typer.Option(help="What would change the verdict, in words.")],
    supporting: Annotated[list[str] | None, typer.Option(help="Rule shown beside it (repeatable).")] = None,
    tolerates: Annotated[int, typer.Option(help="Days that a figure counts after a newer one was due.", min=0)] = 0,
    reference: _Reference = None,
    identity: Annotated[str | None, typer.Option("--id", help="U and a number; by default the next.")] = None,
) -> None:
    """Add a claim with its rule to your overlay; the next run judges it for every month since its first figure.

    Transformations: level; change and change_pct over MONTHS; zscore and percentile within the last MONTHS.
    Comparisons: > >= < <= or `between LOW HIGH`. `against` is the value from which an indicator contradicts; without
    it, it does so wherever the comparison fails.
    """
    settings = Settings()
    tracked = _tracked(settings)
    rules = [(rule, "decisive") for rule in decisive] + [(rule, "supporting") for rule in supporting or []]
    try:
        indicators = [overlay.indicator(rule, role, reason, reference, tolerates) for rule, role in rules]
    except MetalsError as error:
        raise _fail(str(error), EXIT_USAGE) from None
    entry = {
        "id": identity or overlay.next_claim_id(tracked), "name": name, "statement": statement,
        "what_would_change_it": changes, "indicators": indicators,
    }  # fmt: skip
    _appended(settings, "claims.yaml", "claims", entry)


def _appended(settings: Settings, file: str, key: str, entry: dict[str, Any]) -> None:
    try:
        path = overlay.append(settings, file, key, entry)
    except MetalsError as error:
        raise _fail(f"{error} Nothing was written.", EXIT_USAGE) from None
    console.print(f"{entry['id']} written to {_short(path)}; next: metals run", soft_wrap=True, highlight=False)


@app.command("overlay")
def overlay_command(
    with_dictionary: Annotated[
        bool, typer.Option("--dictionary", help="Also write dictionary.md beside them: each entry with its facts.")
    ] = False,
) -> None:
    """List what you added yourself, and check that it is valid with this version of the project.

    Exit code 1 if something is not; then no dictionary is written.
    """
    settings = Settings()
    table = Table(show_header=False, box=None, pad_edge=False)
    problems = 0
    for name, good, said in overlay.check(settings):
        problems += not good
        table.add_row("[green]ok[/]" if good else "[yellow]see[/]", name, escape(said))
    console.print(table)
    if problems:
        raise typer.Exit(1)
    if with_dictionary:
        console.print(f"written to {_short(overlay.write_dictionary(settings))}", soft_wrap=True, highlight=False)


@app.command("dbt", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt_command(context: typer.Context) -> None:
    """Run dbt on the project and your overlay, in the build file of these settings: `metals dbt run -s MODEL`.

    The published file stays until the next `metals run`, which builds such models again. dbt's exit code is returned.
    """
    settings = Settings()
    from pipelines.transform import dbt  # noqa: PLC0415

    raise typer.Exit(dbt.command(settings, context.args))


backfill_app = typer.Typer(name="backfill", help="Load a publisher's bulk history.", no_args_is_help=True)
app.add_typer(backfill_app)


@backfill_app.command("sec")
def backfill_sec(
    companyfacts: Annotated[Path, typer.Option(help="The SEC's companyfacts.zip, which you download yourself.")],
    submissions: Annotated[
        Path | None, typer.Option(help="The SEC's submissions.zip, for the filers' industries.")
    ] = None,
) -> None:
    """Load every filer's facts from the SEC's bulk file into Parquet, and capital expenditure into the warehouse.

    If interrupted, the same command resumes. The table capex_universe shows the figures after the next `metals run`.
    """
    from pipelines.ingest import sec_bulk  # noqa: PLC0415

    settings = Settings()
    try:
        with progress.watching(errors, {}, verbose=False, quiet=False):
            done = sec_bulk.sec(settings, companyfacts, submissions)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None
    console.print(
        f"{done.filers:,} filers ({done.refused:,} without usable facts), {done.facts:,} facts ({done.rejected:,} "
        f"rejected) in {_short(done.folder)}; {done.capex_facts:,} facts of capital expenditure in the build; "
        f"{done.megabytes_read:,.0f} MB of JSON in {done.seconds:,.0f} s"
    )
    console.print(f"every fact, sorted by tag: {_short(done.folder)}/facts/*.parquet", markup=False)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; change it only inside a container, because the UI has no authentication."
        ),
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None,
        typer.Option(help="Address at which an authenticating proxy shows the UI, e.g. https://metals.example.org."),
    ] = None,
) -> None:
    """Start the Dagster UI and the schedule, by default reachable from this machine only.

    Requests are answered under 127.0.0.1, localhost, HOST and the public URL, and from their own pages alone.
    """
    settings = Settings()
    _home(settings)
    from pipelines.orchestration import ui as server  # noqa: PLC0415

    try:
        served_as = server.origin(public_url) if public_url else None
    except ValueError as error:
        raise _fail(f"--public-url {error}", EXIT_USAGE) from None
    os.chdir(PROJECT_ROOT)
    try:
        with progress.watching(errors, {}, verbose=False, quiet=False):
            server.serve(host, port, served_as)
    except MetalsError as error:
        raise _fail(str(error), EXIT_NOT_PUBLISHED) from None


def _published() -> Settings:
    settings = Settings()
    if not settings.published_path.exists():
        why = warehouse.held_back(settings)
        said = f"; not published {why}" if why else ""
        raise _fail(f"{_short(settings.published_path)} does not exist yet; run `metals run`{said}", EXIT_NOT_PUBLISHED)
    return settings


def _brief(settings: Settings) -> str:
    """The path of the brief, and whether it was made from the current published file."""
    path = settings.brief_path
    if not path.exists():
        return "brief     none yet"
    late = path.stat().st_mtime < settings.published_path.stat().st_mtime
    return f"brief     {_short(path)}" + (" (older than the published file: the last one failed)" if late else "")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    app()
