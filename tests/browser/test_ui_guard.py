"""`metals ui` answers its own pages and the programs of this machine, not the pages of other sites in its browser."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from dagster import AssetCheckEvaluation, AssetKey, AssetMaterialization, DagsterInstance

from pipelines import catalog as catalogs
from pipelines.landing import Retrieval
from pipelines.orchestration.assets import landed
from pipelines.settings import Settings

JSON = "Content-Type: application/json"
PLAIN = "Content-Type: text/plain"
WEBSOCKET = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: graphql-ws",
)  # fmt: skip
GET, POST, SOCKET = "GET", "POST", "GET websocket"
HOST, OWN = "Host: {host}", "Origin: http://{host}"
REBOUND = "Host: rebound.example.org:{port}"

# Name -> method, path, headers, status. {host} is the UI's own address, {query} a mutation as the address holds it; the
# body of every POST is that mutation as JSON.
ATTEMPTS: dict[str, tuple[str, str, tuple[str, ...], int]] = {
    # What a page of any site may send without asking: no preflight request goes before it.
    "plain text, query in the address": (POST, "/graphql?{query}", (HOST, PLAIN), 415),
    "plain text, with the page's origin": (POST, "/graphql?{query}", (HOST, PLAIN, "Origin: http://evil.example"), 403),
    "a form": (POST, "/graphql?{query}", (HOST, "Content-Type: application/x-www-form-urlencoded"), 415),
    "a form of parts": (POST, "/graphql?{query}", (HOST, "Content-Type: multipart/form-data; boundary=x"), 415),
    "no content type": (POST, "/graphql?{query}", (HOST,), 415),
    "JSON called plain text": (POST, "/graphql", (HOST, PLAIN), 415),
    "JSON in a parameter of plain text": (POST, "/graphql", (HOST, "Content-Type: text/plain; application/json"), 415),
    "a list of two types": (POST, "/graphql", (HOST, "Content-Type: text/plain, application/json"), 415),
    "two content types": (POST, "/graphql", (HOST, JSON, PLAIN), 415),
    "a type that begins as JSON's": (POST, "/graphql", (HOST, "Content-Type: application/jsonp"), 415),
    "GraphQL's own type": (POST, "/graphql?{query}", (HOST, "Content-Type: application/graphql"), 415),
    "an image": (GET, "/graphql?{query}", (HOST, "Accept: image/*"), 405),
    "an image, its path encoded": (GET, "/%67raphql?{query}", (HOST,), 405),
    "an image, its path with a line break": (GET, "/graphql%0a?{query}", (HOST,), 405),
    "the head of an image": ("HEAD", "/graphql?{query}", (HOST,), 405),
    "a materialisation reported": (POST, "/report_asset_materialization/raw/fred", (HOST, PLAIN), 415),
    "a check reported": (POST, "/report_asset_check/raw/fred?check_name=fresh&passed=true", (HOST, PLAIN), 415),
    "an observation reported": (POST, "/report_asset_observation/raw/fred", (HOST, PLAIN), 415),
    # JSON from a page of another origin.
    "JSON of a foreign page": (POST, "/graphql", (HOST, JSON, "Origin: http://evil.example"), 403),
    "JSON of a page without an origin": (POST, "/graphql", (HOST, JSON, "Origin: null"), 403),
    "JSON of another server here": (POST, "/graphql", (HOST, JSON, "Origin: http://127.0.0.1:8000"), 403),
    "JSON of another name of this server": (POST, "/graphql", (HOST, JSON, "Origin: http://localhost:{port}"), 403),
    "JSON of the same address over TLS": (POST, "/graphql", (HOST, JSON, "Origin: https://{host}"), 403),
    "JSON of a longer name": (POST, "/graphql", (HOST, JSON, "Origin: http://{host}.evil.example"), 403),
    "JSON of an address in a fragment": (POST, "/graphql", (HOST, JSON, "Origin: http://evil.example#{host}"), 403),
    "JSON of an address as a user": (POST, "/graphql", (HOST, JSON, "Origin: http://{host}@evil.example"), 403),
    "JSON of an extension": (POST, "/graphql", (HOST, JSON, "Origin: chrome-extension://abcdef"), 403),
    "two origins": (POST, "/graphql", (HOST, JSON, OWN, "Origin: http://evil.example"), 403),
    "another method": ("PUT", "/graphql?{query}", (HOST, PLAIN), 415),
    "a preflight request": (
        "OPTIONS", "/graphql", (HOST, "Origin: http://evil.example", "Access-Control-Request-Method: POST"), 403,
    ),
    # Names that an attacker's DNS server makes point here.
    "a rebound name": (GET, "/", (REBOUND,), 421),
    "a rebound name, JSON of its own page": (
        POST, "/graphql", (REBOUND, JSON, "Origin: http://rebound.example.org:{port}"), 421,
    ),
    "a rebound name, the true one forwarded": (POST, "/graphql", (REBOUND, JSON, "X-Forwarded-Host: {host}"), 421),
    "a rebound name in front": (POST, "/graphql", (REBOUND, HOST, JSON), 421),
    "a rebound name behind": (POST, "/graphql", (HOST, REBOUND, JSON), 421),
    "a name that begins as ours": (POST, "/graphql", ("Host: {host}.evil.example", JSON), 421),
    "a name that ends as ours": (POST, "/graphql", ("Host: evil.localhost:{port}", JSON), 421),
    "our address as a user": (POST, "/graphql", ("Host: {host}@evil.example", JSON), 421),
    "our address in a service of names": (POST, "/graphql", ("Host: 127.0.0.1.nip.io:{port}", JSON), 421),
    "a name that ends in a dot": (POST, "/graphql", ("Host: localhost.:{port}", JSON), 421),
    "all addresses": (POST, "/graphql", ("Host: 0.0.0.0:{port}", JSON), 421),
    "an address of the network": (POST, "/graphql", ("Host: 192.168.1.7:{port}", JSON), 421),
    "our address as one number": (POST, "/graphql", ("Host: 2130706433:{port}", JSON), 421),
    "our address in hexadecimal": (POST, "/graphql", ("Host: 0x7f.1:{port}", JSON), 421),
    "our address mapped into IPv6": (POST, "/graphql", ("Host: [::ffff:127.0.0.1]:{port}", JSON), 421),
    "a full-width digit": (POST, "/graphql", ("Host: 127.0.0.\uff11:{port}", JSON), 421),
    "an empty name": (POST, "/graphql", ("Host:", JSON), 421),
    "the address in the request line": (POST, "http://{host}/graphql", (REBOUND, JSON), 421),
    # Subscriptions.
    "a websocket of a foreign page": (SOCKET, "/graphql", (HOST, "Origin: http://evil.example", *WEBSOCKET), 403),
    "a websocket without an origin's name": (SOCKET, "/graphql", (HOST, "Origin: null", *WEBSOCKET), 403),
    "a websocket of another server here": (SOCKET, "/graphql", (HOST, "Origin: http://localhost:1", *WEBSOCKET), 403),
    "a websocket under a rebound name": (
        SOCKET, "/graphql", (REBOUND, "Origin: http://rebound.example.org:{port}", *WEBSOCKET), 403,
    ),
}  # fmt: skip
# What the UI and the programs of this machine send.
WELCOME: dict[str, tuple[str, str, tuple[str, ...], int]] = {
    "the page": (GET, "/overview?groupBy=none", (HOST,), 200),
    "the page as localhost": (GET, "/", ("Host: localhost:{port}",), 200),
    "the page through a forwarded port": (GET, "/", ("Host: 127.0.0.1:8080",), 200),
    "the page as IPv6 loopback": (GET, "/", ("Host: [::1]:{port}",), 200),
    "the query editor": (GET, "/graphql", (HOST, "Accept: text/html"), 200),
    "JSON of our page": (POST, "/graphql", (HOST, "Content-Type: application/json; charset=utf-8", OWN), 200),
    "JSON of our page at a forwarded port": (
        POST, "/graphql", ("Host: localhost:8080", JSON, "Origin: http://localhost:8080"), 200,
    ),
    "JSON of a program": (POST, "/graphql", (HOST, JSON), 200),
    "a websocket of our page": (SOCKET, "/graphql", (HOST, OWN, *WEBSOCKET), 101),
    "a websocket of a program": (SOCKET, "/graphql", (HOST, *WEBSOCKET), 101),
}  # fmt: skip


def _ask(ui: str, query: str) -> Any:
    """What the UI answers to a program of this machine."""
    body = json.dumps({"query": query}).encode()
    headers = {"Content-Type": "application/json"}
    question = urllib.request.Request(f"{ui}/graphql", data=body, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(question, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)["data"]


def _paused(ui: str) -> bool:
    return bool(_ask(ui, "{ instance { autoMaterializePaused } }")["instance"]["autoMaterializePaused"])


def _mutation(paused: bool) -> str:
    return f"mutation {{ setAutoMaterializePaused(paused: {str(paused).lower()}) }}"


def _status(ui: str, attempt: tuple[str, str, tuple[str, ...], int], mutation: str) -> tuple[int, str]:
    """Status and head of the answer to a request that is sent byte for byte."""
    method, path, headers, _ = attempt
    address = urlsplit(ui)
    places = {"host": address.netloc, "port": f"{address.port}", "query": f"query={quote(mutation)}"}
    body = json.dumps({"query": mutation}) if method not in (GET, "HEAD", SOCKET) else ""
    lines = [f"{method.partition(' ')[0]} {path} HTTP/1.1", *headers]
    if method != SOCKET:
        lines += ["Connection: close", f"Content-Length: {len(body)}"]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join([*(line.format(**places) for line in lines), "", body]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := connection.recv(1 << 16)):
            answer += piece
    head = answer.partition(b"\r\n\r\n")[0].decode()
    return int(head.split()[1]), head.lower()


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_request_of_another_site_is_refused_and_changes_nothing(
    ui: str, attempt: tuple[str, str, tuple[str, ...], int]
) -> None:
    before = _paused(ui)
    status, head = _status(ui, attempt, _mutation(not before))
    assert _paused(ui) == before
    assert status == attempt[3]
    assert "access-control-allow" not in head


@pytest.mark.parametrize("request_", WELCOME.values(), ids=WELCOME)
def test_what_the_ui_and_programs_send_is_answered(ui: str, request_: tuple[str, str, tuple[str, ...], int]) -> None:
    before = _paused(ui)
    status, head = _status(ui, request_, _mutation(not before))
    assert status == request_[3]
    assert _paused(ui) == (before if request_[0] != POST else not before)
    assert status == 101 or "x-frame-options: deny" in head


# A browser, with a page of another origin that does what it can

LAUNCH = """mutation { launchRun(executionParams: {
  mode: "default", runConfigData: "{}", selector: {
    repositoryLocationName: "metals-drivers", repositoryName: "__repository__", jobName: "prices_only"
  } }) { __typename } }"""
EVIL = """<!DOCTYPE html><title>prices</title><body><script>
const ui = UI, query = QUERY, address = ui + "/graphql?query=" + encodeURIComponent(query);
const body = JSON.stringify({query}), tries = [];
for (const type of ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"])
  for (const to of [address, ui + "/graphql"])
    tries.push(fetch(to, {method: "POST", mode: "no-cors", headers: {"Content-Type": type}, body}));
tries.push(fetch(ui + "/graphql", {method: "POST", headers: {"Content-Type": "application/json"}, body}));
tries.push(fetch(address, {mode: "no-cors"}));
tries.push(new Promise(done => {
  const image = new Image();
  image.onload = image.onerror = done;
  image.src = address;
}));
tries.push(new Promise(done => {
  const socket = new WebSocket(ui.replace("http", "ws") + "/graphql", "graphql-ws");
  socket.onopen = () => { window.connected = true; done(); };
  socket.onerror = socket.onclose = done;
}));
navigator.sendBeacon(address, body);
const form = document.createElement("form"), frame = document.createElement("iframe");
frame.name = "sink"; form.target = "sink"; form.method = "POST"; form.enctype = "text/plain"; form.action = address;
document.body.append(frame, form); form.submit();
const shown = document.createElement("iframe");
shown.src = ui + "/jobs"; document.body.append(shown);
Promise.allSettled(tries).then(() => setTimeout(() => document.title = "tried", 1000));
</script>"""


@pytest.fixture
def evil(ui: str) -> Iterator[int]:
    """The port of another server of this machine, whose page attacks the UI."""
    page = EVIL.replace("UI", json.dumps(ui), 1).replace("QUERY", json.dumps(LAUNCH), 1).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Silence."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    yield httpd.server_port
    httpd.shutdown()
    httpd.server_close()


def _runs(ui: str) -> list[str]:
    """The runs' ids, newest first."""
    found = _ask(ui, "{ runsOrError { ... on Runs { results { id } } } }")["runsOrError"]["results"]
    return [run["id"] for run in found]


@pytest.mark.parametrize("site", ["127.0.0.1", "localhost", "rebound.example.org"])
def test_a_page_of_another_origin_launches_no_run(browser: Any, ui: str, evil: int, site: str) -> None:
    before = _runs(ui)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://{site}:{evil}/")
    page.wait_for_function("document.title === 'tried'", timeout=60_000)
    assert not page.evaluate("window.connected")
    assert not any("/jobs" in frame.url for frame in page.frames)  # shown in no frame
    context.close()
    assert _runs(ui) == before


def test_a_rebound_name_shows_nothing_of_the_ui(browser: Any, ui: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://rebound.example.org:{urlsplit(ui).port}/")
    assert answer.status == 421
    assert "not served here" in page.inner_text("body")
    context.close()


def test_the_ui_launches_a_run_and_follows_it(browser: Any, ui: str) -> None:
    """From its own page, with its own requests: the launch, and the log of the run over a websocket."""
    before = len(_runs(ui))
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, base_url=ui)
    page = context.new_page()
    page.set_default_timeout(120_000)
    sockets: list[str] = []
    page.on("websocket", lambda opened: opened.on("framereceived", lambda frame: sockets.append(str(frame))))
    page.goto("/locations/metals-drivers/jobs/prices_only")
    page.get_by_role("button", name="Materialize all").click()
    deadline = time.monotonic() + 60
    while len(runs := _runs(ui)) == before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(runs) == before + 1
    page.goto(f"/runs/{runs[0]}")
    page.get_by_text("Success", exact=True).first.wait_for()
    context.close()
    assert any("pipelineRunLogs" in frame for frame in sockets)


# What publishers send, where the UI shows Markdown

HOSTILE = (
    "![x](http://evil.example/a.png) [click](http://evil.example/b) <img src=http://evil.example/c> "
    "http://evil.example/d www.evil.example/e https://evil.example/f me@evil.example | `code` **bold** "
    "<a href='javascript:alert(1)'>g</a> ![y][1] <http://evil.example/h>"
)


def test_a_publishers_markdown_is_shown_as_text(
    browser: Any, ui: str, ui_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(ui_home / "dagster"))
    key = AssetKey(["landing", "fred"])
    failed = Retrieval("fred", f"key {HOSTILE}", datetime(2026, 8, 21), "failed", error=f"answered 500: {HOSTILE}")  # noqa: DTZ001
    check = landed._answered(catalogs.load(Settings().catalog_dir).sources["fred"], [failed])
    with DagsterInstance.get() as instance:
        instance.report_runless_asset_event(AssetMaterialization(key, metadata=landed._metadata([failed])))
        instance.report_runless_asset_event(
            AssetCheckEvaluation(
                asset_key=key, check_name="answered", passed=False, metadata=check.metadata,
                severity=check.severity, description=check.description,
            )
        )  # fmt: skip
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, base_url=ui)
    page = context.new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/assets/landing/fred")
    page.get_by_role("cell", name="answered 500").first.wait_for()
    assert "![x](http" in page.get_by_role("cell", name="answered 500").first.inner_text().replace("\u2060", "")
    made = "a[href*='evil'], img[src*='evil'], a[href^='javascript'], a[href^='mailto']"
    assert page.locator(made).count() == 0
    page.goto("/assets/landing/fred?view=checks&checkDetail=answered")
    page.get_by_text("answered 500").first.wait_for()
    assert page.locator(made).count() == 0
    context.close()
    assert not any("evil" in address for address in asked)


