"""Requests go to the hosts of the catalogue, on the public internet, however a redirect spells where it leads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import Catalog
from pipelines.landing import Retrieval, http, land, reachable
from pipelines.settings import Settings
from pipelines.sources import Request
from tests.unit.test_landing import BODY, CSV, HOST, Module, source

OTHER = "files.example.org"  # a second host of the publisher
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Server:
    """A server on 127.0.0.1 that notes what is sent to it; the last answer is repeated."""

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.connections = list(answers or (OK,)), 0
        self.heads: list[bytes] = []
        self.hold: threading.Event | None = None  # until it is set, a connection stays open after the answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.connections += 1
                head = b""
                while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                    head += piece
                if head:
                    self.heads.append(head)
                    connection.sendall(self.answers[min(len(self.heads), len(self.answers)) - 1])
                    if self.hold is not None:
                        self.hold.wait(10)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: bytes) -> Server:
        servers.append(Server(*answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, int]]:
    """A DNS server: the addresses of names; others are unknown. Ports are the servers', which may not listen on 80."""
    known: dict[str, tuple[str, int]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: Any, *rest: Any, **options: Any) -> Any:
        if host in known:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", known[host])]
        if host in ("127.0.0.1", "localhost"):
            return real(host, port, *rest, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda seconds: None)
    return known


def _ask(folder: Path, url: str = f"http://{HOST}/data.csv") -> Retrieval:
    settings = Settings(warehouse_dir=folder, connect_timeout_s=1, read_timeout_s=2, total_timeout_s=3)
    tiny = source(hosts=[HOST, OTHER])
    module = Module(Request(key="data", url=url, expect=CSV))
    (retrieval,) = land([tiny], lambda _: module, Catalog([], [], [], []), settings)["tiny"]
    return retrieval


# Where a redirect claims to lead: {trap} is a server of this machine that no catalogue names.
CONFUSIONS = {
    "a backslash before the user": "http://{trap}\\@files.example.org/x",
    "a backslash, then a slash": "http://{trap}\\/@files.example.org/x",
    "a backslash before the name": "http:\\\\{trap}/x",
    "one slash and a backslash": "http:/\\{trap}/x",
    "two backslashes": "\\\\{trap}/x",
    "slash and backslash": "/\\{trap}/x",
    "an encoded backslash": "http://{trap}%5C@files.example.org/x",
    "the name as a user": "http://files.example.org@{trap}/x",
    "the name as user and password": "http://files.example.org:80@{trap}/x",
    "two users": "http://a@files.example.org:80@{trap}/x",
    "a user of the right name": "http://user:secret@files.example.org/x",
    "an empty user": "http://@files.example.org/x",
    "an encoded user": "http://files.example.org%40{trap}/x",
    "a fragment before the user": "http://{trap}#@files.example.org/x",
    "a query before the user": "http://{trap}?@files.example.org/x",
    "a semicolon before the user": "http://{trap};@files.example.org/x",
    "another port": "http://files.example.org:8080/x",
    "port nought": "http://files.example.org:0/x",
    "an empty port": "http://files.example.org:/x",
    "a port of many digits": "http://files.example.org:000080/x",
    "a port with a sign": "http://files.example.org:+80/x",
    "two ports": "http://files.example.org:80:{port}/x",
    "the port of the other scheme": "http://files.example.org:443/x",
    "an IPv4 address": "http://{trap}/x",
    "an IPv4 address as one number": "http://2130706433:{port}/x",
    "an IPv4 address in hexadecimal": "http://0x7f000001:{port}/x",
    "an IPv4 address in octal": "http://0177.0.0.1:{port}/x",
    "a short IPv4 address": "http://127.1:{port}/x",
    "an IPv6 address": "http://[::1]:{port}/x",
    "a mapped IPv4 address": "http://[::ffff:127.0.0.1]:{port}/x",
    "an IPv6 address with a zone": "http://[fe80::1%25lo]:{port}/x",
    "a broken IPv6 address": "http://[::1/x",
    "the metadata address of clouds": "http://169.254.169.254/latest/meta-data/",
    "localhost": "http://localhost:{port}/x",
    "a name in full-width letters": "http://\uff46iles.example.org/x",
    "an ideographic full stop": "http://files\u3002example.org/x",
    "a ligature": "http://\ufb01les.example.org/x",
    "mixed scripts": "http://fi\u04cfes.example.org/x",
    "an encoded dot": "http://files%2eexample%2eorg/x",
    "an encoded slash": "http://{trap}%2f.files.example.org/x",
    "a tab in the name": "http://files.exam\tple.org/x",
    "a tab before the user": "http://{trap}\t@files.example.org/x",
    "a line feed in the scheme": "ht\ntp://{trap}/x",
    "a NUL": "http://{trap}\x00.files.example.org/x",
    "a DEL": "http://{trap}\x7f@files.example.org/x",
    "a blank before the user": "http://{trap} @files.example.org/x",
    "a name that ends as ours": "http://evilfiles.example.org/x",
    "a name that begins as ours": "http://files.example.org.evil.example/x",
    "a dot at the end": "http://files.example.org./x",
    "an underscore": "http://_files.example.org/x",
    "no name": "http:///{trap}/x",
    "no scheme": "//{trap}/x",
    "three slashes": "///{trap}/x",
    "another scheme": "ftp://files.example.org/x",
    "a file": "file:///etc/passwd",
    "data": "data:text/csv,date,value",
    "gopher": "gopher://{trap}/_x",
    "nothing": "",
}
# What a redirect may say: the same host and path in each case.
FINE = {
    "another host of the publisher": "http://files.example.org/x",
    "in capitals": "HTTP://FILES.example.ORG/x",
    "with its scheme's port": "http://files.example.org:80/x",
    "without scheme": "//files.example.org/x",
    "with an encoded path": "http://files.example.org/%C3%A9%20%5C?a=b@c&d=http://e#f",
    "with a path of other letters": "http://files.example.org/caf\u00e9 2026.csv",
    "with an address in the query": "http://files.example.org/x?then=http://127.0.0.1\u0021",
    "a path": "/other.csv",
    "a name beside": "other.csv?x=1",
    "a query alone": "?page=2",
}


