"""Responses cannot inject anything into their readers, and secrets do not leave this machine."""

from __future__ import annotations

import logging
import os
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, build_run_status_sensor_context, job, op
from pydantic import SecretStr

from pipelines import landing, warehouse
from pipelines.catalog import Catalog
from pipelines.errors import BadPayload, UpstreamUnavailable
from pipelines.landing import ask, land
from pipelines.orchestration import automation
from pipelines.settings import Settings
from pipelines.sources import Request
from tests.faults.conftest import FEDFUNDS, PPI, Desk
from tests.unit.test_landing import CSV, HOST, Module, source

ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u200b\x00\r\n"


def test_what_a_terminal_would_obey_is_taken_out_of_every_message(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    page = f"<html>{ESCAPES}down</html>".encode() * 20
    desk.replay.serve(FEDFUNDS, page, "text/html")
    day = desk.run()
    said = day.said("fred") + "".join(r.getMessage() for r in caplog.records if r.name.startswith("metals"))
    assert "down" in said
    assert not any(c in said for c in "\x1b\x07\u202e\u200b\x00")
    assert not any(c in str(BadPayload(ESCAPES)) for c in "\x1b\x07\u202e\u200b\x00\r\n")


def test_sql_in_a_payload_stays_text(desk: Desk) -> None:
    evil = "x'); drop table raw.observation; --"
    desk.run()
    before = desk.everything()
    body = desk.body("RPT_ECONOMY_PPI").replace(b'"2026-05-01 00:00:00"', f'"{evil}"'.encode())
    desk.replay.serve(PPI, body, "application/json")
    desk.run()
    assert desk.everything() == before
    assert [(reason, evil in str(row)) for _, row, reason in desk.quarantined()] == [
        (f"not a period of this series: '{evil}'", True)
    ] * 2


def test_a_name_from_a_payload_opens_no_file(desk: Desk) -> None:
    """Landed bytes are named by their hash and journals by the catalogue's source, whatever the answer says."""
    desk.replay.serve(FEDFUNDS, b"observation_date,../../../evil\n2026-01-01,1\n" * 9, "text/csv", ETag='"../../evil"')
    desk.run()
    root = desk.settings.warehouse_dir
    names = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    assert not any("evil" in name for name in names)
    assert {n for n in names if "journal" in n} == {f"landing/journal/{s}.jsonl" for s in desk.catalog.sources}


def test_an_answer_that_leads_on_and_on_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "MAX_REQUESTS", 5)
    settings = Settings(warehouse_dir=tmp_path, upstream_base_url="http://127.0.0.1:9", pacing=False)

    def further(n: int) -> Request:
        return Request(
            key=f"page {n}", url=f"https://{HOST}/{n}", expect=CSV, then=lambda _: [further(n + 1), further(n + 2)]
        )

    def answered(request: Request, *rest: Any) -> Any:
        rest[-1].append(landing.Retrieval("tiny", request.key, settings.clock(), "fresh"))
        assert request.then is not None
        yield from request.then(b"")

    monkeypatch.setattr(ask, "_retrieve", answered)
    checks = land([source()], lambda _: Module(further(0)), Catalog([], [], [], []), settings)["tiny"]
    assert [c.outcome for c in checks] == ["fresh"] * 5 + ["failed"]
    assert "leads to more than 5 requests" in str(checks[-1].error)


# Alerts: the webhook's address is the key to a channel

WEBHOOK_PATH = "/services/T000/B000/plantedsecretplantedsecret"


@pytest.fixture
def webhook() -> Any:
    posted: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(404 if "plantedsecret" in self.path else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()


def _alert(url: str) -> None:
    @op
    def breaks() -> None:
        raise ValueError("row 7 has api_key=0123456789abcdef")

    @job
    def failing() -> None:
        breaks()

    sensor = automation.alert(Settings(alert_webhook_url=SecretStr(url)))
    assert sensor is not None
    with DagsterInstance.ephemeral() as instance:
        result = failing.execute_in_process(instance=instance, raise_on_error=False)
        context = build_run_status_sensor_context(
            sensor_name="alert_on_failure",
            dagster_event=result.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        ).for_run_failure()
        sensor(context)


def test_an_alert_says_what_failed_without_its_keys(webhook: tuple[str, list[bytes]]) -> None:
    url, posted = webhook
    _alert(url)
    assert len(posted) == 1
    assert b"failed" in posted[0]
    assert b"0123456789abcdef" not in posted[0]


@pytest.mark.parametrize("reachable", [True, False])
def test_an_alert_that_fails_does_not_say_its_address(webhook: tuple[str, list[bytes]], reachable: bool) -> None:
    base = webhook[0] if reachable else "http://127.0.0.1:9"
    with pytest.raises(UpstreamUnavailable) as failure:
        _alert(base + WEBHOOK_PATH)
    assert "the alert could not be posted" in str(failure.value)
    assert "plantedsecret" not in f"{failure.getrepr()}"
    settings = Settings(alert_webhook_url=SecretStr(base + WEBHOOK_PATH))
    assert "plantedsecret" not in f"{settings!r} {settings} {settings.model_dump()}"


# Files and servers


def test_nothing_that_is_written_can_be_changed_by_others(tmp_path: Path) -> None:
    """Whatever the user's umask lets through, the published file is 0644; its folder is not for all to write."""
    settings = Settings(warehouse_dir=tmp_path / "warehouse")
    before = os.umask(0o002)
    try:
        with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
            connection.execute("create table main.one as select 1 as n")
        with warehouse.exclusive(settings):
            warehouse.publish(settings)
    finally:
        os.umask(before)
    assert stat.S_IMODE(settings.published_path.stat().st_mode) == 0o644
    for path in settings.warehouse_dir.rglob("*"):
        assert not path.stat().st_mode & stat.S_IWOTH, path


def test_urllib3_says_no_key_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug("GET /x?api_key=%s HTTP/1.1", "0123456789abcdef")
    assert "0123456789abcdef" not in caplog.text
    assert "api_key=***" in caplog.text
