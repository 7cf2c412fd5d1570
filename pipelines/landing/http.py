"""HTTP for one source: bounded waits and bodies, retries, pacing, allowed hosts; verification of responses."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, HTTPError
from urllib3.util import Retry

from pipelines.catalog import Source
from pipelines.errors import BadPayload, Blocked, Moved, Unconfirmed, UpstreamUnavailable
from pipelines.landing.addresses import host_of, is_public
from pipelines.settings import Settings
from pipelines.sources import Request
from pipelines.text import hide, redact

T = TypeVar("T")

NOT_REACHED = "could not be reached"  # in the error where no connection was made
MAX_REDIRECTS = 5


MAX_RETRY_AFTER_S = 30


CHUNK_BYTES = 1 << 16


HEAD_BYTES = 1 << 16


RETRIED = (429, 500, 502, 503, 504)
TURNED_AWAY = (403, 412, 429)
CHALLENGES = (200, 202, 503)  # statuses of the challenges of firewalls; a 404 with such a page is the shell of a site


# A challenge is a page of scripts with next to nothing to read. A page with tables or links has far more text, and the
# largest challenge seen has 38 kB.
MAX_CHALLENGE_TEXT = 400


class NotPublic(Exception):
    """A host's name leads to this machine or its network."""


class _BoundedAdapter(HTTPAdapter):
    """Bounds the total time of the TLS handshake and of the response headers; `requests` bounds only each wait.

    `public_only` refuses hosts whose names lead to this machine or its network. A proxy may be there, and resolves the
    names itself.
    """

    def __init__(
        self,
        limit_s: Callable[[], float],
        *,
        public_only: bool,
        connected: Callable[[], None] = lambda: None,
        **options: Any,
    ) -> None:
        self._limit_s, self._public_only, self._connected = limit_s, public_only, connected
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools(self._public_only)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = self._pools(public_only=False)
        return manager

    def _pools(self, public_only: bool) -> dict[str, Any]:
        return {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._limit_s, public_only, self._connected),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._limit_s, public_only, self._connected),
        }


def _pool(
    pool: Any, connection: Any, limit_s: Callable[[], float], public_only: bool, connected: Callable[[], None]
) -> Any:
    class Bounded(connection):  # type: ignore[misc]
        _wire: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            if public_only:
                refuse_private_name(self._dns_host, self.port)
            made: socket.socket = super()._new_conn()
            try:
                if public_only:  # the name may have been resolved otherwise the second time
                    refuse_private(made.getpeername()[0])
                self._wire = made.dup()
            except BaseException:
                made.close()
                raise
            return made

        def connect(self) -> None:
            try:
                within(limit_s(), super().connect, "connecting", lambda: self._wire)
            finally:
                if self._wire is not None:
                    self._wire.close()
                    self._wire = None
            connected()

        def getresponse(self) -> Any:
            return within(limit_s(), super().getresponse, "the response headers", lambda: self.sock)

    return type(pool.__name__, (pool,), {"ConnectionCls": Bounded})


