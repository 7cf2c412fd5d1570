"""Whether fetching from a publisher is allowed, and whether its host can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from pipelines.catalog import Source
from pipelines.landing.addresses import is_public
from pipelines.settings import Settings

# Hosts that offer no TLS, or none with a trusted certificate; all others are accessed over TLS.
HTTP_ONLY_HOSTS = frozenset({"www.gfex.com.cn", "english.customs.gov.cn"})


def not_asked(source: Source, settings: Settings) -> str | None:
    """Why nothing may be fetched from a publisher (`switched_off`, `no_key`, `offline`); None where it may."""
    if source.switch is not None and not getattr(settings, source.switch):
        return "switched_off"
    if source.key is not None and getattr(settings, source.key) is None:
        return "no_key"
    return "offline" if settings.offline else None


def reachable(sources: Iterable[Source], settings: Settings) -> dict[str, str]:
    """Whether the first host of each source accepts a TCP connection, tried in parallel; nothing is sent.

    Returns by source id: `yes`, `no: <reason>`, `switched off`, `no key set`, `not asked (offline)`, or
    `not asked (proxy)` where requests go through a proxy, which a plain TCP connection would bypass.
    """
    found: dict[str, str] = {}
    addresses: dict[str, tuple[str, int]] = {}
    for source in sources:
        host = source.hosts[0]
        port = 80 if host in HTTP_ONLY_HOSTS else 443
        reason = not_asked(source, settings)
        if reason is not None:
            found[source.id] = NOT_ASKED[reason]
        elif settings.upstream_base_url is not None:
            base = urlsplit(settings.upstream_base_url)
            addresses[source.id] = (base.hostname or "", base.port or (443 if base.scheme == "https" else 80))
        elif get_environ_proxies(f"{'http' if port == 80 else 'https'}://{host}"):
            found[source.id] = "not asked (proxy)"
        else:
            addresses[source.id] = (host, port)
    distinct = sorted(set(addresses.values()))  # some sources share a host, which is tried once
    with ThreadPoolExecutor(max_workers=max(len(distinct), 1), thread_name_prefix="reachable") as pool:
        public_only = settings.upstream_base_url is None
        tried = pool.map(lambda a: _knock(a, settings.connect_timeout_s, public_only), distinct)
        answers = dict(zip(distinct, tried, strict=True))
    return found | {source_id: answers[address] for source_id, address in addresses.items()}


NOT_ASKED = {"switched_off": "switched off", "no_key": "no key set", "offline": "not asked (offline)"}


def _knock(address: tuple[str, int], timeout_s: float, public_only: bool) -> str:
    """`yes` if `address` (host, port) accepts a connection within `timeout_s` seconds, else `no: <reason>`."""
    try:
        with socket.create_connection(address, timeout=timeout_s) as connection:
            private = public_only and not is_public(connection.getpeername()[0])
            return "no: its name leads to a private address" if private else "yes"
    except TimeoutError:
        return "no: timed out"
    except ConnectionRefusedError:
        return "no: refused"
    except socket.gaierror:
        return "no: unknown host"
    except OSError as error:
        return f"no: {(error.strerror or type(error).__name__).lower()}"
