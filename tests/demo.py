"""`make demo`: a month of daily runs in a few minutes, on figures that are partly made up.

    python -m tests.demo [--port 3000] [--no-ui] [--folder demo]

The replay serves the upstream that ships with the tests, changed as SCRIPT says, and `metals run` reads it in a home of
its own. On the days of the script, a publisher revises a figure, one fails and recovers, and a verdict flips. Then the
Dagster UI is started on that home. What belongs here: the days, and how they are told. The user's warehouse and
settings are not read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tests import shipped_upstream
from tests.endurance.publishers import FRED, last_figure_times
from tests.pictures import ui
from tests.recordings import MADE_UP
from tests.replay import CONTENT_TYPES, FRED_CSV, STATS_OFFICE, Replay, Seen
from tests.replay_routes import nbs
from tests.shipped_upstream.bundled import File

REPOSITORY = Path(__file__).resolve().parents[1]
MARK = "# Made by `make demo`, on made-up figures. Removed when it starts again."
FIDELITY = "changed for the demo"
ON_THE_BRIEF = "Demo: some of these figures are made up. See docs/demo.md."
PLACE = '<dl class="view">'  # in the brief: its first sentences stand there
HOOK = "alerts.example.org/hook"
# September's growth of the value added of China's industry, and of January to September, in per cent. Made up.
SEPTEMBER_MADE_UP = (0.8, 4.8)
REVISED = "INDPRO"
REVISION_FACTOR = 0.99
YIELDS = "DFII10"


@dataclass(frozen=True)
class Step:
    """A day of the script: what happens on it, and the `metals` calls that show it."""

    day: date
    title: str
    said: str
    look: tuple[tuple[str, ...], ...] = ()
    fault: tuple[str, str] | None = None  # where in the replay, and which


_VINTAGES = (
    "select period, round(value, 2) as value, known_at from raw.observation "
    "where series_id = 'fred_indpro_index' and period = date '2026-06-01' order by known_at"
)
_OUTCOMES = (
    "select cast(checked_at as date) as day, outcome, count(*) as requests from raw.retrieval "
    "where source_id = 'fred' group by all order by all"
)
_NEWEST = (
    "select series_id, max(period) as newest, arg_max(value, period) as value_pct from raw.observation "
    "where series_id in ('fred_dfii10_pct', 'fred_unrate_pct') group by all order by all"
)
SCRIPT = (
    Step(
        date(2026, 9, 21),
        "the first run",
        "Nothing is bundled here: every figure is fetched from the replay.",
        (("claims", "C5"),),
    ),
    Step(
        date(2026, 9, 28),
        "a publisher revises a figure",
        "FRED prints US industrial production of June 2026 one per cent lower (made up). Both vintages are kept, each "
        "with the time from which it was known.",
        (("sql", _VINTAGES),),
    ),
    Step(
        date(2026, 10, 5),
        "a publisher fails",
        "FRED answers 403 to every request. Its last good figures stay, the summary and a message name it, and the "
        "rest is published.",
        (("sql", _OUTCOMES), ("sql", _NEWEST)),
        (FRED, "403_html"),
    ),
    Step(
        date(2026, 10, 6),
        "it recovers",
        "FRED answers again, and what was missed is there: September's unemployment rate, as recorded, and a week of "
        "real yields, made up.",
        (("sql", _NEWEST),),
    ),
    Step(
        date(2026, 10, 19),
        "a verdict flips",
        f"China's statistics office prints a weak September: industry grew by {SEPTEMBER_MADE_UP[0]} % (made up). One "
        "of the three decisive indicators of claim C5, that exports show a resilient industry, turns against it.",
        (("claims", "C5"),),
    ),
)


class Publishers(Replay):
    """The publishers of the demo: `to` moves them to a day."""

    def __init__(self, folder: Path) -> None:
        shipped = shipped_upstream.write(folder / "shipped")
        changed = shipped_upstream.write(folder / "changed", [_september(shipped)])
        super().__init__([shipped, changed], SCRIPT[0].day)
        self.serve(HOOK, b"ok", CONTENT_TYPES[".txt"])

    def to(self, day: date, fault: tuple[str, str] | None = None) -> None:
        """The figures of FRED's that move: real yields by the day, industrial production once."""
        self.now = day
        self._print(YIELDS, _continued(self._recorded_file(YIELDS), day))
        if day >= SCRIPT[1].day:
            self._print(REVISED, last_figure_times(REVISION_FACTOR, self._recorded_file(REVISED)))
        self.mend()
        if fault:
            self.fault(*fault)

    def messages(self) -> list[str]:
        """The texts that the webhook was sent."""
        return [json.loads(seen.body)["text"] for seen in self.requests_to(HOOK)]

    def _recorded_file(self, identifier: str) -> bytes:
        answer = self._recorded(Seen(*FRED_CSV, {"id": [identifier]}, {}, 0.0))
        if answer is None:
            raise RuntimeError(f"the shipped upstream has no {identifier} by {self.now}")
        return answer.body

    def _print(self, identifier: str, body: bytes) -> None:
        self.serve(f"{''.join(FRED_CSV)}?id={identifier}", body, CONTENT_TYPES[".csv"])


