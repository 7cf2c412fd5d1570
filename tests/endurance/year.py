"""A year of daily runs with a moving clock: `python -m tests.endurance.year`.

Every weekday, the project's own code fetches from the replayed publishers over HTTP and loads the responses; at the end
of each week, the models are built, audited and published. The publishers release their recorded figures on the
catalogue's calendar, revise some of them a month later, round, retract, are late, alternate between two versions, leave
a permanent gap, and fail on given days. Afterwards the same landing is loaded at once into a second warehouse: both
must be equal. Prints the findings and the growth of disk use; exits with 1 if anything is not explained by the
calendar.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import duckdb

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.audit import checks, gate
from pipelines.catalog import Catalog, Frequency, History
from pipelines.landing import Landing, land
from pipelines.settings import Settings
from pipelines.transform import history
from tests.endurance import verdicts
from tests.endurance.publishers import EASTMONEY, FRED
from tests.recordings import folders
from tests.replay import Answer, Replay, Seen

ASKED = ("fred", "eastmoney", "worldbank_pink_sheet", "gpr", "federal_register")
FIRST, LAST = date(2025, 8, 25), date(2026, 8, 21)
EVENING = time_of_day(22, 30)
FIRST_PRINT_DAYS = 31  # so long a figure that is revised stands as it was first printed
FIRST_PRINT_FACTOR = 1.001

# FRED identifier, first day of the period: what its office does with it.
HOLE = {("CPIAUCSL", date(2026, 2, 1))}
LATE_DAYS = {("INDPRO", date(2026, 1, 1)): 20}
# FRED identifier: period that is gone, between these days.
RETRACTED = {"PPIACO": (date(2025, 11, 1), date(2026, 2, 9), date(2026, 2, 13))}
# FRED identifier: printed with a digit less, between these days.
ROUNDED = {"DFII10": (date(2026, 4, 13), date(2026, 4, 17))}
# FRED identifier: two servers of its publisher hold two versions and answer in turn, between these days.
ALTERNATING = {"M2SL": (date(2026, 4, 20), date(2026, 7, 17))}
# (first day, last day, where in the replay, fault)
FAULTS = (
    (date(2025, 9, 15), date(2025, 9, 19), FRED, "refused"),
    (date(2025, 10, 6), date(2025, 10, 6), EASTMONEY, "200_html"),
    (date(2025, 11, 3), date(2025, 11, 4), f"{FRED}/graph/fredgraph.csv?id=DGS10", "404_html"),
    (date(2025, 12, 24), date(2025, 12, 26), "*", "refused"),
    (date(2026, 1, 12), date(2026, 1, 12), FRED, "truncated_gzip"),
    (date(2026, 2, 2), date(2026, 2, 3), "www.worldbank.org", "403_html"),
    (date(2026, 3, 16), date(2026, 3, 16), f"{FRED}/graph/fredgraph.csv?id=FEDFUNDS", "503"),
    (date(2026, 4, 20), date(2026, 4, 20), EASTMONEY, "reset"),
    (date(2026, 6, 15), date(2026, 6, 15), FRED, "empty"),
)


class Calendar(Replay):
    """The publishers, releasing what was recorded of them on their calendars."""

    def __init__(self, upstream: Path | list[Path], catalog: Catalog) -> None:
        super().__init__(upstream, FIRST)
        self._everything = Replay(upstream, None)
        self._fred = {s.select["id"]: s for s in catalog.series_of("fred")}
        self._eastmoney_lag = max(s.publication_lag_days for s in catalog.series_of("eastmoney"))

    def _answer(self, seen: Seen) -> Answer:
        if seen.host == FRED:
            answer = self._everything._answer(seen)
            return replace(answer, body=self._released(answer.body, seen.query["id"][0]).encode())
        if seen.host == EASTMONEY:
            answer = self._everything._answer(seen)
            page = json.loads(answer.body)
            if page["result"]:
                page["result"]["data"] = [r for r in page["result"]["data"] if self._is_out(r["REPORT_DATE"][:10])]
                page["result"]["count"] = len(page["result"]["data"])
            return replace(answer, body=json.dumps(page, ensure_ascii=False).encode())
        return super()._answer(seen)

    def _is_out(self, month: str) -> bool:
        first = date.fromisoformat(month)
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        assert self.now is not None
        return after + timedelta(days=self._eastmoney_lag) <= self.now

    def _released(self, body: bytes, name: str) -> str:
        header, *rows = body.decode().splitlines()
        return "\n".join([header, *(r for row in rows if (r := self._printed(row, name)) is not None), ""])

    def _printed(self, row: str, name: str) -> str | None:
        """A row of a series as it stands now: absent, as first printed, rounded, or final."""
        day, value = row.split(",")
        period, series, now = date.fromisoformat(day), self._fred[name], self.now
        assert now is not None
        out = series.period_end(period) + timedelta(days=series.publication_lag_days)
        out += timedelta(days=LATE_DAYS.get((name, period), 0))
        gone, gone_from, gone_to = RETRACTED.get(name, (None, LAST, LAST))
        if out > now or (name, period) in HOLE or (period == gone and gone_from <= now <= gone_to):
            return None
        decimals = len(value.partition(".")[2])
        rounded_from, rounded_to = ROUNDED.get(name, (LAST, FIRST))
        if value in ("", "."):
            return row
        if decimals and rounded_from <= now <= rounded_to:
            return f"{day},{float(value):.{decimals - 1}f}"
        turns_from, turns_to = ALTERNATING.get(name, (LAST, FIRST))
        other = turns_from <= now <= turns_to and now.toordinal() % 2 and period < turns_from - timedelta(days=90)
        if other or (series.history is History.REVISED and out > FIRST and (now - out).days < FIRST_PRINT_DAYS):
            return f"{day},{float(value) * FIRST_PRINT_FACTOR:.{decimals}f}"
        return row

    def _whole(self, name: str) -> bytes:
        return self._everything._answer(Seen(FRED, "/graph/fredgraph.csv", {"id": [name]}, {}, 0.0)).body

    def too_short(self, days: Iterable[date], bytes_expected: int) -> set[date]:
        """Days on which a series that begins within the year holds too little to be taken for its file."""
        whole = {name: self._whole(name) for name in self._fred}
        young = {n: body for n, body in whole.items() if date.fromisoformat(body.decode().split()[1][:10]) > FIRST}
        found = set()
        for self.now in days:
            if any(len(self._released(body, name).encode()) < bytes_expected for name, body in young.items()):
                found.add(self.now)
        return found

    def final(self, name: str) -> dict[date, float]:
        """What the newest file of a series holds on the last day, by period, first prints taken as final."""
        found = {}
        for row in self._whole(name).decode().splitlines()[1:]:
            printed = self._printed(row, name)
            if printed is not None and printed.split(",")[1] not in ("", "."):
                found[date.fromisoformat(printed.split(",")[0])] = float(printed.split(",")[1])
        return found

    def meet_faults(self, day: date) -> None:
        self.mend()
        for first, last, where, kind in FAULTS:
            if first <= day <= last:
                self.fault(where, kind)


@dataclass
class Simulation:
    """One home through the year, and what was seen."""

    folder: Path
    calendar: Calendar
    catalog: Catalog
    first: date = FIRST
    last: date = LAST
    with_models: bool = True
    daily_models: bool = False
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed_days: set[tuple[date, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    growth: list[tuple[date, dict[str, int]]] = field(default_factory=list)
    publications: int = 0
    wrong: list[str] = field(default_factory=list)

    def settings(self, day: date, home: str = "daily") -> Settings:
        return Settings(
            warehouse_dir=self.folder / home,
            bundled_dir=self.folder / "no_bundle",
            upstream_base_url=self.calendar.base_url,
            pacing=False,
            contact="metals-drivers tests tests@example.com",
            history_months=1,
            now=datetime.combine(day, EVENING, UTC),
        )

    def days(self) -> Iterator[date]:
        return (
            day
            for n in range((self.last - self.first).days + 1)
            if (day := self.first + timedelta(days=n)).weekday() < 5
        )

    def live(self) -> Iterator[str]:
        """Every weekday; yields a line per month."""
        started = time.monotonic()
        for day in self.days():
            self.run(day)
            if self.with_models and (self.daily_models or day.weekday() == 4 or day == self.last):
                self.publish(self.settings(day))
            if (day + timedelta(days=3 if day.weekday() == 4 else 1)).month != day.month or day == self.last:
                self.growth.append((day, self.sizes(day)))
                yield f"{day}: {self.told_sizes(self.growth[-1][1])}; {time.monotonic() - started:.0f} s"

    def run(self, day: date) -> None:
        """A day's landing and load."""
        settings = self.settings(day)
        self.calendar.now = day
        self.calendar.meet_faults(day)
        asked = [self.catalog.sources[s] for s in ASKED]
        for source, retrievals in land(asked, sources.module, self.catalog, settings).items():
            self.outcomes.update((source, c.outcome) for c in retrievals)
            if any(c.outcome in ("failed", "blocked", "not_tried") for c in retrievals):
                self.failed_days.add((day, source))
        self.load(settings, Landing(settings.landing_dir))

    def load(self, settings: Settings, landing: Landing) -> None:
        with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
            warehouse.write_catalog(connection, self.catalog)
            for source in ASKED:
                report = ingest.load_source(
                    connection, self.catalog.sources[source], sources.module(source), self.catalog, landing
                )
                self.refused += report.refused

    def publish(self, settings: Settings) -> None:
        failed = [r.name for r in transform.build(settings) if r.failed]
        self.wrong += [f"{settings.as_of_date()}: {name} failed" for name in failed]
        history.fill(settings)
        gate.publish(settings)
        self.publications += 1
        found = verdicts.incomplete(settings.published_path)
        self.wrong += [f"{settings.as_of_date()}: the published file {w}" for w in found]

    def sizes(self, day: date) -> dict[str, int]:
        settings = self.settings(day)

        def total(*paths: Path) -> int:
            return sum(f.stat().st_size for path in paths for f in (path.rglob("*") if path.is_dir() else [path]))

        landing = settings.landing_dir
        return {
            "payloads": sum(1 for _ in (landing / "objects").rglob("*.gz")),
            "landing": total(landing / "objects"),
            "journals": total(landing / "journal"),
            "build": total(settings.build_path),
            "published": total(settings.published_path) if settings.published_path.exists() else 0,
        }

    @staticmethod
    def told_sizes(sizes: dict[str, int]) -> str:
        megabytes = ", ".join(f"{name} {n / 1e6:.1f} MB" for name, n in sizes.items() if name != "payloads")
        return f"{sizes['payloads']} payloads; {megabytes}"

    def expected_failures(self) -> set[tuple[date, str]]:
        """(day, source) on which the calendar has a fault."""
        hosts = {FRED: "fred", EASTMONEY: "eastmoney", "www.worldbank.org": "worldbank_pink_sheet"}
        found = set()
        for day in self.days():
            for first, last, where, _ in FAULTS:
                if first <= day <= last:
                    names = ASKED if where == "*" else (hosts[where.partition("/")[0]],)
                    found |= {(day, name) for name in names}
        too_short = self.calendar.too_short(self.days(), self.catalog.sources["fred"].min_body_bytes)
        return found | {(day, "fred") for day in too_short}

    def unexplained(self) -> list[str]:
        """Failures, gaps and figures that the calendar does not account for."""
        wrong = list(self.wrong)
        surplus = self.failed_days ^ self.expected_failures()
        wrong += [f"failed, or did not, against the calendar: {d} {s}" for d, s in sorted(surplus)]
        wrong += [f"refused: {said}" for said in self.refused if "404" not in said]
        landing = Landing(self.settings(self.last).landing_dir)
        for source in ASKED:
            days = {c.checked_at.date() for c in landing.retrievals(source)}
            missed = [d for d in self.days() if d not in days]
            wrong += [f"{source} was not asked on {d}" for d in missed]
        with closing(duckdb.connect(str(self.settings(self.last).build_path), read_only=True)) as connection:
            finding = checks.publishers_do_not_alternate(connection, self.settings(self.last))
            named = {said.partition(":")[0] for said in finding.examples}
            turning = {name for name, (start, _) in ALTERNATING.items() if (self.last - start).days > 14}
            if named != {s.id for s in self.catalog.series_of("fred") if s.select["id"] in turning}:
                wrong.append(f"alternation: {finding.examples}, expected {sorted(turning)}")
            for series in self.catalog.series_of("fred"):
                held = dict(
                    connection.execute(
                        "select period, arg_max(value, known_at) from raw.observation where series_id = ? group by 1",
                        [series.id],
                    ).fetchall()
                )
                final: dict[Any, float] = self.calendar.final(series.select["id"])
                if series.frequency is Frequency.US_FISCAL_YEAR:
                    # The parser dates fiscal years by their own first day; FRED by another.
                    held, final = dict(enumerate(sorted(held.values()))), dict(enumerate(sorted(final.values())))
                if held.keys() != final.keys():
                    wrong.append(f"{series.id}: periods {sorted(held.keys() ^ final.keys())[:5]} on one side only")
                off = [p for p in held.keys() & final.keys() if abs(held[p] - final[p]) > 1e-9 * abs(final[p])]
                wrong += [f"{series.id} {p}: {held[p]} held, {final[p]} published" for p in sorted(off)[:5]]
                holes = [p for name, p in HOLE if name == series.select["id"] and p in held]
                wrong += [f"{series.id} {p} was never published" for p in holes]
        return wrong

    def differs_from_at_once(self) -> list[str]:
        """Tables that differ between the warehouse of the year and one loaded at once from the same landing."""
        daily, at_once = self.settings(self.last), self.settings(self.last, "at_once")
        self.refused, said_daily = [], len(self.refused)
        self.load(at_once, Landing(daily.landing_dir))
        wrong = []
        if len(self.refused) != said_daily:
            wrong.append(f"{said_daily} payloads refused day by day, {len(self.refused)} at once")
        paths, schemas = (daily.build_path, at_once.build_path), ("raw",)
        if self.with_models:
            self.publish(at_once)
            paths, schemas = (daily.published_path, at_once.published_path), ("main", "raw", "seeds")
        here, there = (verdicts.contents(path, schemas) for path in paths)
        skipped = {f"raw.{table}" for table in verdicts.ABOUT_THE_RUN}
        return wrong + [
            f"{table}: {here.get(table)} day by day, {there.get(table)} at once"
            for table in sorted(here.keys() | there.keys())
            if table not in skipped and here.get(table) != there.get(table)
        ]

    def vintages(self) -> tuple[int, int]:
        """Figures of FRED's that were revised during the year, and rows of the whole build."""
        with closing(duckdb.connect(str(self.settings(self.last).build_path), read_only=True)) as connection:
            [[revised]] = connection.execute(
                "select count(*) from (select 1 from raw.observation where series_id like 'fred%' "
                "group by series_id, period having count(*) > 1)"
            ).fetchall()
            [[rows]] = connection.execute("select count(*) from raw.observation").fetchall()
        return int(revised), int(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST)
    parser.add_argument("--last", type=date.fromisoformat, default=LAST)
    parser.add_argument("--without-models", action="store_true", help="landing and load only")
    parser.add_argument("--daily-models", action="store_true", help="build and publish every day, which takes hours")
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder; default: a temporary one")
    options = parser.parse_args()
    logging.getLogger("metals").setLevel(logging.ERROR)
    catalog = catalogs.load(Settings().catalog_dir)
    with tempfile.TemporaryDirectory() as temporary, Calendar(folders(), catalog) as calendar:
        year = Simulation(
            options.folder or Path(temporary),
            calendar,
            catalog,
            options.first,
            options.last,
            not options.without_models,
            options.daily_models,
        )
        for line in year.live():
            print(line, flush=True)
        wrong = year.unexplained()
        differences = year.differs_from_at_once()
        revised, rows = year.vintages()
        print(
            f"{len(list(year.days()))} days, {year.publications} publications, {sum(year.outcomes.values())} requests:"
        )
        print("  " + ", ".join(f"{s} {n} {o}" for (s, o), n in sorted(year.outcomes.items())))
        print(f"{len(year.failed_days)} failures of a publisher for a day, each on its day of the calendar")
        print(f"{rows} observations, of which {revised} periods of FRED's were revised")
        print(f"unexplained: {len(wrong)}; tables that differ from a load at once: {len(differences)}")
        for line in wrong + differences:
            print(f"  {line}")
        sys.exit(1 if wrong or differences else 0)


if __name__ == "__main__":
    main()
