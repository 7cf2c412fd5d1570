"""Responses cannot inject anything into their readers, and secrets do not leave this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import pytest
from dagster import DagsterInstance, build_run_status_sensor_context, job, op
from pydantic import SecretStr
from rich.table import Table

from pipelines import columns, contracts, landing, text, warehouse
from pipelines.brief import html
from pipelines.catalog import Catalog
from pipelines.errors import BadPayload, UpstreamUnavailable
from pipelines.landing import ask, land
from pipelines.orchestration import automation
from pipelines.reporting import progress
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
    journals = {f"landing/journal/{s}.jsonl" for s in desk.catalog.sources}
    locks = {f"landing/journal/.{s}.jsonl.lock" for s in desk.catalog.sources}
    assert {n for n in names if "journal" in n} == journals | locks


def test_an_answer_that_leads_on_and_on_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "MAX_REQUESTS", 5)
    settings = Settings(warehouse_dir=tmp_path, upstream_base_url="http://127.0.0.1:9", pacing=False)

    def further(n: int) -> Request:
        return Request(
            key=f"page {n}", url=f"https://{HOST}/{n}", expect=CSV, then=lambda _: [further(n + 1), further(n + 2)]
        )

    def answered(request: Request, *rest: Any) -> Any:
        rest[-2].append(landing.Retrieval("tiny", request.key, settings.clock(), "fresh"))
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


@pytest.mark.parametrize("behaviour", ["a redirect", "a head that drips", "a handshake that drips", "no answer"])
def test_a_webhook_is_asked_once_and_not_for_long(behaviour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect is not followed; whatever the server sends bit by bit, the call ends in time."""
    monkeypatch.setattr(automation, "ALERT_LIMIT_S", 1.0)
    connections, done = [], threading.Event()

    def serve(listener: socket.socket, port: int) -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            with connection, contextlib.suppress(OSError):
                if behaviour == "a redirect":
                    head = f"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:{port}/x\r\nContent-Length: 0\r\n\r\n"
                    connection.recv(65536)
                    connection.sendall(head.encode())
                piece = b"\x16\x03\x03\x40\x00" if "handshake" in behaviour else b"HTTP/1.1 200 OK\r\nX: "
                while "drips" in behaviour and not done.wait(0.1):
                    connection.sendall(piece)
                    piece = b"\x02" if "handshake" in behaviour else b"x"
                done.wait(0 if behaviour == "a redirect" else 5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, port), daemon=True).start()
        scheme = "https" if "handshake" in behaviour else "http"
        started = time.monotonic()
        with pytest.raises(UpstreamUnavailable, match=r"answered 307|no answer"):
            _alert(f"{scheme}://127.0.0.1:{port}{WEBHOOK_PATH}")
        assert time.monotonic() - started < 5  # the failed job's own time included
        done.set()
        assert len(connections) == 1


@pytest.mark.parametrize(
    ("url", "private", "contacted"),
    [
        ("http://hooks.example.org/x", False, False),
        ("http://hooks.example.org/x", True, True),
        ("http://127.0.0.1:{port}/x", False, True),
        ("http://localhost:{port}/x", False, True),
    ],
)
def test_a_webhook_on_this_network_is_one_that_the_user_set_so(
    url: str, private: bool, contacted: bool, webhook: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(webhook[0].rpartition(":")[2])
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **options: Any) -> Any:
        if host == "hooks.example.org":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("METALS_ALERT_WEBHOOK_PRIVATE", str(private))
    with contextlib.nullcontext() if contacted else pytest.raises(UpstreamUnavailable, match="private address"):
        _alert(url.format(port=port))
    assert len(webhook[1]) == contacted


# Secrets, by value

PROXIES = {
    "a password": ("http://desk:plantedpassword@10.0.0.1:3128", ["plantedpassword", "desk:plantedpassword"]),
    "a token as the user": ("http://plantedtoken@10.0.0.1:3128", ["plantedtoken"]),
    "a token and an empty password": ("http://plantedtoken:@10.0.0.1:3128", ["plantedtoken"]),
    "an encoded password": ("http://desk:pl%40nted%2Fsecret@10.0.0.1:3128", ["pl%40nted%2Fsecret", "pl@nted/secret"]),
    "a slash in it": ("http://desk:planted/andmore@10.0.0.1:3128", ["planted/andmore", "planted", "andmore"]),
    "an at sign in it": ("http://desk:planted@andmore@10.0.0.1:3128", ["planted@andmore", "planted", "andmore"]),
    "a hash in it": ("http://desk:planted#andmore@10.0.0.1:3128", ["planted#andmore", "planted", "andmore"]),
    "a question mark in it": ("http://desk:planted?andmore@10.0.0.1:3128", ["planted?andmore", "planted", "andmore"]),
    "as it is sent": ("http://desk:plantedpassword@10.0.0.1:3128", ["ZGVzazpwbGFudGVkcGFzc3dvcmQ="]),
    "no scheme": ("desk:plantedpassword@10.0.0.1:3128", ["plantedpassword"]),
}


