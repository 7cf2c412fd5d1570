"""The only code that asks publishers, and the store of what came back (the alert of automation.py asks nobody).

Responses are landed as they came, content-addressed, with their origin in a journal per source.
Nothing is parsed here beyond what tells a publisher's answer from an error page.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import logging
import os
import re
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, HTTPError
from urllib3.util import Retry

from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload, MetalsError, UpstreamUnavailable, printable
from pipelines.settings import Settings
from pipelines.sources import Request, SourceModule

log = logging.getLogger("metals.landing")

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 30
CHUNK_BYTES = 1 << 16
PROGRESS_EVERY_S = 10.0
MAX_REQUESTS = 2_000  # of one publisher in one check; an answer may lead on, and the largest plan has some hundred
HEAD_BYTES = 1 << 16
LEFTOVER_AGE_S = 3600.0
# Hosts that offer no TLS; every other one is asked over it.
HTTP_ONLY_HOSTS = frozenset({"www.gfex.com.cn"})
# Words after which a URL or a message may hold a secret (FRED, Census, Ember, BEA use these names).
SECRET = re.compile(
    r"(?i)\b([\w-]*(?:key|token|secret|password|userid|authorization))"
    r"(['\"]?\s*[=:]\s*['\"]?|%3D)((?:(?:bearer|basic|token)\s+)?[^&\s'\"]+)"
)


# The keys that this process sends, in the forms in which a message may repeat them.
_known_keys: set[str] = set()


def redact(text: str) -> str:
    """`text` with every key that this process sends, and everything that looks like one, replaced by `***`.

    What a terminal would obey becomes blanks: the text may hold a publisher's words.
    """
    return SECRET.sub(r"\1\2***", _without_keys(printable(text)))


def _without_keys(text: str) -> str:
    for known in sorted(_known_keys, key=len, reverse=True):
        text = re.sub(re.escape(known), "***", text, flags=re.IGNORECASE)  # a host's name is said in lower case
    return text


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


# urllib3 says whole addresses when it tries again.
for _name in ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_redact_record)


def not_asked(source: Source, settings: Settings) -> str | None:
    """Why nothing is asked of a publisher, whatever is due: `switched_off`, `no_key`, `offline`; None where it is."""
    if source.switch is not None and not getattr(settings, source.switch):
        return "switched_off"
    if source.key is not None and getattr(settings, source.key) is None:
        return "no_key"
    return "offline" if settings.offline else None


@dataclass(frozen=True)
class Check:
    """One time that a publisher was (or was not) asked for one thing; a line of the journal.

    outcome: `fresh` (bytes not seen before for this key), `unchanged`, `not_due` (asked recently enough),
    `closed` (its answer no longer changes), `offline`, `switched_off`, `no_key` (the user has set none), `failed`,
    `not_tried` (its host was dead), `absent` (the publisher says there is no such thing, which is an answer).
    """

    source: str
    key: str
    checked_at: datetime
    outcome: str
    payload_id: str | None = None
    url: str | None = None
    status: int | None = None
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    error: str | None = None

    def line(self) -> str:
        record = {k: v for k, v in asdict(self).items() if v is not None}
        record["checked_at"] = self.checked_at.isoformat()
        return json.dumps(record, sort_keys=True)


class Landing:
    """Content-addressed payloads and the journal of checks, under one folder.

    `objects/ab/<sha256>.gz` holds the bytes; `journal/<source>.jsonl` one line per check, appended and synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()

    def put(self, body: bytes) -> str:
        """Store `body`, return its SHA-256. Written beside and renamed: a killed process leaves no half object."""
        payload_id = hashlib.sha256(body).hexdigest()
        path = self._object(payload_id)
        if not self.holds(payload_id):  # also writes again what has been damaged
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
            try:
                with part.open("wb") as file:
                    file.write(gzip.compress(body, compresslevel=6, mtime=0))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)  # on a full disk it would only take room
                raise
        return payload_id

    def sweep(self, now: float) -> None:
        """Remove what killed processes left half written more than an hour before `now` (seconds of the epoch)."""
        for part in self.root.glob("objects/*/*.part"):
            with contextlib.suppress(FileNotFoundError):
                if now - part.stat().st_mtime > LEFTOVER_AGE_S:
                    part.unlink()

    def get(self, payload_id: str) -> bytes:
        """The bytes of a payload; BadPayload when they are gone or no longer match their name."""
        try:
            body = gzip.decompress(self._object(payload_id).read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise BadPayload(f"payload {payload_id[:12]} cannot be read from landing: {error}") from None
        if hashlib.sha256(body).hexdigest() != payload_id:
            raise BadPayload(f"payload {payload_id[:12]} in landing no longer matches its own hash")
        return body

    def holds(self, payload_id: str) -> bool:
        """Whether the payload is there and undamaged."""
        try:
            self.get(payload_id)
        except BadPayload:
            return False
        return True

    def append(self, check: Check) -> None:
        path = self._journal(check.source)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # the line before was torn by a kill and must not take this one with it
            file.write(check.line().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def checks(self, source: str) -> list[Check]:
        """Every check of a source, oldest first. A last line torn by a kill is left out and said."""
        try:
            lines = self._journal(source).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        checks = []
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                record["checked_at"] = datetime.fromisoformat(record["checked_at"])
                checks.append(Check(**record))
            except (ValueError, TypeError, KeyError):
                log.warning("journal of %s: line %d is torn and is left out", source, number)
        return checks

    def _object(self, payload_id: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", payload_id):
            raise BadPayload(f"{payload_id!r} is not a payload's name")
        return self.root / "objects" / payload_id[:2] / f"{payload_id}.gz"

    def _journal(self, source: str) -> Path:
        return self.root / "journal" / f"{source}.jsonl"


class _BoundedAdapter(HTTPAdapter):
    """Bounds the time in which the head of an answer must be there; `requests` bounds only each silence within it."""

    def __init__(self, head_timeout_s: float, **options: Any) -> None:
        self._pools = {
            "http": _pool_with_deadline(HTTPConnectionPool, HTTPConnection, head_timeout_s),
            "https": _pool_with_deadline(HTTPSConnectionPool, HTTPSConnection, head_timeout_s),
        }
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_with_deadline(pool: Any, connection: Any, limit_s: float) -> Any:
    class WithDeadline(connection):  # type: ignore[misc]
        def getresponse(self) -> Any:
            late = threading.Event()

            def hang_up() -> None:
                late.set()
                # On the socket below any TLS: its own shutdown would take the connection from under the reader.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

            timer = threading.Timer(limit_s, hang_up)
            timer.start()
            response = None
            try:
                response = super().getresponse()
            except (OSError, http.client.HTTPException):
                if not late.is_set():
                    raise
            finally:
                timer.cancel()
            if response is None or late.is_set():  # a head that was cut passes for a whole one
                raise TimeoutError(f"the head of the answer took longer than {limit_s} s")
            return response

    return type(pool.__name__, (pool,), {"ConnectionCls": WithDeadline})


class Client:
    """HTTP with manners for one source: bounded waits and bodies, retries with jitter, pacing, known hosts only."""

    def __init__(self, source: Source, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._source, self._settings, self._sleep = source, settings, sleep
        key = getattr(settings, source.key) if source.key is not None else None
        self._key: str | None = key.get_secret_value() if key is not None else None
        if self._key:
            _known_keys.update({self._key, quote(self._key, safe=""), quote_plus(self._key)})
        self._last_request = 0.0
        self.gave_up = False
        retry = Retry(
            total=3,
            connect=1,
            read=2,
            redirect=0,
            status=3,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            backoff_max=20,
            allowed_methods=frozenset({"GET", "POST"}),  # every POST here is a query: asking twice changes nothing
            status_forcelist=(429, 500, 502, 503, 504),
            respect_retry_after_header=True,
            retry_after_max=MAX_RETRY_AFTER_S,
            raise_on_status=False,
        )
        self._session = requests.Session()
        self._session.trust_env = settings.upstream_base_url is None  # no proxy between a test and its replay
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _BoundedAdapter(settings.total_timeout_s, max_retries=retry))
        self._session.headers["User-Agent"] = settings.user_agent
        self._session.headers["Accept-Encoding"] = "gzip"

    def get(self, request: Request, validators: dict[str, str]) -> tuple[requests.Response, bytes]:
        """Ask once; follow redirects only to the source's own hosts.

        Raises UpstreamUnavailable (not reached, refused, still failing after retries) or BadPayload
        (too large, truncated, a redirect elsewhere or away from TLS).
        """
        url = _url(request)
        key = self._key_of(request)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(request, url, validators, key)
            if response.is_redirect:
                there = urljoin(url, response.headers["Location"])
                response.close()
                if url.startswith("https://") and not there.startswith("https://"):
                    raise BadPayload("redirects to an address without TLS", source=self._source.id, row=request.key)
                url, key = there, ()  # where a redirect leads, the key goes only if the publisher put it there
                continue
            with closing(response):
                return response, self._body(response, request)
        raise BadPayload(f"redirected more than {MAX_REDIRECTS} times", source=self._source.id, row=request.key)

    def repeats_key(self, body: bytes) -> bool:
        """Whether an answer holds the key that was sent."""
        return self._key is not None and self._key.encode() in body

    def _key_of(self, request: Request) -> tuple[tuple[str, str], ...]:
        """The parameter that only the wire sees."""
        if request.key_parameter is None:
            return ()
        if self._key is None:
            raise BadPayload("needs a key, and the catalogue names no setting for it", source=self._source.id)
        return ((request.key_parameter, self._key),)

    def _send(
        self, request: Request, url: str, validators: dict[str, str], key: tuple[tuple[str, str], ...]
    ) -> requests.Response:
        host = urlsplit(url).hostname or ""
        if host not in self._source.hosts:
            raise BadPayload(
                f"leads to host {host!r}, which the catalogue does not name", source=self._source.id, row=request.key
            )
        wait = self._last_request + 1 / self._source.requests_per_second - time.monotonic()
        if wait > 0 and (self._settings.pacing or self._settings.upstream_base_url is None):
            self._sleep(wait)
        self._last_request = time.monotonic()
        try:
            return self._session.request(
                "GET" if request.body is None else "POST",
                self._address(url),
                params=key or None,
                data=request.body,
                headers={**request.headers, **validators},
                timeout=(self._settings.connect_timeout_s, self._settings.read_timeout_s),
                stream=True,
                allow_redirects=False,
            )
        except requests.ConnectionError as error:
            self.gave_up = True
            raise UpstreamUnavailable(
                f"{host} could not be reached ({_cause(error)})", source=self._source.id, row=request.key
            ) from None
        except requests.RequestException as error:
            raise UpstreamUnavailable(
                f"{host} did not answer ({_cause(error)})", source=self._source.id, row=request.key
            ) from None

    def _address(self, url: str) -> str:
        base = self._settings.upstream_base_url
        return url if base is None else f"{base}/{url.removeprefix('https://').removeprefix('http://')}"

    def _body(self, response: requests.Response, request: Request) -> bytes:
        limit = int(self._source.max_body_mb * 1e6)
        deadline = time.monotonic() + self._settings.total_timeout_s
        chunks, size = [], 0
        try:
            for chunk in _decoded(response):
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise BadPayload(
                        f"is larger than the {self._source.max_body_mb} MB expected at most",
                        source=self._source.id,
                        row=request.key,
                    )
                if time.monotonic() > deadline:
                    raise UpstreamUnavailable(
                        f"took longer than {self._settings.total_timeout_s} s", source=self._source.id, row=request.key
                    )
        except (HTTPError, EOFError, zlib.error) as error:
            raise UpstreamUnavailable(
                f"broke off after {size} bytes ({_cause(error)})", source=self._source.id, row=request.key
            ) from None
        return b"".join(chunks)


def _decoded(response: requests.Response) -> Iterator[bytes]:
    """The body in pieces of bounded size, unzipped here: urllib3 takes a compressed stream that is cut for its end.

    Raises EOFError where the stream is cut, urllib3's HTTPError or zlib.error where it is broken.
    """
    # As it comes, so that the deadline is looked at: a whole chunk of a byte a second would take the day.
    chunks = iter(lambda: response.raw.read1(CHUNK_BYTES, decode_content=False), b"")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise DecodeError(f"encoded as {encoding!r}, which was not asked for")
    member, begun = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
    for chunk in chunks:
        rest = chunk
        while rest:
            begun = True
            yield member.decompress(rest, CHUNK_BYTES)
            rest = member.unconsumed_tail
            if member.eof:
                rest, member, begun = member.unused_data, zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
    if begun:
        raise EOFError("the compressed stream is cut")


def _url(request: Request) -> str:
    return request.url + ("?" + urlencode(request.params) if request.params else "")


def examine(response: requests.Response, body: bytes, request: Request, source: Source) -> None:
    """Refuse a response that is not what was asked for, whatever its status."""

    def refuse(what: str) -> BadPayload:
        return BadPayload(what, source=source.id, row=request.key, kept="the last good payload")

    if response.status_code != 200:
        kind = UpstreamUnavailable if response.status_code in (403, 429) or response.status_code >= 500 else BadPayload
        raise kind(
            f"answered {response.status_code}: {_excerpt(body)}",
            source=source.id,
            row=request.key,
            kept="the last good payload",
        )
    if len(body) < source.min_body_bytes:
        raise refuse(f"answered 200 with {len(body)} bytes, fewer than the {source.min_body_bytes} expected at least")
    content_type = response.headers.get("Content-Type", "").lower()
    if not content_type.startswith(request.expect.content_types):
        raise refuse(f"answered 200 as {content_type or 'no content type'}: {_excerpt(body)}")
    head = body[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(request.expect.starts_with):
        raise refuse(f"answered 200 with an unexpected beginning: {_excerpt(body)}")
    for needle in request.expect.contains:
        if needle not in head:
            raise refuse(f"answered 200 without {needle.decode(errors='replace')!r} near its beginning")


def land(
    sources: Iterable[Source],
    modules: Callable[[str], SourceModule],
    catalog: Catalog,
    settings: Settings,
) -> dict[str, list[Check]]:
    """Ask every source side by side (one thread each) and land what is new. Never raises for a publisher's fault.

    Returns the checks of each source, which also stand in its journal.
    """
    sources = list(sources)
    landing = Landing(settings.landing_dir)
    landing.sweep(time.time())
    with ThreadPoolExecutor(max_workers=max(len(sources), 1), thread_name_prefix="landing") as pool:
        futures = {s.id: pool.submit(_land_one, s, modules(s.id), catalog, settings, landing) for s in sources}
        names = {future: source_id for source_id, future in futures.items()}
        for n, future in enumerate(as_completed(names), start=1):
            far = {"stage": "ask", "done": n, "total": len(sources), "finished": names[future]}
            log.debug("%d of %d publishers asked", n, len(sources), extra=far)
        return {source.id: futures[source.id].result() for source in sources}


def reachable(sources: Iterable[Source], settings: Settings) -> dict[str, str]:
    """Whether the first host of each source takes a TCP connection, tried side by side; nothing is sent.

    Returns by source id: `yes`, `no: <reason>`, `switched off`, `no key set`, `not asked (offline)`, or
    `not asked (proxy)` where requests go through a proxy, which a connection of our own would pass by.
    """
    found: dict[str, str] = {}
    addresses: dict[str, tuple[str, int]] = {}
    for source in sources:
        host = source.hosts[0]
        port = 80 if host in HTTP_ONLY_HOSTS else 443
        reason = not_asked(source, settings)
        if reason is not None:
            found[source.id] = _NOT_KNOCKED_AT[reason]
        elif settings.upstream_base_url is not None:
            base = urlsplit(settings.upstream_base_url)
            addresses[source.id] = (base.hostname or "", base.port or (443 if base.scheme == "https" else 80))
        elif get_environ_proxies(f"{'http' if port == 80 else 'https'}://{host}"):
            found[source.id] = "not asked (proxy)"
        else:
            addresses[source.id] = (host, port)
    distinct = sorted(set(addresses.values()))  # some sources share a host, which is tried once
    with ThreadPoolExecutor(max_workers=max(len(distinct), 1), thread_name_prefix="reachable") as pool:
        answers = dict(zip(distinct, pool.map(lambda a: _knock(a, settings.connect_timeout_s), distinct), strict=True))
    return found | {source_id: answers[address] for source_id, address in addresses.items()}


_NOT_KNOCKED_AT = {"switched_off": "switched off", "no_key": "no key set", "offline": "not asked (offline)"}


def _knock(address: tuple[str, int], timeout_s: float) -> str:
    """`yes` where `address` (host, port) takes a connection within `timeout_s` seconds, else `no: <reason>`."""
    try:
        with socket.create_connection(address, timeout=timeout_s):
            return "yes"
    except TimeoutError:
        return "no: timed out"
    except ConnectionRefusedError:
        return "no: refused"
    except socket.gaierror:
        return "no: unknown host"
    except OSError as error:
        return f"no: {(error.strerror or type(error).__name__).lower()}"


def _land_one(
    source: Source, module: SourceModule, catalog: Catalog, settings: Settings, landing: Landing
) -> list[Check]:
    checks: list[Check] = []
    started = said_at = time.monotonic()
    history = landing.checks(source.id)
    client = Client(source, settings)
    set_back = _clock_set_back(source, history, settings)
    if set_back is not None:
        _record(checks, landing, Check(source.id, "clock", settings.clock(), "failed", error=str(set_back)))
        log.warning("%s", set_back)
        return checks
    try:
        queue = module.plan(catalog, settings.clock().date())
    except Exception as error:
        unplanned = redact(f"the requests could not be planned ({type(error).__name__}: {error})")
        _record(checks, landing, Check(source.id, "plan", settings.clock(), "failed", error=unplanned))
        log.exception("%s: %s", source.id, unplanned)
        return checks
    while queue:
        level = logging.DEBUG
        if time.monotonic() - said_at > PROGRESS_EVERY_S:
            said_at, level = time.monotonic(), logging.INFO
        far = {"item": source.id, "of_item": f"{len(checks)}/{len(checks) + len(queue)}"}
        log.log(level, "%s: %d answered, %d to go", source.id, len(checks), len(queue), extra=far)
        request = queue.pop(0)
        if len(checks) >= MAX_REQUESTS:
            endless = BadPayload(
                f"leads to more than {MAX_REQUESTS} requests; {len(queue) + 1} are left out",
                source=source.id,
                row=request.key,
                kept="what was answered until here",
            )
            _record(checks, landing, Check(source.id, request.key, settings.clock(), "failed", error=str(endless)))
            log.warning("%s", endless)
            break
        try:
            further = list(_check(request, source, client, settings, landing, history, checks))
        except Exception as error:  # noqa: BLE001 - one publisher's fault, or its module's, stops that request alone
            said = redact(str(error) if isinstance(error, MetalsError) else f"{type(error).__name__}: {error}")
            _record(checks, landing, Check(source.id, request.key, settings.clock(), "failed", error=said))
            log.debug("%s", said)
            if client.gave_up and queue:
                # Asking a dead host again costs a wait each; what was not asked is said, and kept as it was.
                checks += [Check(source.id, r.key, settings.clock(), "not_tried") for r in queue]
                break
            continue
        queue = further + queue
    _say(source, checks, time.monotonic() - started)
    return checks


def _say(source: Source, checks: list[Check], seconds: float) -> None:
    """One line on what came of asking a publisher; each failed request has had a line of its own for the curious."""
    tally = Counter(c.outcome for c in checks)
    told = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in tally.items()) or "nothing to ask"
    first = next((c.error for c in checks if c.outcome == "failed" and c.error), None)
    if first is not None:
        reason = re.sub(r"^\[[^\]]*\] ", "", first)  # source and request, which the line says or -v does
        reason = re.sub(r"\(\w+: (?:\[Errno -?\d+\] )?", "(", reason)  # the Python name of the error
        answered = tally.keys() - {"failed", "not_tried"}
        log.warning("%s: %s%s", source.id, f"{told}: " if answered else "", reason)
    else:
        # What nobody wanted asked is no news.
        asked = any(c.outcome not in _NOT_KNOCKED_AT for c in checks)
        log.log(logging.INFO if asked else logging.DEBUG, "%s: %s in %.1f s", source.id, told, seconds)


def _clock_set_back(source: Source, history: list[Check], settings: Settings) -> UpstreamUnavailable | None:
    """Why nobody may be asked now: the answer would be dated before what is known, and the older figure stay last."""
    now = settings.clock()
    newest = max((c.checked_at for c in history), default=now)
    if newest <= now or not_asked(source, settings) is not None:
        return None
    return UpstreamUnavailable(
        f"not asked: the clock says {now:%Y-%m-%d %H:%M} UTC, but the last check was at {newest:%Y-%m-%d %H:%M}",
        source=source.id,
        kept="the last good payloads",
        todo=f"set the clock right; if it had run ahead, take the later lines out of journal/{source.id}.jsonl in the "
        "landing folder and delete the build, which is made again from landing",
    )


def _check(
    request: Request,
    source: Source,
    client: Client,
    settings: Settings,
    landing: Landing,
    history: list[Check],
    checks: list[Check],
) -> Iterator[Request]:
    """Ask for one thing if it is due; record what came of it; yield the requests that follow from the answer."""
    now = settings.clock()
    seen = [c for c in history if c.key == request.key and c.outcome in ("fresh", "unchanged", "absent")]
    last = next((c for c in reversed(seen) if c.payload_id), None)
    if last is not None and last.payload_id is not None and not landing.holds(last.payload_id):
        log.warning("%s %s: payload %s in landing is gone or damaged", source.id, request.key, last.payload_id[:12])
        seen, last = [], None  # asked for as if never seen, without validators
    skip = _reason_to_skip(request, source, settings, seen, now)
    if skip:
        checks.append(Check(source.id, request.key, now, skip))  # not journalled: nothing was learnt
        if request.then and last is not None and last.payload_id and skip in ("not_due", "closed"):
            yield from request.then(landing.get(last.payload_id))  # what follows from it may be due all the same
        return
    url = redact(_url(request))
    validators = {}
    # A validator speaks of one address: at another one an older file would pass for "not modified".
    if last is not None and request.land and last.url == url:
        if last.etag:
            validators["If-None-Match"] = last.etag
        if last.last_modified:
            validators["If-Modified-Since"] = last.last_modified
    started = time.monotonic()
    response, body = client.get(request, validators)
    if response.status_code == 404 and request.absent_ok:
        _record(checks, landing, Check(source.id, request.key, now, "absent", url=url, status=404))
        return
    unmodified = last if response.status_code == 304 else None
    if unmodified is not None and unmodified.payload_id is not None:
        body = landing.get(unmodified.payload_id)
    else:
        examine(response, body, request, source)
        if client.repeats_key(body):
            raise BadPayload("repeats the key it was asked with, so it is not kept", source=source.id, row=request.key)
    further = request.then(body) if request.then else []
    if request.land:
        payload_id = landing.put(body)
        headers = response.headers
        _record(
            checks,
            landing,
            Check(
                source.id,
                request.key,
                now,
                "unchanged" if last is not None and last.payload_id == payload_id else "fresh",
                payload_id=payload_id,
                url=url,
                status=response.status_code,
                content_type=headers.get("Content-Type"),
                etag=headers.get("ETag") or (unmodified.etag if unmodified else None),
                last_modified=headers.get("Last-Modified") or (unmodified.last_modified if unmodified else None),
                bytes=len(body),
                seconds=round(time.monotonic() - started, 3),
            ),
        )
    yield from further


def _reason_to_skip(
    request: Request, source: Source, settings: Settings, seen: list[Check], now: datetime
) -> str | None:
    reason = not_asked(source, settings)
    if reason is not None:
        return reason
    if request.closed and seen:
        return "closed"
    # A page that is not landed is asked whenever its source is; its own last check is unknown.
    if request.land and seen and now - seen[-1].checked_at < timedelta(hours=source.cadence_hours):
        return "not_due"
    return None


def _record(checks: list[Check], landing: Landing, check: Check) -> None:
    # A publisher may repeat a key wherever it likes, in a validator for instance.
    said: dict[str, Any] = {n: _without_keys(v) for n, v in asdict(check).items() if isinstance(v, str)}
    check = replace(check, **said)
    checks.append(check)
    landing.append(check)


def _cause(error: BaseException) -> str:
    """The innermost reason of a chained network error, without the object addresses that urllib3 prints."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return redact(f"{type(error).__name__}: {error}")


def _excerpt(body: bytes) -> str:
    text = re.sub(r"<[^>]*>|\s+", " ", body[:2000].decode("utf-8", errors="replace"))
    return redact(" ".join(text.split())[:160]) or "an empty body"
