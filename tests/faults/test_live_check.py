"""`metals doctor --live` over HTTP with publishers that drifted: each is named as what it is, the others are good."""

from __future__ import annotations

import json
import warnings
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import materialize
from typer.testing import CliRunner, Result

from pipelines import catalog as catalogs
from pipelines import cli, landing, sources, warehouse
from pipelines.ingest import live
from pipelines.ingest.live import LiveCheck
from pipelines.orchestration.assets import live as weekly_live
from pipelines.orchestration.assets import raw
from pipelines.orchestration.resources import MetalsRun
from pipelines.reporting import doctor
from pipelines.settings import Settings
from tests.fuzz import corpus
from tests.replay import Replay

TRACKED = catalogs.load(Settings().catalog_dir)
NOW = corpus.NOW
LANDED = NOW - timedelta(days=10)  # before the last weekly check
MONTHS_AGO = datetime.fromisoformat("2026-03-05T22:30:00+00:00")
CHALLENGE = b"<!DOCTYPE html><html><head><script>" + b"var a=1;" * 4800 + b"</script></head><body></body></html>"
OWID = "owid-public.owid.io"
EMBER = "files.ember-energy.org"
NBS = "data.stats.gov.cn"
CFTC = "publicreporting.cftc.gov"
HTS = "hts.usitc.gov"
# Publishers whose answers of the shipped upstream are as fresh as the catalogue asks.
FRESH = (
    "fred", "eastmoney", "sec_edgar", "nbs", "cftc", "cftc_legacy", "yahoo", "lbma", "shfe", "gfex", "westmetall",
    "cme_stocks", "comtrade", "gacc", "ember", "owid_energy", "usgs_mcs", "usitc_hts", "census_trade",
    "worldbank_indicators",
)  # fmt: skip


def land(where: Settings, *names: str) -> None:
    landing.land([TRACKED.sources[n] for n in names], sources.module, TRACKED, where)


def check(where: Settings, *names: str) -> dict[str, LiveCheck]:
    found = live.check([TRACKED.sources[n] for n in names], sources.module, TRACKED, where)
    return {c.source_id: c for c in found}


@pytest.fixture
def where(replay: Replay, tmp_path: Path) -> Settings:
    """Settings of a machine at NOW; `replay` stands there too."""
    replay.now = NOW
    replay.documents = list(corpus.DOCUMENTS)
    return corpus.settings_for(tmp_path / "warehouse", replay.base_url)


def at(where: Settings, moment: datetime, replay: Replay) -> Settings:
    replay.now = moment
    return where.model_copy(update={"now": moment})


def body_of(replay: Replay, where: Settings, source_id: str) -> bytes:
    """What the publisher answers to the request of the check now."""
    answer = next(live.answers(TRACKED.sources[source_id], sources.module(source_id), TRACKED, where))
    return answer.body