@pytest.mark.parametrize(("proxy", "secrets"), PROXIES.values(), ids=PROXIES)
def test_a_proxys_credentials_are_in_no_message(
    proxy: str, secrets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(text, "_secrets", set())
    monkeypatch.setenv("https_proxy", proxy)
    settings = Settings(warehouse_dir=tmp_path, connect_timeout_s=0.2)
    for secret in secrets:
        for said in (text.redact(f"at {secret}, {secret.upper()}"), str(BadPayload(f"at {secret}"))):
            assert secret.lower() not in said.lower()
        text.logger("metals.test").warning("%s", f"at {secret}")
        assert secret not in caplog.text
    landed = land([source()], lambda _: Module(), Catalog([], [], [], []), settings)["tiny"]
    assert "planted" not in str(landed).replace("tiny", "")
    assert "andmore" not in str(landed)


def test_a_webhooks_path_is_in_no_message_however_it_is_cut() -> None:
    Settings(alert_webhook_url=SecretStr(f"https://hooks.example.org{WEBHOOK_PATH}"))
    for said in (WEBHOOK_PATH, WEBHOOK_PATH[1:], "plantedsecretplantedsecret", WEBHOOK_PATH.replace("/", "%2F")):
        assert "plantedsecret" not in str(BadPayload(f"url: {said}"))


# Text of publishers, on each way out

HOSTILE = {
    "colours and a cleared screen": "\x1b[31m\x1b[2J",
    "a title of the window": "\x1b]0;owned\x07",
    "a link of the terminal": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "the clipboard": "\x1b]52;c;ZWNobw==\x07",
    "C1 controls": "\x9b31m\x9d0;owned\x9c",
    "a carriage return": "good\rbad",
    "backspaces": "bad\x08\x08\x08good",
    "an override of direction": "\u202egnp.exe\u202c",
    "isolates": "\u2066\u2067\u2068\u2069",
    "invisible letters": "a\u200bb\u2060c\ufeffd",
    "tags": "\U000e0041\U000e0042",
    "NUL and DEL": "\x00\x7f",
    "a lone surrogate": "\ud800",
    "line separators": "\u2028\u2029\x85",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_terminal_shows_text_and_obeys_nothing(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether printed, in a table's cell and heading, with markup, as an error, or as a line of the log."""
    shown, _ = progress.consoles()
    table = Table("a", hostile)
    table.add_row("b", f"x{hostile}y")
    shown.print(f"x{hostile}y")
    shown.print(table)
    text.logger("metals.test").setLevel(logging.INFO)
    with progress.watching(shown, {}, verbose=False, quiet=False):
        text.logger("metals.test").warning("said: %s", hostile)
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert said.count("x") >= 2
    assert [c for c in said if not c.isprintable() and c not in text.SPACES] == []


def test_colours_of_our_own_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown, _ = progress.consoles()
    with shown.capture() as captured:
        shown.print("[red]bad[/] and \x1b[32mworse")
    assert "\x1b[31mbad\x1b[0m" in captured.get()
    assert "\x1b[32m" not in captured.get()


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_page_shows_text_and_obeys_nothing(hostile: str) -> None:
    page = jinja2.Environment(autoescape=True, finalize=html.harmless).from_string('<p title="{{ t }}">{{ t }}</p>')
    said = page.render(t=f"<b>{hostile}")
    assert "<b>" not in said
    assert [c for c in said if not c.isprintable() and c not in text.SPACES] == []


def test_a_title_longer_than_any_is_quarantined_and_said() -> None:
    rows = {name: [None, None] for name in columns.RAW["policy_document"]} | {
        "document_number": ["2026-1", "2026-2"], "topic": ["tariffs"] * 2, "title": ["t" * 2_000, "t" * 2_001],
        "publication_date": [date(2026, 1, 2)] * 2, "retrieved_on": [date(2026, 1, 3)] * 2, "row": ["1", "2"],
    }  # fmt: skip
    kinds = {name: column.type for name, column in columns.RAW["policy_document"].items()}
    frame = pl.DataFrame(rows, schema=kinds | {"retrieved_on": pl.Date, "row": pl.String})
    verdict = contracts.validate(frame, "policy_document")
    assert verdict.good["row"].to_list() == ["1"]
    assert verdict.bad.select("row", "reason").rows() == [("2", "title: is longer than 2,000 characters")]


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
