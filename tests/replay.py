"""A replay of the publishers over HTTP on the loopback address, fed with folders in the form of the recordings.

`<base>/<host>/<path>?<query>` stands for `https://<host>/<path>?<query>` (setting `upstream_base_url`).
What belongs here: which recording is served at which time, the few responses that were not recorded (labelled where
they are made), and faults. Imports nothing of the project.

By hand: `python -m tests.replay --port 8099 [--upstream DIR ...] [--now 2026-06-10]`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import importlib
import inspect
import json
import pkgutil
import re
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests import shipped_upstream
from tests.recordings import Recording, Recordings

PINK_SHEET_PAGE = ("www.worldbank.org", "/en/research/commodity-markets")
PINK_SHEET = "https://thedocs.worldbank.org/en/doc/74e8be41ceb20fa0da750cda2f6b9e4e-0050012026/related/{}"
FEDERAL_REGISTER = ("www.federalregister.gov", "/api/v1/documents.json")
EASTMONEY = ("datacenter-web.eastmoney.com", "/api/data/v1/get")
STATS_OFFICE = ("data.stats.gov.cn", "/dg/website/publicrelease/web/external/stream/esData")
FRED_CSV = ("fred.stlouisfed.org", "/graph/fredgraph.csv")
# The query code of a document type and the label that the answer carries for it.
DOCUMENT_TYPES = {"PRESDOCU": "Presidential Document", "RULE": "Rule", "PRORULE": "Proposed Rule", "NOTICE": "Notice"}
# The manifest does not record content types; these are the media types of the formats.
CONTENT_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
FAULTS = (
    "refused", "reset", "hang", "slow", "empty", "truncated", "truncated_gzip", "endless",
    "redirect_other_host", "redirect_loop",
)  # fmt: skip
STATUS_FAULT = re.compile(r"([2-5]\d\d)(_html)?")


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str = CONTENT_TYPES[".html"]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; `at` is in seconds of the monotonic clock, header names are lower case."""

    host: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    at: float
    body: bytes = b""


@dataclass
class Fault:
    kind: str
    times: int | None
    seconds: float
    retry_after: str | None
    mended: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Where:
    """A host, a host and path, or those and some query parameters; `*` is everywhere. The narrowest wins."""

    host: str
    path: str | None
    query: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, text: str) -> Where:
        parts = urlsplit("//" + text.removeprefix("https://"))
        return cls(parts.netloc, parts.path if len(parts.path) > 1 else None, tuple(parse_qsl(parts.query)))

    def covers(self, host: str, path: str, query: dict[str, list[str]]) -> bool:
        return (
            self.host in ("*", host)
            and self.path in (None, path)
            and all(value in query.get(key, []) for key, value in self.query)
        )

    @property
    def narrowness(self) -> tuple[bool, bool, int]:
        return self.host != "*", self.path is not None, len(self.query)


def html(title: str, status: int = 200, body: str | None = None) -> Answer:
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{body or title}</body></html>\n"
    return Answer(page.encode(), status=status)


