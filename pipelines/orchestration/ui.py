"""`metals ui`: Dagster's webserver behind a guard, and Dagster's daemon for the schedule.

The webserver answers anyone who can reach it, and a browser reaches 127.0.0.1 on behalf of every page that it shows.
`dagster dev` starts the webserver as a process that takes no middleware, so both are started here.
"""

from __future__ import annotations

import contextlib
import errno
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._serdes import serialize_value
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines import text
from pipelines.errors import MetalsError
from pipelines.orchestration import instance as instances
from pipelines.settings import PROJECT_ROOT

log = text.logger("metals.ui")

# Names of this machine that no DNS server decides. The port is free: ssh and containers forward from another one.
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII)
STOP_TIMEOUT_S = 50  # a run in progress is marked as cancelled meanwhile
POLICY_VIOLATION = 1008


class Guard:
    """ASGI middleware: answers requests to the served address only, from its own pages or from programs.

    `Host` has to be a loopback name, the address listened on, or that of `public_url`: any other name was made to point
    here (DNS rebinding). `Origin`, which browsers send with changes and websockets, has to be that same address. What
    may change something has to be JSON, which a page of another site cannot send without being allowed to.
    """

    def __init__(self, app: ASGIApp, served: str, public_url: str | None) -> None:
        self._app, self._served, self._public = app, served, public_url
        self._public_host = urlsplit(public_url).netloc if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused[1]})
        else:
            await PlainTextResponse(refused[1] + "\n", status_code=refused[0])(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason, if the request is refused."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if host == self._public_host:
            own = self._public
        elif host == self._served or LOOPBACK.fullmatch(host):
            own = f"http://{host}"
        else:
            return 421, "this address is not served here; see `metals ui --help` on --public-url"
        if origins and origins != [own]:
            return 403, "requests from pages of another origin are refused"
        if scope["type"] == "websocket":
            return None
        if scope["method"] not in ("GET", "HEAD"):
            kinds = headers.getlist("content-type")
            if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != "application/json":
                return 415, "only application/json is accepted"
        elif scope["query_string"] and "graphql" in scope["path"].lower():
            return 405, "queries are sent by POST, as application/json"
        return None


def _unframed(send: Send) -> Send:
    """Adds that no page may show the answer in a frame, where it could lead a user's clicks."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Frame-Options"] = "DENY"
        await send(message)

    return sent


def origin(url: str) -> str:
    """`url` as a browser sends it in `Origin`; raises ValueError if it is not an origin alone."""
    found = re.fullmatch(r"(https?://)((?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?)/?", url.lower(), re.ASCII)
    if found is None:
        raise ValueError("should look like https://metals.example.org, without user, path or query")
    default = ":443" if found[1] == "https://" else ":80"
    return found[1] + found[2].removesuffix(default)


def serve(host: str, port: int, public_url: str | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises MetalsError if the address cannot be listened on or the daemon ends."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        said = f"cannot listen on --host {host} --port {port}: {reason}"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            said += ". Another program uses it, perhaps `metals ui` itself: choose another one with --port"
        raise MetalsError(said) from None
    served = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
    with (
        listener,
        contextlib.suppress(KeyboardInterrupt),
        instances.opened() as instance,
        ThreadPoolExecutor(1) as beside,
        contextlib.ExitStack() as stack,
    ):
        webserver = beside.submit(_webserver)
        workspace = stack.enter_context(
            WorkspaceProcessContext(instance, instances.WORKSPACE, code_server_log_level="WARNING")
        )
        app = Guard(webserver.result()(workspace), served, public_url)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
        with _daemon(server) as daemon:
            log.info("serving http://%s", served)
            server.run(sockets=[listener])
            if daemon.poll() is not None:
                raise MetalsError(f"Dagster's daemon, which runs the schedule, ended with code {daemon.returncode}")


def _webserver() -> Callable[[WorkspaceProcessContext], ASGIApp]:
    """Takes as long to import as the code server, a process of its own, takes to load the assets."""
    from dagster_webserver.app import create_app_from_workspace_process_context  # noqa: PLC0415

    return create_app_from_workspace_process_context


@contextlib.contextmanager
def _daemon(server: uvicorn.Server) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's daemon as a process of its own. If it ends, the server stops: a UI without schedule would mislead."""
    program = Path(sys.executable).with_name("dagster-daemon")
    given = ["--instance-ref", serialize_value(instances.ref()), "--log-level", "warning"]
    # The daemon starts its code server anew every minute or so, and each warns when the next one has taken over.
    given += ["--code-server-log-level", "error"]
    process = subprocess.Popen([program, "run", "-w", PROJECT_ROOT / "workspace.yaml", *given])  # noqa: S603

    def watch() -> None:
        process.wait()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
