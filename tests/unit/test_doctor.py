"""What `metals doctor` reports on publishers: reachability, and when the next release is expected."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pytest
import yaml
from rich.console import Console

from pipelines import catalog, landing, warehouse
from pipelines.catalog import Catalog, Series, Source
from pipelines.catalog.calendar import next_release
from pipelines.reporting import doctor
from pipelines.settings import Settings
from pipelines.sources import module
from tests.unit.test_overlay import MODULE, PUBLISHER

TRACKED = catalog.load(Settings().catalog_dir)
LOOPBACK = "127.0.0.1"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with closing(socket.create_server((LOOPBACK, 0))) as server:
        yield int(server.getsockname()[1])


def closed_port() -> int:
    with closing(socket.create_server((LOOPBACK, 0))) as server:
        return int(server.getsockname()[1])


def settings(**changes: Any) -> Settings:
    return Settings(**{"connect_timeout_s": 2, "fred": True, "personal_use": False, "offline": False, **changes})


def sources(*names: str) -> list[Source]:
    return [TRACKED.sources[name] for name in names]


def series(series_id: str, **changes: Any) -> Series:
    return TRACKED.series[series_id].model_copy(update=changes)


def test_a_listening_port_is_reachable_and_a_closed_one_is_not(listening: int) -> None:
    asked = sources("bls", "sec_edgar")
    opened = landing.reachable(asked, settings(upstream_base_url=f"http://{LOOPBACK}:{listening}"))
    assert opened == {"bls": "yes", "sec_edgar": "yes"}
    closed = landing.reachable(asked, settings(upstream_base_url=f"http://{LOOPBACK}:{closed_port()}"))
    assert closed == {"bls": "no: refused", "sec_edgar": "no: refused"}


def test_what_is_switched_off_or_offline_is_not_knocked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("pipelines.landing.reachability.socket.create_connection", never)
    found = landing.reachable(sources("fred", "yahoo", "bls"), settings(fred=False, offline=True))
    assert found == {"fred": "switched off", "yahoo": "switched off", "bls": "not asked (offline)"}
    keyless = settings(census_key=None)
    assert landing.reachable(sources("census_trade"), keyless) == {"census_trade": "no key set"}


class _Connected:
    def __enter__(self) -> _Connected:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def getpeername(self) -> tuple[str, int]:
        return "23.1.2.3", 443


def test_each_host_is_knocked_at_once_on_the_port_that_its_requests_use(monkeypatch: pytest.MonkeyPatch) -> None:
    knocked: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> _Connected:
        assert timeout == 2
        knocked.append(address)
        if address[0] == "api.bls.gov":
            raise TimeoutError
        if address[0] == "data.sec.gov":
            raise socket.gaierror(-2, "Name or service not known")
        if address[0] == "api.imf.org":
            raise OSError(101, "Network is unreachable")
        return _Connected()

    monkeypatch.setattr("pipelines.landing.reachability.socket.create_connection", connect)
    found = landing.reachable(
        sources("gpr", "tpu", "gfex", "bls", "sec_edgar", "imf_pcps"), settings(personal_use=True)
    )
    assert found == {
        "gpr": "yes",
        "tpu": "yes",
        "gfex": "yes",
        "bls": "no: timed out",
        "sec_edgar": "no: unknown host",
        "imf_pcps": "no: network is unreachable",
    }
    assert sorted(knocked) == [
        ("api.bls.gov", 443),
        ("api.imf.org", 443),
        ("data.sec.gov", 443),
        ("www.gfex.com.cn", 80),
        ("www.matteoiacoviello.com", 443),
    ]


def test_hosts_without_tls_are_those_that_the_modules_ask_without_it() -> None:
    plain = {
        source.hosts[0]
        for source in TRACKED.sources.values()
        for request in module(source.id).plan(TRACKED, date(2026, 8, 21))
        if request.url.startswith("http://")
    }
    assert plain == landing.HTTP_ONLY_HOSTS


def test_behind_a_proxy_no_connection_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    assert landing.reachable(sources("bls"), settings()) == {"bls": "not asked (proxy)"}


@pytest.mark.parametrize(
    ("frequency", "newest", "lag", "expected"),
    [
        ("monthly", date(2025, 12, 1), 6, date(2026, 2, 6)),  # January ends on the 31st
        ("quarterly", date(2026, 4, 1), 30, date(2026, 10, 30)),  # the third quarter, 30 September
        ("us_fiscal_year", date(2024, 10, 1), 20, date(2026, 10, 20)),  # the year to 30 September 2026
        ("annual", date(2024, 1, 1), 0, date(2025, 12, 31)),
        ("weekly", date(2026, 8, 3), 3, date(2026, 8, 19)),  # the week from Monday the 10th to the 16th
        ("daily", date(2026, 8, 20), 0, date(2026, 8, 21)),  # Thursday, then Friday
        ("daily", date(2026, 8, 21), 1, date(2026, 8, 25)),  # Friday, then Monday the 24th and a day
    ],
)
def test_the_next_release_is_the_end_of_the_next_period_and_the_lag(
    frequency: str, newest: date, lag: int, expected: date
) -> None:
    one = series("wb_copper_usd_per_tonne", frequency=catalog.Frequency(frequency), publication_lag_days=lag)
    assert next_release(one, newest) == expected


def test_a_weekly_report_of_single_days_is_next_out_a_week_later() -> None:
    one = series("wb_copper_usd_per_tonne", frequency=catalog.Frequency.DAILY, publication_lag_days=3)
    assert next_release(one, date(2026, 8, 18), step_days=7) == date(2026, 8, 28)  # Tuesday, Friday week


def test_a_source_is_next_expected_with_the_earliest_of_its_series() -> None:
    wb = TRACKED.sources["worldbank_pink_sheet"]
    copper, tin = "wb_copper_usd_per_tonne", "wb_tin_usd_per_tonne"
    one = Catalog([wb], [series(copper, publication_lag_days=6), series(tin, publication_lag_days=3)], [], [])
    known = {(wb.id, copper): (date(2026, 7, 1), 30), (wb.id, tin): (date(2026, 7, 1), 30)}
    assert doctor.expected(wb, one, known) == "2026-09-03"
    assert doctor.expected(wb, one, {(wb.id, copper): (date(2026, 7, 1), 30)}) == "2026-09-07", "the 6th is a Sunday"
    assert doctor.expected(wb, one, {}) == ""
    assert doctor.expected(TRACKED.sources["sec_edgar"], one, {}) == "daily"


def coverage(*rows: tuple[str, str, int, str, str]) -> str:
    return ", ".join(
        f"('p', '{source_id}', '{series_id}', timestamp '2026-08-21', {n}, date '{first}', date '{last}')"
        for source_id, series_id, n, first, last in rows
    )


def published(tmp_path: Path, *rows: tuple[str, str, int, str, str]) -> Settings:
    """Settings whose published file holds these rows of raw.coverage: source, series, rows, first, last period."""
    where = settings(warehouse_dir=tmp_path, offline=True, now=datetime(2026, 8, 21, 22, 30))  # noqa: DTZ001
    warehouse.create(where.published_path)
    with closing(duckdb.connect(str(where.published_path))) as connection:
        connection.execute(
            "insert into raw.coverage (payload_id, source_id, series_id, retrieved_at, rows, first_period, last_period)"
            f" values {coverage(*rows)}"
        )
    return where


def test_periods_come_from_the_published_file_with_the_days_between_them(tmp_path: Path) -> None:
    where = published(
        tmp_path,
        ("cftc", "weekly_history", 5, "2026-07-14", "2026-08-11"),
        ("cftc_legacy", "weekly_single", 1, "2026-08-11", "2026-08-11"),
        ("cftc_legacy", "weekly_single", 1, "2026-08-11", "2026-08-11"),  # the same week in another payload
        ("cftc_legacy", "weekly_single", 1, "2026-08-18", "2026-08-18"),
        ("yahoo", "trading_days", 252, "2025-08-21", "2026-08-20"),
        ("yahoo", "seen_once", 1, "2026-08-20", "2026-08-20"),
    )
    assert doctor.periods(where) == {
        ("cftc", "weekly_history"): (date(2026, 8, 11), 7),
        ("cftc_legacy", "weekly_single"): (date(2026, 8, 18), 7),
        ("yahoo", "trading_days"): (date(2026, 8, 20), 1),
        ("yahoo", "seen_once"): (date(2026, 8, 20), 1),
    }


def lines(where: Settings) -> list[str]:
    console = Console(width=120, file=StringIO())
    with console.capture() as captured:
        console.print(doctor.sources_table(where))
    return captured.get().splitlines()


def test_every_publisher_has_a_line_with_newest_period_and_next_release_at_120_columns(tmp_path: Path) -> None:
    where = published(
        tmp_path,
        ("worldbank_pink_sheet", "wb_copper_usd_per_tonne", 3, "2026-05-01", "2026-07-01"),
        ("worldbank_pink_sheet", "wb_tin_usd_per_tonne", 2, "2026-05-01", "2026-06-01"),
    )
    shown = lines(where)
    assert max(len(line.rstrip()) for line in shown) <= 120
    assert sum(" none " in line or " not set " in line for line in shown) == len(TRACKED.sources)
    [pink_sheet] = [line for line in shown if "World Bank Commodity" in line]
    # Tin ends with June, so July's is next: 31 July and the lag of six days.
    assert pink_sheet.split()[-2:] == ["2026-07-01", "2026-08-06"]
    assert "never" in pink_sheet
    read = [source.proven.by.value for source in TRACKED.sources.values()]
    assert {kind: sum(f" {kind} " in line for line in shown) for kind in set(read)} == Counter(read)
    [yahoo] = [line for line in shown if "Yahoo" in line]
    assert "switched off" in yahoo
    assert "personal use" in yahoo


def test_the_last_failure_is_shown_short_and_the_last_answer_by_its_day(tmp_path: Path) -> None:
    where = settings(warehouse_dir=tmp_path, offline=True)
    store = landing.Landing(where.landing_dir)
    store.append(landing.Retrieval("bls", "block", datetime(2026, 8, 1, 9), "unchanged"))  # noqa: DTZ001
    error = "[source=bls row=block] api.bls.gov answered 503: " + "x" * 300
    store.append(landing.Retrieval("bls", "block", datetime(2026, 8, 2, 9), "failed", error=error))  # noqa: DTZ001
    error = "[source=omb row=page] www.whitehouse.gov was not reachable a moment ago"
    store.append(landing.Retrieval("omb", "page", datetime(2026, 8, 2, 9), "failed", error=error))  # noqa: DTZ001
    shown = lines(where)
    [bls] = [line for line in shown if "BLS public data API" in line]
    assert re.findall(r"\d{4}-\d{2}-\d{2}", bls) == ["2026-08-01", "2026-08-02"]
    assert "answered" in bls
    assert any(line.rstrip().endswith(" ago") for line in shown), "cut off at the right edge"
    assert not any("[source=" in line or "api.bls.gov" in line for line in shown)


OWN_KEY = "fedcba9876543210fedcba9876543210fedcba98"


def keys(where: Settings) -> tuple[bool, str]:
    [(good, said)] = [(good, said) for name, good, said in doctor.diagnose(where) if name == "keys"]
    return good, said


def test_a_key_that_is_not_set_is_a_plain_sentence_and_no_problem() -> None:
    good, said = keys(settings(census_key=None))
    assert good
    assert "METALS_CENSUS_KEY is not set, so US Census Bureau international trade is not fetched" in said
    for name in ("FRED", "Ember", "EIA", "BEA", "not used"):
        assert name in said


def test_a_key_that_is_set_is_said_but_not_shown(tmp_path: Path) -> None:
    where = settings(census_key=OWN_KEY, warehouse_dir=tmp_path, offline=True)
    good, said = keys(where)
    assert good
    assert "METALS_CENSUS_KEY is set, so US Census Bureau international trade is fetched." in said
    shown = "".join(lines(where)) + "".join(str(found) for found in doctor.diagnose(where))
    assert OWN_KEY not in shown


@pytest.mark.parametrize(
    ("key", "column", "reachable"), [(None, "not set", "no key set"), (OWN_KEY, "set", "not asked")]
)
def test_the_table_says_whether_a_publisher_needs_a_key_and_has_one(
    tmp_path: Path, key: str | None, column: str, reachable: str
) -> None:
    shown = lines(settings(census_key=key, warehouse_dir=tmp_path, offline=True))
    start = next(i for i, line in enumerate(shown) if "US Census Bureau" in line)
    assert column in shown[start]
    assert reachable in shown[start]
    assert sum(" none " in line for line in shown) == len(TRACKED.sources) - 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("METALS_NOW", "2031-01-01T00:00:00+00:00"),
        ("METALS_UPSTREAM_BASE_URL", "http://127.0.0.1:9"),
        ("METALS_AS_OF", "2020-01-01"),
        ("METALS_PUBLISH_DESPITE_FAILED_CHECKS", "only today"),
    ],
)
def test_a_setting_for_tests_or_for_one_call_is_a_problem_as_long_as_it_is_set(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    assert all(name != variable for name, *_ in doctor.diagnose(Settings()))
    monkeypatch.setenv(variable, value)
    [(_, good, said)] = [row for row in doctor.diagnose(Settings()) if row[0] == variable]
    assert not good
    assert said.startswith("is set: ")


ASKS = """
from pipelines.sources import Expect, Request