def within(limit_s: float, step: Callable[[], T], what: str, wire: Callable[[], socket.socket | None]) -> T:
    """What `step` returns, if it ends within `limit_s`; otherwise its socket is shut down, and TimeoutError raised."""
    late, done = threading.Event(), False

    def hang_up() -> None:
        late.set()
        # On the raw socket, below TLS: TLS shutdown would break the connection while the reader uses it.
        with contextlib.suppress(OSError, TypeError):
            socket.socket.shutdown(wire(), socket.SHUT_RDWR)  # type: ignore[arg-type]

    timer = threading.Timer(limit_s, hang_up)
    timer.start()
    result: Any = None
    try:
        result, done = step(), True
    except (OSError, http.client.HTTPException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if not done or late.is_set():  # http.client takes truncated headers for complete ones
        raise TimeoutError(f"{what} took longer than {limit_s:.1f} s")
    return result


def refuse_private_name(host: str, port: int) -> None:
    """Raise NotPublic if the name leads to this machine or its network; one that leads nowhere is left to its user."""
    with contextlib.suppress(socket.gaierror):  # the connection says it better
        for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            refuse_private(str(found[4][0]))


def refuse_private(address: str) -> None:
    if not is_public(address):
        raise NotPublic(address)


class _Session(requests.Session):
    """Leaves redirects to its user: requests parses them by itself, and reads their bodies without bound."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def post(
    url: str, content: object, limit_s: float, *, public_only: bool, headers: Mapping[str, str] | None = None
) -> None:
    """POST `content` once, bytes as they are and anything else as JSON. No redirect is followed, no response read.

    Raises, without the address, which is a secret: UpstreamUnavailable if it was not taken (no connection within
    `limit_s` seconds, or a status of 300 or more), Unconfirmed if it may have been (no answer, or one of a gateway).
    """
    deadline = time.monotonic() + limit_s
    sent = threading.Event()
    body: dict[str, Any] = {"data": content} if isinstance(content, bytes) else {"json": content}
    with _Session() as session:
        for scheme in ("https://", "http://"):
            adapter = _BoundedAdapter(
                lambda: max(deadline - time.monotonic(), 0), public_only=public_only, connected=sent.set
            )
            session.mount(scheme, adapter)
        try:
            with session.post(
                url, **body, headers=headers, timeout=limit_s / 2, stream=True, allow_redirects=False
            ) as response:
                status = response.status_code
        except NotPublic:
            raise UpstreamUnavailable("its host's name leads to a private address") from None
        except (requests.RequestException, UnicodeError) as error:
            said = f"no answer ({type(error).__name__})"
            raise (Unconfirmed if sent.is_set() else UpstreamUnavailable)(said) from None
    if status in (502, 504):  # of a gateway, which may have passed it on
        raise Unconfirmed(f"answered {status}")
    if status >= 300:
        raise UpstreamUnavailable(f"answered {status}")


class Client:
    """HTTP client for one source: bounded waits and bodies, retries with jitter, pacing, allowed hosts only."""

    def __init__(self, source: Source, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._source, self._settings, self._sleep = source, settings, sleep
        key = getattr(settings, source.key) if source.key is not None else None
        self._key: str | None = key.get_secret_value() if key is not None else None
        if self._key:
            hide(self._key)
        self._last_request = 0.0
        self.gave_up = False
        self._patient = Retry(
            total=3,
            connect=1,
            read=2,
            redirect=0,
            status=3,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            backoff_max=20,
            allowed_methods=frozenset({"GET", "POST"}),  # every POST here is a query, so it can be repeated
            status_forcelist=RETRIED,
            respect_retry_after_header=True,
            retry_after_max=MAX_RETRY_AFTER_S,
            raise_on_status=False,
        )
        # Where one request failed after all retries, the next is tried once until one is answered: a publisher that is
        # down would be asked four times for each of its figures, with seconds of waiting in between.
        self._once = self._patient.new(status=0)
        self._session = _Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # from nobody, to nobody
        self._session.trust_env = settings.upstream_base_url is None  # no proxy between a test and its local server
        self._adapter = _BoundedAdapter(
            lambda: settings.total_timeout_s, public_only=settings.upstream_base_url is None, max_retries=self._patient
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)
        self._session.headers.update({"User-Agent": settings.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"})
        for name, value in source.headers.items():
            self._session.headers[name] = value.replace("{contact}", settings.contact)

    def get(self, request: Request, validators: dict[str, str]) -> tuple[requests.Response, bytes]:
        """Send one request; follow redirects only to the source's own hosts.

        Raises UpstreamUnavailable (not reached, refused, still failing after retries) or BadPayload
        (too large; Moved: a redirect elsewhere or away from TLS).
        """
        url = full_url(request)
        key = self._key_of(request)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(request, url, validators, key)
            if response.is_redirect:
                there = self._joined(url, response, request)
                response.close()
                if url.startswith("https://") and not there.startswith("https://"):
                    raise Moved("redirects to an address without TLS", source=self._source.id, row=request.key)
                url, key = there, ()  # the key is not added to the redirect's URL
                continue
            with closing(response):
                return response, self._body(response, request)
        raise Moved(f"redirected more than {MAX_REDIRECTS} times", source=self._source.id, row=request.key)

    def repeats_key(self, body: bytes) -> bool:
        """Whether a response contains the key that was sent."""
        return self._key is not None and self._key.encode() in body

    def _key_of(self, request: Request) -> tuple[tuple[str, str], ...]:
        """The API key as a URL parameter: added when the request is sent, and never logged or stored."""
        if request.key_parameter is None:
            return ()
        if self._key is None:
            raise BadPayload("needs a key, and the catalogue names no setting for it", source=self._source.id)
        return ((request.key_parameter, self._key),)

    def _send(
        self, request: Request, url: str, validators: dict[str, str], key: tuple[tuple[str, str], ...]
    ) -> requests.Response:
        host = host_of(url)
        if host is None:
            raise Moved(f"leads to {url!r}, which is not a plain URL", source=self._source.id, row=request.key)
        if host not in self._source.hosts:
            raise Moved(
                f"leads to host {host!r}, which the catalogue does not name", source=self._source.id, row=request.key
            )
        wait = self._last_request + 1 / self._source.requests_per_second - time.monotonic()
        if wait > 0 and (self._settings.pacing or self._settings.upstream_base_url is None):
            self._sleep(wait)
        self._last_request = time.monotonic()
        try:
            response = self._session.request(
                "GET" if request.body is None else "POST",
                self._address(url),
                params=key or None,
                data=request.body,
                headers={**request.headers, **validators},
                timeout=(self._settings.connect_timeout_s, self._settings.read_timeout_s),
                stream=True,
                allow_redirects=False,
            )
            self._adapter.max_retries = self._once if response.status_code in RETRIED else self._patient
            return response
        except NotPublic as error:
            self.gave_up = True
            raise UpstreamUnavailable(
                f"{host} has the address {error}, which is of this machine or its network; nothing was sent",
                source=self._source.id,
                row=request.key,
                todo="correct the DNS server or the hosts file; if a proxy leads to the internet, set HTTPS_PROXY",
            ) from None
        except requests.ConnectionError as error:
            self.gave_up = True
            raise UpstreamUnavailable(
                f"{host} {NOT_REACHED} ({_cause(error)})", source=self._source.id, row=request.key
            ) from None
        except requests.RequestException as error:
            raise UpstreamUnavailable(
                f"{host} did not answer ({_cause(error)})", source=self._source.id, row=request.key
            ) from None

    def _joined(self, url: str, response: requests.Response, request: Request) -> str:
        """Where a redirect leads. `urljoin` drops characters that other parsers keep, so they are refused before."""
        location = response.headers["Location"].encode("latin-1").decode("utf-8", "replace")
        if re.search(r"[\x00-\x1f\x7f\\]", location):
            raise Moved(f"leads to {location!r}, which is not a URL", source=self._source.id, row=request.key)
        try:
            return urljoin(url, location)
        except ValueError:
            raise Moved(f"leads to {location!r}, which is not a URL", source=self._source.id, row=request.key) from None

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
                        f"is larger than the maximum of {self._source.max_body_mb} MB",
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
    """The body in chunks of bounded size, decompressed here: urllib3 takes a truncated stream for a complete one.

    Raises EOFError where the compressed stream is truncated, urllib3's HTTPError or zlib.error where it is corrupt.
    """
    # `read1` returns what has arrived, so that the deadline is checked even if a server sends a byte a second.
    chunks = iter(lambda: response.raw.read1(CHUNK_BYTES, decode_content=False), b"")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise DecodeError(f"encoded as {encoding!r}, which was not requested")
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
        raise EOFError("the compressed stream is truncated")


def full_url(request: Request) -> str:
    return request.url + ("?" + urlencode(request.params) if request.params else "")


def verify_response(response: requests.Response, body: bytes, request: Request, source: Source) -> None:
    """Raise for a response that is not the expected data, whatever its status and Content-Type.

    Raises Blocked if the publisher turned this client away, UpstreamUnavailable for a fault of its server, and
    BadPayload for a response of another shape.
    """

    def refuse(what: str) -> BadPayload:
        return BadPayload(what, source=source.id, row=request.key, kept="the last good payload")

    status = response.status_code
    challenge = status in CHALLENGES and (
        _is_challenge(body) or (not _is_page_expected(request) and _wants_scripts(body))
    )
    if status in TURNED_AWAY or challenge:
        how = " with a page of scripts (a challenge, or the address moved)" if challenge else ""
        raise Blocked(
            f"blocked, answered {status}{how}: {_excerpt(body)}",
            source=source.id,
            row=request.key,
            kept="the last good payload",
            todo=f"see whether {source.homepage} opens in a browser on this network and whether METALS_CONTACT is set; "
            "a block often ends after some hours, otherwise ask the publisher for access",
        )
    if status != 200:
        kind = UpstreamUnavailable if status >= 500 else Moved if status in (404, 410) else BadPayload
        raise kind(
            f"answered {status}: {_excerpt(body)}", source=source.id, row=request.key, kept="the last good payload"
        )
    if len(body) < source.min_body_bytes:
        raise refuse(f"answered 200 with {len(body)} bytes, fewer than the minimum of {source.min_body_bytes}")
    head = _head(body)
    if head.startswith(b"<") and not _is_page_expected(request):
        raise refuse(f"answered 200 with a page in place of data: {_excerpt(body)}")
    if not head.startswith(request.expect.starts_with):
        raise refuse(f"answered 200 with an unexpected beginning: {_excerpt(body)}")
    for needle in request.expect.contains:
        if needle not in head:
            raise refuse(f"answered 200 without {needle.decode(errors='replace')!r} near its beginning")


def _head(body: bytes) -> bytes:
    return body[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()


def _is_challenge(body: bytes) -> bool:
    """Whether a body is a page that runs scripts and shows next to nothing: what a firewall serves to programs."""
    return (
        len(body) <= HEAD_BYTES
        and _head(body).startswith(b"<")
        and b"<script" in body.lower()
        and len(_readable(body)) <= MAX_CHALLENGE_TEXT
    )


def _is_page_expected(request: Request) -> bool:
    return any(start.startswith(b"<") for start in request.expect.starts_with)


def _wants_scripts(body: bytes) -> bool:
    """Whether a body is a page, however long, that asks its reader to switch scripts on."""
    page = body[:HEAD_BYTES].lower()
    return _head(page).startswith(b"<") and b"<script" in page and b"enable javascript" in page


def _cause(error: BaseException) -> str:
    """The innermost cause of a chained network error, without the object addresses that urllib3 prints."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return redact(f"{type(error).__name__}: {error}")


def _excerpt(body: bytes) -> str:
    if not body:
        return "an empty body"
    return redact(_readable(body[:HEAD_BYTES])[:160]) or "a page without text"


def _readable(body: bytes) -> str:
    """The text of a page as read: without tags, scripts and styles; of another body, all of it."""
    # A tag ends at the next "<" at the latest, so that a page of brackets takes no more time than its length.
    text = re.sub(r"(?is)<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>", " ", body.decode("utf-8", errors="replace"))
    return " ".join(text.split())