def _continued(body: bytes, until: date) -> bytes:
    """A daily file of FRED's with a made-up figure for each weekday after its last one and before `until`."""
    last, _, value = body.decode().rstrip("\n").rpartition("\n")[2].partition(",")
    first = date.fromisoformat(last) + timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((until - first).days)]
    lines = [f"{day},{float(value) + 0.1 * math.sin(day.toordinal() / 5):.2f}\n" for day in days if day.weekday() < 5]
    return body + "".join(lines).encode()


def _september(shipped: Path) -> File:
    """China's statistics office on the last day: industry as recorded, and a made-up September."""
    recorded = json.loads((shipped / "nbs" / f"esData_{nbs.INDUSTRY}.json").read_text(encoding="utf-8"))["data"]
    august = next(row for row in recorded if row["code"] == "202608MM")
    figures = zip(august["values"], SEPTEMBER_MADE_UP, strict=True)
    september = nbs.month("202609MM", *((of["_id"], of["i_showname"], str(figure)) for of, figure in figures))
    address, day = "https://" + "".join(STATS_OFFICE), SCRIPT[-1].day
    body = nbs.document(september, *recorded)
    return File(f"{MADE_UP}nbs/{day}.json", "nobody", address, day, body, FIDELITY, "none", f"esData/{nbs.INDUSTRY}")