def tree(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def drifted(replay: Replay, where: Settings) -> Settings:
    """Everything landed ten days ago; since then five publishers drifted in five ways."""
    land(at(where, MONTHS_AGO, replay), "cftc")
    frozen = body_of(replay, at(where, MONTHS_AGO, replay), "cftc")
    land(at(where, LANDED, replay), *(n for n in FRESH if n != "cftc"))
    replay.now = NOW
    columns = body_of(replay, where, "owid_energy").replace(b"coal_electricity", b"coal_power", 1)
    replay.serve(OWID, columns, "text/csv")
    replay.serve(EMBER, body_of(replay, where, "ember").replace(b"n (TWh)", b"n (GWh)", 1), "text/csv")
    replay.serve(NBS, CHALLENGE, "text/html")
    replay.serve(CFTC, frozen, "application/json")
    replay.fault(HTS, "404_html")
    return where


def run(monkeypatch: pytest.MonkeyPatch, where: Settings, *arguments: str) -> Result:
    for name, value in {
        "METALS_WAREHOUSE_DIR": str(where.warehouse_dir),
        "METALS_UPSTREAM_BASE_URL": str(where.upstream_base_url),
        "METALS_NOW": NOW.isoformat(),
        "METALS_CONTACT": "Jane Q. Doe jane@example.com",
        "METALS_PERSONAL_USE": "true",
        "METALS_CENSUS_KEY": "synthetic-key-for-tests",
        "METALS_PACING": "false",
    }.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(cli.app, ["doctor", *arguments], catch_exceptions=False)


def test_five_publishers_that_drifted_in_five_ways_are_named_and_the_others_are_good(
    drifted: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = tree(drifted.warehouse_dir)
    report = tmp_path / "report.json"
    result = run(monkeypatch, drifted, "--live", *FRESH, "--report", str(report))
    assert result.exit_code == 1
    found = {c["source_id"]: c for c in json.loads(report.read_text())["live_checks"]}
    assert list(found) == [s for s in TRACKED.sources if s in FRESH]
    states = {name: c["state"] for name, c in found.items() if c["state"] != "good"}
    assert states == {
        "owid_energy": "drifted",
        "ember": "drifted",
        "nbs": "blocked",
        "cftc": "frozen",
        "usitc_hts": "moved",
    }
    said = {name: [(f["kind"], f["said"]) for f in c["findings"]] for name, c in found.items()}
    assert ("column", "columns missing: 'coal_electricity'; new: 'coal_power'") in said["owid_energy"]
    assert any(kind == "series" and "no column coal_electricity" in text for kind, text in said["owid_energy"])
    assert ("unit", "another unit: 'Generation (GWh)' in place of 'Generation (TWh)'") in said["ember"]
    [(kind, text)] = said["cftc"]
    # Of Tuesday the 24th, published on the 27th; the next report came out on 6 March.
    assert (kind, text[:73]) == ("age", "frozen: no newer figure than 2026-02-24, the same bytes since 2026-03-05 ")
    [(kind, text)] = said["nbs"]
    assert kind == "block"
    assert text.startswith("blocked, answered 200 with a page of scripts")
    [(kind, text)] = said["usitc_hts"]
    assert kind == "address"
    assert text.startswith("moved: answered 404")
    facts = {n: (found[n]["status"], found[n]["content_type"], found[n]["bytes"] > 100) for n in ("nbs", "usitc_hts")}
    assert facts["nbs"] == (200, "text/html", True)
    assert facts["usitc_hts"][0] == 404

    assert tree(drifted.warehouse_dir) == before, "something was landed or published"
    tally = " ".join(result.stdout.split())
    for words in ("15 good", "drifted (ember, owid_energy)", "blocked (nbs)", "frozen (cftc)", "moved (usitc_hts)"):
        assert words in tally


def test_publishers_as_they_were_are_good_and_the_exit_code_is_0(
    replay: Replay, where: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(at(where, LANDED, replay), "fred", "usitc_hts", "ember")
    replay.now = NOW
    result = run(monkeypatch, where, "--live", "fred", "usitc_hts", "ember")
    assert result.exit_code == 0
    assert "3 good" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--live", "nobody"), "unknown publisher nobody"), (("fred",), "go with --live"),
     (("--live", "fred", "--report", "/nowhere/at/all.json"), "there is no folder")],
)  # fmt: skip
def test_wrong_usage_is_refused_before_anyone_is_asked(
    where: Settings, replay: Replay, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    result = run(monkeypatch, where, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert replay.seen == []


@pytest.mark.parametrize(
    ("location", "finding"),
    [
        ("/reststop/releases", "moved: answered from hts.usitc.gov/reststop/releases"),
        ("https://elsewhere.example.org/list", "moved: leads to host 'elsewhere.example.org'"),
        ("http://hts.usitc.gov/reststop/releaseList", "moved: redirects to an address without TLS"),
    ],
)
def test_a_redirect_to_another_path_or_host_is_a_moved_address(
    replay: Replay, where: Settings, location: str, finding: str
) -> None:
    body = body_of(replay, where, "usitc_hts")
    replay.serve(HTS, b"", "text/html", 301, Location=location)
    replay.serve(f"{HTS}/reststop/releases", body, "application/json")
    found = check(where, "usitc_hts")["usitc_hts"]
    assert found.state == "moved"
    assert str(found.finding).startswith(finding)


@pytest.mark.parametrize(
    ("fault", "state"),
    [("403", "blocked"), ("429", "blocked"), ("503", "not_reached"), ("refused", "not_reached"), ("410", "moved"),
     ("400", "drifted"), ("200_html", "drifted"), ("empty", "drifted"), ("redirect_loop", "moved"),
     ("redirect_other_host", "moved"), ("truncated", "not_reached")],
)  # fmt: skip
def test_each_fault_has_its_state(replay: Replay, where: Settings, fault: str, state: str) -> None:
    replay.fault(HTS, fault)
    assert check(where, "usitc_hts")["usitc_hts"].state == state


def test_a_series_that_is_lost_is_reported_again_after_the_drifted_answer_landed(
    replay: Replay, where: Settings
) -> None:
    """The parser takes the other series, so the answer lands and is loaded; the loss must not become the norm."""
    land(at(where, LANDED, replay), "cftc_legacy")
    replay.now = NOW
    lines = body_of(replay, where, "cftc_legacy").splitlines(keepends=True)
    copper = TRACKED.series["cftc_legacy_copper_open_interest_contracts"].select["code"]
    without = b"".join(line for line in lines if f",{copper}".encode() not in line.replace(b" ", b""))
    assert len(without) < sum(map(len, lines))
    replay.serve("www.cftc.gov", without, "text/plain")
    for _ in range(2):
        found = check(where, "cftc_legacy")["cftc_legacy"]
        assert found.state == "drifted"
        assert str(found.finding).startswith("3 of 15 series not found: cftc_legacy_copper")
        assert (found.series_found, found.series_wanted) == (12, 15)
        land(where, "cftc_legacy")


def test_a_new_column_is_a_change_that_concerns_no_figure(replay: Replay, where: Settings) -> None:
    land(at(where, LANDED, replay), "usitc_hts")
    replay.now = NOW
    releases = json.loads(body_of(replay, where, "usitc_hts"))
    replay.serve(HTS, json.dumps([{**r, "annex": "I"} for r in releases]).encode(), "application/json")
    found = check(where, "usitc_hts")["usitc_hts"]
    assert (found.state, found.finding) == ("changed", "columns new: '[].annex'")
    assert found.sound


def test_answers_are_compared_with_those_of_a_week_ago(replay: Replay, where: Settings) -> None:
    """A change that the parser did not mind lands with the next run; the weekly check still names it."""
    land(at(where, LANDED, replay), "usitc_hts")
    replay.now = NOW
    releases = json.loads(body_of(replay, where, "usitc_hts"))
    replay.serve(HTS, json.dumps([{**r, "annex": "I"} for r in releases]).encode(), "application/json")
    land(where.model_copy(update={"now": NOW - timedelta(days=2)}), "usitc_hts")
    assert check(where, "usitc_hts")["usitc_hts"].finding == "columns new: '[].annex'"
    later = where.model_copy(update={"now": NOW + timedelta(days=7)})
    assert check(later, "usitc_hts")["usitc_hts"].state == "good"


def test_who_is_switched_off_has_no_key_or_offline_is_not_asked(replay: Replay, where: Settings) -> None:
    off = where.model_copy(update={"personal_use": False, "census_key": None})
    found = check(off, "yahoo", "census_trade") | check(off.model_copy(update={"offline": True}), "fred")
    assert {n: (c.state, c.finding) for n, c in found.items()} == {
        "yahoo": ("not_asked", "switched off"),
        "census_trade": ("not_asked", "no key"),
        "fred": ("not_asked", "offline"),
    }
    assert replay.seen == []


def test_one_small_request_is_sent_and_a_key_is_not_kept(replay: Replay, where: Settings) -> None:
    found = check(where, "fred", "census_trade", "eastmoney", "comtrade")
    asked = {name: [seen for seen in replay.seen if seen.host in TRACKED.sources[name].hosts] for name in found}
    assert {name: len(seen) for name, seen in asked.items() if name != "comtrade"} == {
        "fred": 1, "census_trade": 1, "eastmoney": 1,
    }  # fmt: skip
    assert 1 < len(asked["comtrade"]) <= 10, "months that are not out yet are passed over"
    assert found["comtrade"].rows
    assert asked["census_trade"][0].query["key"] == ["synthetic-key-for-tests"]
    assert "synthetic-key" not in str(found)


def test_a_bug_of_a_module_is_that_publishers_alone(where: Settings) -> None:
    class Broken:
        def plan(self, *_: Any) -> Any:
            raise ZeroDivisionError("planted")

    modules = {"fred": Broken(), "usitc_hts": sources.module("usitc_hts")}
    found = live.check([TRACKED.sources[n] for n in modules], modules.__getitem__, TRACKED, where)  # type: ignore[arg-type]
    assert [(c.state, c.finding) for c in found] == [("drifted", "ZeroDivisionError: planted"), ("good", None)]


SECRETS = (
    "jane", "Q. Doe", "example.com", "synthetic-key-for-tests", "203.0.113.7", "2001:db8::7", "proxy.corp", "127.0.0.1",
)  # fmt: skip


def test_the_report_names_neither_user_nor_machine(
    replay: Replay, where: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.corp.example:3128")
    page = (
        f"<html>You (203.0.113.7, 2001:db8::7) asked as Jane Q. Doe jane@example.com with synthetic-key-for-tests "
        f"through proxy.corp.example at 12:34:56 from {where.warehouse_dir}</html>"
    )
    replay.serve("api.census.gov", page.encode(), "text/html", 403)
    report = tmp_path / "report.json"
    run(monkeypatch, where, "--live", "census_trade", "usitc_hts", "--report", str(report))
    text = report.read_text()
    assert [secret for secret in (*SECRETS, str(where.warehouse_dir)) if secret.lower() in text.lower()] == []
    block = json.loads(text)["live_checks"]
    assert {c["source_id"]: c["state"] for c in block} == {"usitc_hts": "good", "census_trade": "blocked"}
    assert "at 12:34:56 from" in text, "a time is no address"
    assert "https://hts.usitc.gov/reststop/releaseList" in text


# The weekly job.


def weekly(where: Settings, monkeypatch: pytest.MonkeyPatch, *names: str) -> tuple[bool, dict[str, str], bool]:
    """Run the job's asset: whether it succeeded, the states in raw.live_check, and whether its check passed."""
    for name, value in {
        "METALS_WAREHOUSE_DIR": str(where.warehouse_dir),
        "METALS_UPSTREAM_BASE_URL": str(where.upstream_base_url),
        "METALS_NOW": where.clock().isoformat() + "+00:00",
        "METALS_PACING": "false",
    }.items():
        monkeypatch.setenv(name, value)
    some = catalogs.Catalog([TRACKED.sources[n] for n in names], TRACKED.series.values(), [], TRACKED.metals.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = materialize([weekly_live.build(some)], resources={"metals": MetalsRun()}, raise_on_error=False)
    with warehouse.writer(where) as connection:
        rows = connection.execute("select source_id, state from raw.live_check order by checked_at").fetchall()
    [evaluated] = result.get_asset_check_evaluations()
    return result.success, dict(rows), evaluated.passed


def test_the_weekly_job_fails_once_for_a_new_drift_and_keeps_each_result(
    replay: Replay, where: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("usitc_hts", "nbs")
    assert weekly(where, monkeypatch, *names) == (True, {"usitc_hts": "good", "nbs": "good"}, True)
    replay.fault(HTS, "404_html")
    replay.fault(NBS, "403")
    found = {"usitc_hts": "moved", "nbs": "blocked"}
    assert weekly(at(where, NOW + timedelta(days=7), replay), monkeypatch, *names) == (False, found, False)
    # Said once: the check stays yellow. A block is no failure.
    assert weekly(at(where, NOW + timedelta(days=14), replay), monkeypatch, *names) == (True, found, False)
    assert len(live.kept(where)) == 6
    assert not (where.landing_dir / "objects").exists()


def test_a_run_fills_the_table_of_a_new_build_from_the_journal(
    where: Settings, monkeypatch: pytest.MonkeyPatch, checks: list[LiveCheck]
) -> None:
    live.keep(checks, where)
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(where.warehouse_dir))
    monkeypatch.setenv("METALS_BUNDLED_DIR", str(where.warehouse_dir / "none"))
    some = catalogs.Catalog([TRACKED.sources["gacc"]], TRACKED.series_of("gacc"), [], TRACKED.metals.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert materialize([raw.build(some)], resources={"metals": MetalsRun()}).success
    with warehouse.writer(where) as connection:
        found = connection.execute("select source_id from raw.live_check order by 1").fetchall()
    assert found == [("fred",), ("nbs",), ("usitc_hts",)]


# The journal and the table.


@pytest.fixture
def checks(replay: Replay, where: Settings) -> list[LiveCheck]:
    replay.fault(NBS, "403")
    return list(check(where, "usitc_hts", "nbs", "fred").values())


def test_the_history_is_kept_beside_the_landed_responses_and_rebuilt_from_there(
    where: Settings, checks: list[LiveCheck]
) -> None:
    live.keep(checks, where)
    journal = where.landing_dir / "live_checks.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"source_id": "fred", "che')  # cut off by a kill
    later = [replace(c, checked_at=c.checked_at + timedelta(days=7), state="good") for c in checks]
    live.keep(later, where)
    assert live.kept(where) == [*checks, *later]
    with closing(warehouse.scratch()) as connection:
        for _ in range(2):  # the second time nothing is added
            live.load(connection, where)
            rows = connection.execute(
                "select source_id, state, series_found, newest_period, finding from raw.live_check order by all"
            ).fetchall()
            assert len(rows) == 6
    [blocked] = [row for row in rows if row[1] == "blocked"]
    assert blocked[0] == "nbs"
    assert blocked[4].startswith("blocked, answered 403")
    assert [row[2] for row in rows if row[0] == "fred"] == [1, 1]


@pytest.mark.parametrize("change", [{"state": "splendid"}, {"series_found": 9, "series_wanted": 1}, {"status": 9}])
def test_a_line_that_breaks_the_contract_is_named_and_not_loaded(
    where: Settings, checks: list[LiveCheck], change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    live.keep([replace(checks[0], **change), *checks[1:]], where)
    with closing(warehouse.scratch()) as connection:
        live.load(connection, where)
        assert connection.execute("select count(*) from raw.live_check").fetchone() == (2,)
    assert f"live check of {checks[0].source_id}" in caplog.text


def test_the_doctor_shows_the_last_check_and_what_costs_figures(where: Settings, checks: list[LiveCheck]) -> None:
    def shown() -> list[tuple[bool, str]]:
        return [(ok, said) for name, ok, said in doctor.diagnose(where) if name in ("live check", "  fred")]

    assert shown()[0][1].startswith("none yet")
    live.keep(checks, where)
    assert shown() == [(True, "2026-08-21: 2 good, 1 blocked (nbs)")]
    drifted = replace(checks[0], source_id="fred", state="drifted", finding="columns missing: 'a'")
    live.keep([replace(drifted, checked_at=drifted.checked_at + timedelta(days=7))], where)
    assert shown() == [(False, "2026-08-28: 1 drifted (fred)"), (False, "columns missing: 'a'")]