def _redirect(location: str) -> bytes:
    # As servers send it: the bytes of UTF-8, line breaks and all.
    return (
        b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"
    )


@pytest.mark.parametrize("location", CONFUSIONS.values(), ids=CONFUSIONS)
def test_a_redirect_that_parsers_read_differently_leads_nowhere(
    location: str, serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "is_public", lambda address: True)  # the spelling alone has to hold
    trap = serving()
    first = serving(_redirect(location.format(trap=f"127.0.0.1:{trap.port}", port=trap.port)))
    names[HOST], names[OTHER] = ("127.0.0.1", first.port), ("127.0.0.1", trap.port)
    retrieval = _ask(tmp_path)
    assert (retrieval.outcome, retrieval.payload_id, trap.connections) == ("failed", None, 0)
    assert "[source=tiny row=data]" in str(retrieval.error)
    assert str(retrieval.error).isprintable()


@pytest.mark.parametrize("location", FINE.values(), ids=FINE)
def test_a_redirect_within_the_publishers_hosts_is_followed(
    location: str, serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "is_public", lambda address: True)
    server = serving(_redirect(location), OK)
    names[HOST] = names[OTHER] = ("127.0.0.1", server.port)
    assert _ask(tmp_path).outcome == "fresh"
    assert len(server.heads) == 2


# Names that lead to this machine or its network

PRIVATE = {
    "this machine": "127.0.0.1", "this machine, another address": "127.8.9.10", "this host": "0.0.0.0",  # noqa: S104
    "a private network": "10.1.2.3", "another private network": "172.16.0.1", "a home network": "192.168.1.1",
    "link-local": "169.254.169.254", "a provider's network": "100.64.0.1", "multicast": "224.0.0.1",
    "reserved": "240.0.0.1", "broadcast": "255.255.255.255", "documentation": "192.0.2.1",
    "IPv6, this machine": "::1", "IPv6, unspecified": "::", "IPv6, link-local": "fe80::1%lo",
    "IPv6, private": "fd00::1", "IPv6, site-local": "fec0::1", "IPv6, multicast": "ff02::1",
    "IPv6, mapped": "::ffff:127.0.0.1", "IPv6, compatible": "::127.0.0.1", "IPv6, 6to4": "2002:7f00:1::",
    "IPv6, NAT64": "64:ff9b::7f00:1", "IPv6, local NAT64": "64:ff9b:1::7f00:1", "IPv6, Teredo": "2001:0:7f00:1::",
    "IPv6, documentation": "2001:db8::1",
}  # fmt: skip
PUBLIC = {
    "IPv4": "23.1.2.3", "IPv6": "2600:1400::1", "NAT64 of a public address": "64:ff9b::1701:203",
    "a local proxy that answers DNS": "198.18.0.7",
}  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE.values(), ids=PRIVATE)
def test_an_address_of_this_machine_or_its_network_is_not_public(address: str) -> None:
    assert not http.is_public(address)


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert http.is_public(address)