class Home:
    """A folder with a warehouse, Dagster's state and the settings that lead there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.settings_file = self.folder / "metals.env"
        self.brief = self.warehouse / "brief" / "index.html"

    def make(self) -> Home:
        """The folder without anything that an earlier demo left."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if not self.settings_file.exists() or MARK not in self.settings_file.read_text(encoding="utf-8"):
                sys.exit(f"{self.folder} holds something else: name an empty folder with --folder")
            shutil.rmtree(self.folder)
        for name in ("dagster", "nothing_bundled"):
            (self.folder / name).mkdir(parents=True)
        shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", self.folder / "dagster")
        self.settings_file.write_text(MARK, encoding="utf-8")
        return self

    @property
    def warehouse(self) -> Path:
        return self.folder / "made_up_figures"

    def set(self, publishers: Publishers, day: date) -> None:
        """The settings, for the demo's own calls and for those of another terminal."""
        given = {
            "METALS_WAREHOUSE_DIR": self.warehouse,
            "METALS_BUNDLED_DIR": self.folder / "nothing_bundled",
            "DAGSTER_HOME": self.folder / "dagster",
            "METALS_UPSTREAM_BASE_URL": publishers.base_url,
            "ALERT_WEBHOOK_URL": f"{publishers.base_url}/{HOOK}",
            "METALS_CONTACT": "metals-drivers demo demo@example.org",
            "METALS_PACING": "false",
            "METALS_HISTORY_MONTHS": 1,
            "METALS_NOW": now(day),
        }
        lines = [MARK, *(f"{name}='{value}'" for name, value in given.items()), ""]
        self.settings_file.write_text("\n".join(lines), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The environment without the user's own settings."""
        own = ("METALS_", "ALERT_", "DAGSTER_HOME")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return kept | {"METALS_SETTINGS_FILE": str(self.settings_file)}

    def metals(self, *arguments: str) -> int:
        """A call of `metals` that prints for itself; its exit code. A run's brief is marked as made up."""
        call = [sys.executable, "-m", "pipelines.cli", *arguments]
        code = subprocess.run(call, cwd=REPOSITORY, env=self.environment, check=False).returncode
        if arguments[0] == "run" and self.brief.exists():
            page = self.brief.read_text(encoding="utf-8")
            self.brief.write_text(page.replace(PLACE, f'<p class="unreached">{ON_THE_BRIEF}</p>\n{PLACE}', 1), "utf-8")
        return code


def now(day: date) -> str:
    return f"{day}T22:30:00+00:00"


def say(text: str = "") -> None:
    """A paragraph, for a terminal of 80 columns."""
    print("\n".join(textwrap.wrap(text, 78)), flush=True)


def short(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def tell(home: Home, publishers: Publishers, call: Callable[..., int]) -> None:
    """The whole script; `call` is given the arguments of `metals`. Exits where a call fails."""
    say("DEMO ON MADE-UP FIGURES. A local replay stands in for the publishers, and some of its figures are changed.")
    say(f"Everything is in {short(home.folder)}, which the next demo removes. Your warehouse is not touched.")
    say()
    print("The commands below work in a second terminal too, after", flush=True)
    print(f"  export METALS_SETTINGS_FILE='{short(home.settings_file)}'", flush=True)
    before = None
    for number, step in enumerate(SCRIPT, start=1):
        skipped = (step.day - before).days - 1 if before else 0
        say()
        say(f"=== Day {number} of {len(SCRIPT)}, {step.day:%A %Y-%m-%d}: {step.title} ===")
        if skipped:
            say(f"({skipped} uneventful days are skipped.)")
        say(step.said)
        run_day(home, publishers, step.day, call, step.look, step.fault)
        before = step.day


def run_day(
    home: Home,
    publishers: Publishers,
    day: date,
    call: Callable[..., int],
    look: tuple[tuple[str, ...], ...] = (),
    fault: tuple[str, str] | None = None,
) -> None:
    """Move the publishers to the day, run the daily job, show what came of it and what the webhook was sent."""
    publishers.to(day, fault)
    home.set(publishers, day)
    sent = len(publishers.messages())
    print(f"\n$ METALS_NOW={now(day)} .venv/bin/metals run", flush=True)
    _called(call, "run")
    for message in publishers.messages()[sent:]:
        print("\nThe webhook was sent:\n" + textwrap.indent(message, "  | "), flush=True)
    for arguments in look:
        shown = [f'"{a}"' if " " in a else a for a in arguments]
        print(f"\n$ .venv/bin/metals {' '.join(shown)}", flush=True)
        _called(call, *arguments)


def _called(call: Callable[..., int], *arguments: str) -> None:
    if code := call(*arguments):
        sys.exit(f"metals {arguments[0]} ended with {code}: the demo stops here")


def more_days(home: Home, publishers: Publishers) -> None:
    """Each Enter on a terminal runs the next day, until the demo is stopped."""
    day = SCRIPT[-1].day
    while sys.stdin.isatty() and sys.stdin.readline():
        day += timedelta(days=1)
        say(f"=== One more day, {day:%A %Y-%m-%d} ===")
        run_day(home, publishers, day, home.metals, (("sql", _NEWEST),))
    threading.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--port", type=int, default=3000, help="port of the UI")
    parser.add_argument("--no-ui", action="store_true", help="stop after the last day")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "demo", help="home of the demo, made anew")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the UI ends with the demo
    if not options.no_ui:
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", options.port))
            except OSError:
                sys.exit(f"port {options.port} is in use: choose another one, as in `make demo PORT=3001`")
    home = Home(options.folder).make()
    with contextlib.suppress(KeyboardInterrupt), Publishers(home.folder / "upstream") as publishers:
        tell(home, publishers, home.metals)
        say()
        say("=== The end of the script ===")
        print(f"The brief:  {short(home.brief)}", flush=True)
        if options.no_ui:
            return
        say("The Dagster UI starts.")
        with ui(home.environment, home.folder / "ui.log", options.port) as address:
            print(f"The UI:     {address}", flush=True)
            say("Enter runs one more day. Ctrl-C stops the UI and the replay; the folder stays until the next demo.")
            more_days(home, publishers)


if __name__ == "__main__":
    main()