# Start and stop


def test_the_ui_listens_on_this_machine_only(ui: str) -> None:
    listening = {
        local.rpartition(":")[0]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        for _, local, _, state in [line.split()[:4]]
        if state == "0A" and int(local.rpartition(":")[2], 16) == urlsplit(ui).port
    }
    assert listening == {"0100007F"}  # 127.0.0.1


def test_an_address_that_is_taken_is_one_sentence(ui: str, tmp_path: Path) -> None:
    port = urlsplit(ui).port
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "ui", "--port", f"{port}"],
        env=os.environ | {"DAGSTER_HOME": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error cannot listen on --host 127.0.0.1 --port {port}: Address already in use")
    assert "choose another one with --port" in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stop_signal_ends_all_processes(tmp_path: Path, sent: signal.Signals) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: true}\n", encoding="utf-8")  # another project's
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path), "METALS_WAREHOUSE_DIR": str(tmp_path / "warehouse")}
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "ui", "--port", f"{port}"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert f"serving http://127.0.0.1:{port}" in process.stderr.readline()
        with contextlib.suppress(OSError):
            _ask(f"http://127.0.0.1:{port}", "{ version }")
        process.send_signal(sent)
        assert process.wait(60) == 0
        said = process.stderr.read()
    assert "Traceback" not in said
    deadline = time.monotonic() + 30
    while _in_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _in_session(process.pid) == []
    assert not (tmp_path / ".telemetry").exists()


def _in_session(session: int) -> list[str]:
    """The processes of a session that still run."""
    listed = subprocess.run(["ps", "-o", "args=", "-s", f"{session}"], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if "defunct" not in line]