def plan(catalog, today):
    return [Request(key="all", url="https://desk.example.org/all", expect=Expect((b"x",)))]

def parse(body, key, catalog): ...
"""


@pytest.mark.parametrize(
    ("code", "good", "said"),
    [
        (MODULE, False, "plans no request and has no series"),
        (ASKS, True, "has no series: none of its figures is loaded, only filings and documents"),
        (MODULE.replace("[]", "1 / 0"), False, "plan: ZeroDivisionError('division by zero')"),
        ("import nothing_like_it", False, "ModuleNotFoundError: No module named 'nothing_like_it'"),
    ],
)
def test_a_publisher_of_ones_own_that_asks_nothing_or_has_no_series_is_named(
    tmp_path: Path, code: str, good: bool, said: str
) -> None:
    where = settings(warehouse_dir=tmp_path, overlay_dir=tmp_path / "overlay", offline=True)
    assert not [row for row in doctor.diagnose(where) if row[0].strip() in TRACKED.sources]
    (where.overlay_dir / "sources").mkdir(parents=True)
    (where.overlay_dir / "sources.yaml").write_text(yaml.safe_dump({"sources": [PUBLISHER]}), encoding="utf-8")
    (where.overlay_dir / "sources" / "own_desk.py").write_text(code, encoding="utf-8")
    [(_, passed, found)] = [row for row in doctor.diagnose(where) if row[0] == "  own_desk"]
    assert (passed, said in found) == (good, True), found


def test_without_a_catalogue_no_empty_table_is_shown(tmp_path: Path) -> None:
    where = settings(warehouse_dir=tmp_path, overlay_dir=tmp_path / "overlay", offline=True)
    where.overlay_dir.mkdir()
    (where.overlay_dir / "claims.yaml").write_text("claims: none", encoding="utf-8")
    assert lines(where) == ["Publishers are not shown, because the catalogue does not load."]
