"""Redaction of secrets in logs, journals and messages."""

from __future__ import annotations

import logging
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

from requests.utils import get_environ_proxies

from pipelines.catalog import Source
from pipelines.errors import printable
from pipelines.settings import PROJECT_ROOT, Settings

# Words after which a URL or a message may hold a secret (FRED, Census, Ember, BEA use these names).
SECRET = re.compile(
    r"(?i)\b([\w-]*(?:key|token|secret|password|userid|authorization))"
    r"(['\"]?\s*[=:]\s*['\"]?|%3D)((?:(?:bearer|basic|token)\s+)?[^&\s'\"]+)"
)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# What may be an address of IPv4 or IPv6.
ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])")


# The API keys that this process sends, in every encoding in which a message may repeat them.
_known_keys: set[str] = set()


def redact(text: str) -> str:
    """`text` with every key that this process sends, and everything that looks like one, replaced by `***`.

    Control characters become blanks, because the text may come from a publisher.
    """
    return SECRET.sub(r"\1\2***", without_keys(printable(text)))


def hide(key: str) -> None:
    """From now on, redact `key` wherever it occurs, in every encoding in which a message may repeat it."""
    _known_keys.update({key, quote(key, safe=""), quote_plus(key)})


def without_keys(text: str) -> str:
    for known in sorted(_known_keys, key=len, reverse=True):
        text = re.sub(re.escape(known), "***", text, flags=re.IGNORECASE)  # host names are printed in lower case
    return text


def anonymous(text: str, source: Source, settings: Settings) -> str:
    """`redact`ed text without the user: contact and e-mail addresses, paths, and addresses of machines.

    A publisher may print the address of whoever asks, and an error that of a proxy. The publisher's own hosts stay.
    """
    text = redact(text)
    proxies = {urlsplit(p).hostname or p for h in source.hosts for p in get_environ_proxies(f"https://{h}").values()}
    name = EMAIL.sub("", settings.contact).strip(" <>()")
    folders = (settings.warehouse_dir, settings.catalog_dir, settings.bundled_dir, PROJECT_ROOT, Path.home())
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


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


# urllib3 logs full URLs when it retries.
for _name in ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_redact_record)