class Replay:
    """The publishers as they stood at `now`: each request gets the newest payload recorded on or before that day.

    Attributes that may be set while it runs: `now` (ISO text, date, datetime or None for everything), `documents`
    (Federal Register documents in the recorded shape), `conditional` (hosts that send an ETag and honour
    If-None-Match), `content_types` (host, or `*`: Content-Type in place of the usual one, "" for none),
    `empty_search_has_results`.
    """

    def __init__(self, upstream: Path | Iterable[Path], now: str | date | None = None) -> None:
        self._upstream = Recordings(upstream)
        self._recordings: dict[tuple[str, str], list[tuple[Recording, dict[str, str]]]] = {}
        for recording in self._upstream.every:
            parts = urlsplit(_address(recording))
            # Searches of the Federal Register were recorded for their shape: none is about metals. China's statistics
            # office answers for all tables at one address (tests/replay_routes/nbs.py).
            if (
                recording.whole
                and recording.known
                and parts.scheme == "https"
                and "<" not in parts.path
                and (parts.netloc, parts.path) not in (FEDERAL_REGISTER, STATS_OFFICE)
            ):
                asked = self._recordings.setdefault((parts.netloc, parts.path), [])
                asked.append((recording, dict(parse_qsl(parts.query))))
        self.now = now
        self.documents: list[dict[str, Any]] = []
        self.conditional: set[str] = set()
        self.content_types: dict[str, str] = {}
        # The site's public source leaves `total_pages` and `results` out of an answer without hits.
        self.empty_search_has_results = True
        self.seen: list[Seen] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self._faults: dict[Where, Fault] = {}
        self._fixed: dict[Where, Answer] = {}
        self._routes = _routes()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.errors: list[BaseException] = []  # of the replay itself; `stop` raises the first

    # the clock

    @property
    def now(self) -> date | None:
        return self._now

    @now.setter
    def now(self, moment: str | date | None) -> None:
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if isinstance(moment, datetime):
            moment = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
        self._now = moment

    # running--

    def start(self, port: int = 0) -> Replay:
        self._server = _Server(self, port)
        # A short poll: `stop` waits for the next one, and a suite stops hundreds of replays.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name="replay").start()
        return self

    def stop(self) -> None:
        self.mend()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self.errors:
            raise RuntimeError("the replay itself failed") from self.errors[0]

    def __enter__(self) -> Replay:
        return self if self._server else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        if self._server is None:
            raise RuntimeError("the replay is not running")
        return f"http://127.0.0.1:{self._server.server_port}"

    # faults, fixed answers, what was asked

    def fault(
        self, where: str, kind: str, times: int | None = None, *, seconds: float = 5.0, retry_after: str | None = None
    ) -> None:
        """Answer requests `where` (see Where) with a fault, for so many requests or until mended.

        `kind` is one of FAULTS, a status ("503", "429": no body) or a status with a page ("403_html", "200_html").
        `seconds`: how long "slow" drips its answer (over at least 20 pieces), and the longest time "hang" keeps silent.
        """
        if kind not in FAULTS and not STATUS_FAULT.fullmatch(kind):
            raise ValueError(f"unknown fault {kind!r}: a status, a status with _html, or one of {', '.join(FAULTS)}")
        with self._lock:
            self._faults[Where.of(where)] = Fault(kind, times, seconds, retry_after)

    def mend(self, where: str | None = None) -> None:
        """Take back the fault set `where`, or all of them; hanging requests are let go."""
        with self._lock:
            for place in [place for place in self._faults if where is None or place == Where.of(where)]:
                self._faults.pop(place).mended.set()

    def serve(self, where: str, body: bytes, content_type: str, status: int = 200, **headers: str) -> None:
        """Answer requests `where` with these bytes in place of the recorded ones (`Retry_After=` names Retry-After)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._fixed[Where.of(where)] = Answer(body, content_type, status, named)

    def unserve(self) -> None:
        """Take back every fixed answer."""
        self._fixed.clear()

    def requests_to(self, where: str) -> list[Seen]:
        place = Where.of(where)
        return [seen for seen in list(self.seen) if place.covers(seen.host, seen.path, seen.query)]

    def note(self, seen: Seen) -> Fault | None:
        """Record a request and take the fault that it meets, if any."""
        with self._lock:
            self.seen.append(seen)
            self.counts[seen.host, seen.path] += 1
            met = [place for place in self._faults if place.covers(seen.host, seen.path, seen.query)]
            if not met:
                return None
            place = max(met, key=lambda p: p.narrowness)
            fault = self._faults[place]
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    del self._faults[place]
            return fault

    # answers--

    def answer(self, seen: Seen) -> Answer:
        answer = self._answer(seen)
        named = self.content_types.get(seen.host, self.content_types.get("*"))
        if named is not None and answer.status == 200:
            answer = replace(answer, content_type=named)
        if seen.host in self.conditional and answer.status == 200:
            etag = f'"{hashlib.sha256(answer.body).hexdigest()}"'
            answer = replace(answer, headers={**answer.headers, "ETag": etag})
            if etag in seen.headers.get("if-none-match", ""):
                answer = replace(answer, status=304, body=b"")
        return answer

    def _answer(self, seen: Seen) -> Answer:
        fixed = [where for where in self._fixed if where.covers(seen.host, seen.path, seen.query)]
        if fixed:
            return self._fixed[max(fixed, key=lambda place: place.narrowness)]
        if seen.host.endswith("sec.gov") and "@" not in seen.headers.get("user-agent", ""):
            return html("Undeclared automated tool", 403)  # the SEC wants a contact
        if (seen.host, seen.path) == PINK_SHEET_PAGE:
            return _pink_sheet_page()
        if (seen.host, seen.path) == FEDERAL_REGISTER:
            return self._federal_register(seen.query)
        return self._recorded(seen) or self._made(seen) or self._nothing(seen)

    def _nothing(self, seen: Seen) -> Answer:
        """What the publisher says where there is no such thing."""
        if (seen.host, seen.path) == EASTMONEY:
            return Answer(_eastmoney_page(None, seen.query), CONTENT_TYPES[".json"])
        if seen.host == "data.sec.gov":
            unknown = self._upstream.newest(r"sec/errors/unknown_cik_404\.xml")
            return Answer(unknown.read_bytes() if unknown else b"<Error/>", CONTENT_TYPES[".xml"], 404)
        return html("Page not found", 404)

    def _recorded(self, seen: Seen) -> Answer | None:
        """The newest whole recording of what is asked; one whose address has no query answers none with a query."""
        fitting = [
            recording
            for recording, query in self._recordings.get((seen.host, seen.path), [])
            if (self.now is None or (recording.known and recording.known <= self.now))
            and all(seen.query.get(key) == [value] for key, value in query.items())
            and bool(query) == bool(seen.query)
        ]
        if not fitting:
            return None
        path = max(fitting, key=lambda recording: recording.known or date.min).path
        body = path.read_bytes()
        if (seen.host, seen.path) == EASTMONEY:
            body = _eastmoney_page(body, seen.query)
        elif (seen.host, seen.path) == FRED_CSV:
            body = _fred_window(body, seen.query)
        return Answer(body, CONTENT_TYPES[path.suffix])

    def _made(self, seen: Seen) -> Answer | None:
        """What a module of tests/replay_routes answers."""
        for host, path, function in self._routes:
            if host == seen.host and re.fullmatch(path, seen.path):
                given = {"path": seen.path, "upstream": self._upstream}
                names = inspect.signature(function).parameters
                made = function(seen.query, seen.body, self.now, **{n: given[n] for n in given if n in names})
                if made is not None:
                    status, content_type, body, *headers = made
                    return Answer(body, content_type, status, dict(*headers))
        return None

    def _federal_register(self, query: dict[str, list[str]]) -> Answer:
        """The documents that a test registered, searched as the site does, its silent traps included.

        Conditions outside `conditions[...]` are ignored, `per_page` over 2000 falls back to 20, a page past
        10,000 documents falls back to the first, and nothing published after `now` exists yet.
        """
        asked = {key[11:-1].replace("][", "."): query[key] for key in query if key.startswith("conditions[")}
        asked = {key.removesuffix("].").removesuffix("."): values for key, values in asked.items()}
        found = [d for d in self.documents if not self.now or self.now >= _published(d)]
        for key, values in asked.items():
            found = [document for document in found if _meets(document, key, values)]
        found.sort(key=_published, reverse=query.get("order") != ["oldest"])
        per_page = int(query.get("per_page", ["20"])[0])
        per_page = per_page if 0 < per_page <= 2000 else 20
        page = int(query.get("page", ["1"])[0])
        page = page if page * per_page <= 10_000 else 1
        shown = found[(page - 1) * per_page : page * per_page]
        fields = query.get("fields[]")
        words = " and ".join(_in_words(key, values) for key, values in asked.items())
        answer: dict[str, Any] = {"description": f"Documents {words}".strip(), "count": min(len(found), 10_000)}
        if shown or self.empty_search_has_results:
            answer["total_pages"] = -(-len(found) // per_page)
            if page * per_page < len(found):
                again = [(k, v) for k, values in query.items() if k != "page" for v in values] + [("page", page + 1)]
                answer["next_page_url"] = f"https://{FEDERAL_REGISTER[0]}/api/v1/documents?{urlencode(again)}"
            answer["results"] = [{name: d.get(name) for name in fields} if fields else d for d in shown]
        return Answer(json.dumps(answer).encode(), CONTENT_TYPES[".json"])


def _pink_sheet_page() -> Answer:
    """Not recorded: a page with the links a reader has to choose between."""
    names = ("CMO-Historical-Data-Annual.xlsx", "CMO-Historical-Data-Monthly.xlsx", "CMO-Pink-Sheet.pdf")
    links = "".join(f'<li><a href="{PINK_SHEET.format(name)}">{name}</a></li>' for name in names)
    return html("Commodity Markets", body=f"<h1>Commodity Markets</h1><ul>{links}</ul>")


def _address(recording: Recording) -> str:
    """Where the recording is asked for; a manifest leaves out what changes (a document's id) or was the same in all."""
    if re.fullmatch(r"worldbank/.*\.xlsx", recording.file):
        return PINK_SHEET.format(Path(recording.file).name)
    if recording.file.startswith("eastmoney/") and "?" not in recording.url:
        return f"{recording.url}?reportName={recording.key}"
    return recording.url


def _published(document: dict[str, Any]) -> date:
    return date.fromisoformat(document["publication_date"])


def _in_words(key: str, values: list[str]) -> str:
    phrase = {
        "term": "matching '{}'",
        "publication_date.gte": "published on or after {}",
        "publication_date.lte": "published on or before {}",
        "publication_date.is": "published on {}",
    }.get(key, "of " + key.replace("_", " ").replace(".", " ") + " {}")
    if key.startswith("publication_date."):
        values = [date.fromisoformat(values[0]).strftime("%m/%d/%Y")]
    return phrase.format(", ".join(values))


def _meets(document: dict[str, Any], key: str, values: list[str]) -> bool:
    if key.startswith("publication_date."):
        day, limit = _published(document), date.fromisoformat(values[0])
        return {"gte": day >= limit, "lte": day <= limit, "is": day == limit}[key.rpartition(".")[2]]
    if key == "type":
        return document.get("type") in {DOCUMENT_TYPES.get(value) for value in values}
    if key == "presidential_document_type":
        return str(document.get("subtype") or "").lower().replace(" ", "_") in values
    if key == "agencies":
        return any(agency.get("slug") in values for agency in document.get("agencies") or [])
    if key == "term":
        # The site searches the full text; a registered document has only these two. Words, quoted phrases, |.
        text = f"{document.get('title')} {document.get('abstract')}".lower()
        choices = [re.findall(r'"([^"]+)"|(\S+)', choice.lower()) for choice in values[0].split("|")]
        return any(all((phrase or word) in text for phrase, word in choice) for choice in choices)
    raise ValueError(f"the replay does not know the condition {key!r}")


def _eastmoney_page(body: bytes | None, query: dict[str, list[str]]) -> bytes:
    """One page of a report. Without data eastmoney still answers 200; that wording is not recorded."""
    number, size = (int(query.get(name, [default])[0]) for name, default in (("pageNumber", "1"), ("pageSize", "500")))
    report = json.loads(body) if body else {"result": {"data": []}}
    rows = report["result"]["data"]
    if body and number == 1 and size >= len(rows):
        return body
    shown = rows[(number - 1) * size : number * size]
    if not shown:
        return json.dumps(
            {"version": None, "result": None, "success": False, "message": "no data", "code": 9201}
        ).encode()
    report["result"].update(pages=-(-len(rows) // size), data=shown, count=len(rows))
    return json.dumps(report, ensure_ascii=False).encode()


def _fred_window(body: bytes, query: dict[str, list[str]]) -> bytes:
    """The rows from `cosd` to `coed`; the recorded bytes where neither is asked for."""
    low, high = (query.get(name, [default])[0].encode() for name, default in (("cosd", ""), ("coed", "9999")))
    if not low and high == b"9999":
        return body
    header, *rows = body.splitlines(keepends=True)
    return header + b"".join(row for row in rows if low <= row[:10] <= high)


def _routes() -> list[tuple[str, str, Callable[..., tuple[Any, ...] | None]]]:
    """What stands in for publishers of whom nothing was recorded; each module says which of its figures are real."""
    package = importlib.import_module("tests.replay_routes")
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))
    return [route for name in names for route in importlib.import_module(f"tests.replay_routes.{name}").routes()]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging request must not hold up the end of a test
    request_queue_size = 64

    def __init__(self, replay: Replay, port: int) -> None:
        self.replay = replay
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            self.replay.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        host, _, path = parts.path.lstrip("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(parts.query, keep_blank_values=True)
        body = self.rfile.read(int(headers.get("content-length", 0)))
        seen = Seen(host, "/" + path, query, headers, time.monotonic(), body)
        fault = self.server.replay.note(seen)
        if fault is None:
            self._send(self.server.replay.answer(seen), "gzip" in headers.get("accept-encoding", ""))
        else:
            self._fail(fault, seen)

    do_POST = do_GET  # every POST here is a query

    def _head(self, answer: Answer, length: int | None, **more: str) -> None:
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in {**answer.headers, **{n.replace("_", "-"): v for n, v in more.items()}}.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        elif answer.status != 304 and "Content-Length" not in answer.headers:  # `serve` may announce another one
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, answer: Answer, gzipped: bool = False) -> None:
        if gzipped and answer.body and answer.content_type.startswith(("text/", "application/json")):
            body = gzip.compress(answer.body, compresslevel=1, mtime=0)
            self._head(answer, len(body), Content_Encoding="gzip", Vary="Accept-Encoding")
        else:
            body = answer.body
            self._head(answer, len(body))
        self.wfile.write(body)

    def _fail(self, fault: Fault, seen: Seen) -> None:
        """The faults that are whole answers; the others break off."""
        status = STATUS_FAULT.fullmatch(fault.kind)
        if status:
            answer = html("Please try again later", int(status[1]))
            if fault.retry_after is not None:
                answer.headers["Retry-After"] = fault.retry_after
            self._send(answer if status[2] else replace(answer, body=b"", content_type="text/plain"))
        elif fault.kind.startswith("redirect"):
            here = "https:/" + self.path
            there = here if fault.kind == "redirect_loop" else "https://elsewhere.example.org/landing"
            self._send(Answer(b"", status=302, headers={"Location": there}))
        elif fault.kind == "empty":
            self._send(replace(self.server.replay.answer(seen), body=b""))
        else:
            self.close_connection = True
            if fault.kind == "hang":
                fault.mended.wait(fault.seconds)
            elif fault.kind != "refused":
                self._break_off(fault, self.server.replay.answer(seen))

    def _break_off(self, fault: Fault, answer: Answer) -> None:
        body = answer.body
        if fault.kind == "truncated_gzip":
            # The length is right for what is sent: only the compressed stream tells that it was cut.
            packed = gzip.compress(body, mtime=0)
            packed = packed[: len(packed) // 2]
            self._head(answer, len(packed), Content_Encoding="gzip")
            self.wfile.write(packed)
        elif fault.kind == "endless":
            self._head(answer, None)
            while not fault.mended.is_set():
                self.wfile.write(body or b" " * 65536)
        elif fault.kind == "slow":
            self._head(answer, len(body))
            piece = max(-(-len(body) // 20), 1)
            for start in range(0, len(body), piece):
                fault.mended.wait(fault.seconds / 20)
                self.wfile.write(body[start : start + piece])
        else:  # truncated, reset
            self._head(answer, len(body))
            self.wfile.write(body[: len(body) // 2])
            if fault.kind == "reset":
                # With nothing lingering, closing sends RST in place of FIN.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.rfile.close()
                self.connection.close()

    def log_message(self, *_: object) -> None:
        """Silence: `Replay.seen` holds what was asked."""


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument(
        "--upstream", type=Path, nargs="+", help="default: the recordings, or what ships in their place"
    )
    parser.add_argument(
        "--now", default=None, help="the day on which the publishers are asked (ISO); default: everything"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        upstream = options.upstream or shipped_upstream.recorded_or_written(Path(folder))
        with Replay(upstream, options.now).start(options.port) as replay:
            print(f"METALS_UPSTREAM_BASE_URL={replay.base_url}", flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    main()
