"""What a report that is sent to others leaves out: the user, and the addresses of machines."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from pipelines.catalog import Source
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.text import redact

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# What may be an address of IPv4 or IPv6.
ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])")


def anonymous(text: str, source: Source, settings: Settings) -> str:
    """`redact`ed text without the user: contact and e-mail addresses, paths, and addresses of machines.

    A publisher may print the address of whoever asks, and an error that of a proxy. The publisher's own hosts stay.
    """
    text = redact(text)
    proxies = {urlsplit(p).hostname or p for h in source.hosts for p in get_environ_proxies(f"https://{h}").values()}
    name = EMAIL.sub("", settings.contact).strip(" <>()")
    folders = (
        settings.warehouse_dir,
        settings.catalog_dir,
        settings.overlay_dir,
        settings.bundled_dir,
        PROJECT_ROOT,
        Path.home(),
    )
    own = [settings.contact, *([name] if len(name) > 2 else []), settings.upstream_base_url, *map(str, folders)]
    for known in sorted({w for w in (*own, *proxies) if w and w != "/"}, key=len, reverse=True):
        text = re.sub(re.escape(known), "***", text, flags=re.IGNORECASE)
    return ADDRESS.sub(lambda m: "***" if _is_address(m[0]) else m[0], EMAIL.sub("***", text))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