def test_a_publishers_name_that_leads_to_this_machine_is_not_contacted(
    serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path
) -> None:
    here = serving()
    names[HOST] = ("127.0.0.1", here.port)
    retrieval = _ask(tmp_path)
    assert (retrieval.outcome, here.connections) == ("failed", 0)
    assert "127.0.0.1, which is of this machine or its network" in str(retrieval.error)
    assert "HTTPS_PROXY" in str(retrieval.error)
    assert reachable([source()], Settings(warehouse_dir=tmp_path)) == {
        "tiny": "no: its name leads to a private address"
    }


def test_a_name_that_leads_elsewhere_the_second_time_is_sent_nothing(
    serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when looked up, this machine when connected to."""
    here = serving()
    names[HOST] = ("127.0.0.1", here.port)
    looked_up: list[str] = []

    def first_public(address: str) -> bool:
        looked_up.append(address)
        return len(looked_up) == 1

    monkeypatch.setattr(http, "is_public", first_public)
    retrieval = _ask(tmp_path)
    assert (retrieval.outcome, here.heads) == ("failed", [])
    assert len(looked_up) == 2


def test_a_redirect_to_a_name_that_leads_to_this_machine_is_not_followed(
    serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = serving()
    first = serving(_redirect(f"http://{OTHER}/x"))
    names[HOST], names[OTHER] = ("127.0.0.1", first.port), ("127.0.0.1", here.port)
    calls: list[str] = []
    monkeypatch.setattr(http, "is_public", lambda address: calls.append(address) or len(calls) <= 2)
    assert (_ask(tmp_path).outcome, here.connections) == ("failed", 0)


def test_a_proxy_may_be_on_this_machine_and_resolves_the_names_itself(
    serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serving()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    assert _ask(tmp_path).outcome == "fresh"
    assert proxy.heads[0].startswith(f"GET http://{HOST}/data.csv HTTP/1.1\r\n".encode())


def test_a_proxy_is_asked_for_hosts_of_the_catalogue_only(
    serving: Any, names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serving(_redirect("http://127.0.0.1:9\\@files.example.org/x"))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    assert _ask(tmp_path).outcome == "failed"
    assert len(proxy.heads) == 1


def test_a_tls_handshake_of_a_byte_a_second_is_given_up(names: dict[str, tuple[str, int]], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def drip() -> None:
            while not done.is_set():
                connection, _ = listener.accept()
                with connection:
                    try:
                        connection.sendall(b"\x16\x03\x03\x40\x00")
                        while not done.wait(0.2):
                            connection.sendall(b"\x02")
                    except OSError:
                        continue

        threading.Thread(target=drip, daemon=True).start()
        started = time.monotonic()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/x"
        with pytest.raises(http.UpstreamUnavailable, match="no answer"):
            http.post(url, {}, 1.0, public_only=False)
        assert time.monotonic() - started < 3
        done.set()


def test_the_body_of_a_redirect_is_not_read(
    names: dict[str, tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serving: Any
) -> None:
    """A body of ten gigabytes, as announced; the redirect is followed at once."""
    monkeypatch.setattr(http, "is_public", lambda address: True)
    endless = _redirect(f"http://{OTHER}/x").replace(b"Length: 0", b"Length: 10000000000")
    first, second = serving(endless), serving()
    names[HOST], names[OTHER] = ("127.0.0.1", first.port), ("127.0.0.1", second.port)
    first.hold = threading.Event()
    started = time.monotonic()
    assert _ask(tmp_path).outcome == "fresh"
    assert time.monotonic() - started < 1
    first.hold.set()
