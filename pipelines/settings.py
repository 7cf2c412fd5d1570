"""The only reader of the environment and of the settings file. Everything else receives a `Settings` by argument.

Every variable is `METALS_<NAME>`, except those that other programs already define (`ALERT_WEBHOOK_URL`, `NO_COLOR`).
A variable of the environment wins over the same one in the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import UTC, date, datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import SettingsError
from pipelines.text import hide, hide_credentials, hide_password, hide_url

PROJECT_ROOT = Path(__file__).resolve().parents[1]
# Past days can be built from here on. What was known earlier rests on assumed publication lags alone.
FIRST_AS_OF_DAY = date(2000, 1, 1)
VERSION: str = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def setting_variable(name: str) -> str:
    """The environment variable of a setting."""
    return "ALERT_WEBHOOK_URL" if name == "alert_webhook_url" else f"METALS_{name}".upper()


def in_project(path: Path) -> Path:
    """`path` as an absolute one; a relative one counts from the project's folder."""
    try:
        return PROJECT_ROOT / path.expanduser()
    except RuntimeError:
        raise ValueError(f"there is no user {path.parts[0]}") from None


def settings_file() -> Path:
    """The file of settings, one NAME=value a line, for shell and service alike; it need not exist."""
    return in_project(Path(os.environ.get("METALS_SETTINGS_FILE") or "metals.env"))


def variable(name: str) -> str | None:
    """A variable that another program defines (DAGSTER_HOME), from the environment or the settings file."""
    return os.environ.get(name) or dotenv_values(settings_file()).get(name)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_named_by_address(host: str) -> bool:
    """Whether a host is this machine's name or an IP address, so that whoever set it knows where it leads."""
    return host == "localhost" or _address(host) is not None


# How the hosts of known services end.
_WEBHOOKS = {
    ".hooks.slack.com": "slack",
    ".webhook.office.com": "teams",
    ".logic.azure.com": "teams",
    ".powerplatform.com": "teams",
    ".ntfy.sh": "ntfy",
}


class Settings(BaseSettings):
    """File locations, permissions to fetch, and limits.

    Names of attributes carry their unit; paths are absolute: a relative one counts from the project's folder. An empty
    variable counts as not set. From here on, secrets among the settings and credentials of proxies are kept out of
    messages. Raises SettingsError, which names each wrong variable.
    """

    model_config = SettingsConfigDict(env_prefix="METALS_", env_ignore_empty=True, frozen=True, extra="ignore")

    warehouse_dir: Path = Field(
        default=PROJECT_ROOT / "warehouse", description="Landing, build and published files live under this folder."
    )
    bundled_dir: Path = Field(
        default=PROJECT_ROOT / "warehouse" / "bundled", description="Figures shipped with the project."
    )
    catalog_dir: Path = Field(
        default=PROJECT_ROOT / "pipelines" / "catalog", description="The catalogue of sources and series."
    )
    overlay_dir: Path = Field(
        default_factory=lambda given: given.get("warehouse_dir", PROJECT_ROOT / "warehouse") / "overlay",
        description="Your own series, sources, companies, corrections, claims and models.",
    )
    contact: str = Field(
        default="contact-not-set@example.org",
        description="Name and e-mail for the User-Agent; the SEC requires a real one.",
    )
    offline: bool = Field(default=False, description="Fetch nothing; use landed responses and bundled figures.")
    fred: bool = Field(
        default=True, description="Read the FRED aggregator; its own terms are stricter than its data's."
    )
    personal_use: bool = Field(
        default=False,
        description="Read publishers whose terms allow personal use only (exchanges, Yahoo, LBMA, Westmetall).",
    )
    brief_personal_use: bool = Field(
        default=False,
        description="Show figures of those publishers in the brief, which must then not be shared.",
    )
    sec_bulk_history: bool = Field(
        default=False, description="Also read the SEC's quarterly financial statement data sets: tens of large zips."
    )
    census_key: SecretStr | None = Field(
        default=None, description="Your Census Bureau API key; without it, nothing is fetched from the bureau."
    )
    connect_timeout_s: float = Field(
        default=4.0, gt=0, le=86_400, description="Maximum wait for a connection, in seconds."
    )
    read_timeout_s: float = Field(
        default=30.0, gt=0, le=86_400, description="Maximum wait between two parts of a response, in seconds."
    )
    total_timeout_s: float = Field(
        default=180.0, gt=0, le=86_400, description="Maximum time for one response, in seconds."
    )
    upstream_base_url: str | None = Field(
        default=None,
        description="Tests: request <base>/<host>/<path> at this loopback address instead of the publishers' hosts.",
    )
    now: datetime | None = Field(default=None, description="Tests: the current time, as ISO 8601 in UTC.")
    as_of: date | None = Field(
        default=None,
        description="Build what was known by the end of this day, into its own file; the daily build is unchanged.",
    )
    history_months: int = Field(
        default=12,
        ge=0,
        description="Number of past month ends whose verdicts a run computes; `metals history` goes further back.",
    )
    pacing: bool = Field(
        default=True, description="Tests: whether to wait between requests; publishers' own hosts are always paced."
    )
    lock_wait_s: float = Field(
        default=600.0, ge=0, le=86_400, description="How long a run waits for another run's build, in seconds."
    )
    publish_despite_failed_checks: str | None = Field(
        default=None, description="The reason, recorded with the build, for publishing despite a failed blocking check."
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ALERT_WEBHOOK_URL", "METALS_ALERT_WEBHOOK_URL"),
        description="Webhook to which failed runs and changes of a publication are posted.",
    )
    alert_webhook_format: Literal["auto", "slack", "teams", "ntfy", "json"] = Field(
        default="auto", description="What the webhook expects; auto tells it from its host's name, else plain JSON."
    )
    alert_webhook_private: bool = Field(
        default=False, description="Whether the name in ALERT_WEBHOOK_URL may lead to a private address."
    )
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="Encryption of the mail: starttls, implicit (usually port 465), or none."
    )
    smtp_user: str | None = Field(default=None, description="User at the mail server; none: no login.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_from: str | None = Field(default=None, description="Address the mail comes from.")
    smtp_to: str | None = Field(default=None, description="Addresses the mail goes to, separated by commas.")
    smtp_private: bool = Field(
        default=False, description="Whether the name in METALS_SMTP_HOST may lead to a private address."
    )
    smtp_host: str | None = Field(  # after the other settings of mail, which its validator reads
        default=None, description="Mail server for the changes of a publication; none: no mail."
    )
    brief_url: str | None = Field(
        default=None, description="Where readers open the brief; messages name it in place of the file's path."
    )

    _day: date | None = PrivateAttr(default=None)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(_env_file=settings_file(), _env_file_encoding="utf-8", **given)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{settings_file()} cannot be read: {error}") from None
        except ValidationError as error:
            raise SettingsError("; ".join(_sentence(e) for e in error.errors(include_input=False))) from None

    def model_post_init(self, _: Any) -> None:
        if self.census_key:
            hide(self.census_key.get_secret_value())
        if self.smtp_password:
            hide_password(self.smtp_user or "", self.smtp_password.get_secret_value())
        if self.alert_webhook_url:
            hide_url(self.alert_webhook_url.get_secret_value())
        for proxy in getproxies().values():
            hide_credentials(proxy)

    @field_validator("warehouse_dir", "bundled_dir", "catalog_dir", "overlay_dir")
    @classmethod
    def _a_folder_is_the_same_from_everywhere(cls, path: Path) -> Path:
        # The command, the UI and its code server run in different folders; one setting has to mean one warehouse.
        return in_project(path)

    @field_validator("contact")
    @classmethod
    def _a_contact_is_a_header(cls, contact: str) -> str:
        if not (contact.isprintable() and contact.isascii()):
            raise ValueError("should be printable ASCII, because it is sent in a header")
        return contact

    @field_validator("as_of")
    @classmethod
    def _nothing_is_known_of_a_day_to_come(cls, day: date | None, info: ValidationInfo) -> date | None:
        if day is not None and day > (info.data.get("now") or datetime.now(UTC)).date():
            raise ValueError("lies in the future")
        return day

    @field_validator("upstream_base_url")
    @classmethod
    def _the_upstream_of_tests_is_local(cls, url: str | None) -> str | None:
        if url is not None:
            found = re.fullmatch(r"http://(?:([\w.-]+)|\[([0-9a-f:]+)\])(?::\d{1,5})?/?", url, re.ASCII)
            if found is None or not _is_loopback(found[1] or found[2]):
                raise ValueError("should be a loopback address, such as http://127.0.0.1:8099; it is for tests only")
        return url

    @field_validator("alert_webhook_url")
    @classmethod
    def _a_webhook_is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.fullmatch(r"https?://[\w.:\[\]-]+(?:/[!-~]*)?", url.get_secret_value(), re.ASCII):
            raise ValueError("should be an http or https URL, without user and password")
        return url

    @field_validator("smtp_from", "smtp_to")
    @classmethod
    def _mail_goes_to_addresses(cls, addresses: str | None, info: ValidationInfo) -> str | None:
        found = [a.strip() for a in (addresses or "").split(",")]
        if addresses is not None and not all(re.fullmatch(r"[!-?A-~]+@[\w.-]+", a, re.ASCII) for a in found):
            raise ValueError("should be e-mail addresses, separated by commas")
        if info.field_name == "smtp_from" and len(found) > 1:
            raise ValueError("should be one e-mail address")
        return addresses and ", ".join(found)

    @field_validator("smtp_host")
    @classmethod
    def _mail_can_be_sent_and_no_password_in_the_clear(cls, host: str | None, info: ValidationInfo) -> str | None:
        if host is None:
            return None
        given = info.data
        if not re.fullmatch(r"[\w.:-]+", host, re.ASCII) or (":" in host and _address(host) is None):
            raise ValueError("should be a host's name or address, without a port")
        if not (given.get("smtp_from") and given.get("smtp_to")):
            raise ValueError("needs METALS_SMTP_FROM and METALS_SMTP_TO")
        if bool(given.get("smtp_user")) != bool(given.get("smtp_password")):
            raise ValueError("needs both or none of METALS_SMTP_USER and METALS_SMTP_PASSWORD")
        if given.get("smtp_user") and given.get("smtp_tls") == "none" and not _is_loopback(host):
            raise ValueError("would be sent the password unencrypted: METALS_SMTP_TLS=none is for mail without login")
        return host

    @field_validator("brief_url")
    @classmethod
    def _a_page_has_an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[!-~]+", url, re.ASCII):
            raise ValueError("should be an http or https URL")
        return url

    @field_validator("census_key")
    @classmethod
    def _an_empty_key_is_none(cls, key: SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value().strip() if key else ""  # may be pasted with a line break
        return SecretStr(text) if text else None

    @property
    def webhook_is_private(self) -> bool:
        """Whether the webhook may be on this machine or its network: as set, or where its URL says so itself."""
        return self.alert_webhook_private or _is_named_by_address(self._webhook_host)

    @property
    def smtp_is_private(self) -> bool:
        """Whether the mail server may be on this machine or its network: as set, or where its host says so itself."""
        return self.smtp_private or _is_named_by_address(self.smtp_host or "")

    @property
    def webhook_format(self) -> str:
        """What the webhook expects: slack, teams, ntfy or json."""
        if self.alert_webhook_format != "auto":
            return self.alert_webhook_format
        return next((kind for ends, kind in _WEBHOOKS.items() if f".{self._webhook_host}".endswith(ends)), "json")

    @property
    def _webhook_host(self) -> str:
        url = self.alert_webhook_url.get_secret_value() if self.alert_webhook_url else ""
        return urlsplit(url).hostname or ""

    @property
    def landing_dir(self) -> Path:
        return self.warehouse_dir / "landing"

    @property
    def bulk_dir(self) -> Path:
        """History backfilled from the SEC's bulk file, as Parquet."""
        return self.warehouse_dir / "bulk" / "sec_companyfacts"

    @property
    def build_path(self) -> Path:
        """The build file: one writer at a time, not for users."""
        # The file name is the same for every date, because dbt's parsed project holds it as the database name.
        folder = self.warehouse_dir / "build"
        return (folder if self.as_of is None else folder / f"as_of_{self.as_of}") / "build.duckdb"

    @property
    def published_path(self) -> Path:
        """The published file: replaced atomically, may be opened read-only at any time."""
        if self.as_of is not None:
            return self.warehouse_dir / "as_of" / f"metals_{self.as_of}.duckdb"
        return self.warehouse_dir / "metals.duckdb"

    @property
    def brief_path(self) -> Path:
        """The page made from the published file; a past date has a page of its own."""
        name = "index.html" if self.as_of is None else f"as_of_{self.as_of}.html"
        return self.warehouse_dir / "brief" / name

    @property
    def brief_json_path(self) -> Path:
        """The same answers for programs, beside the page."""
        return self.brief_path.with_name("brief.json") if self.as_of is None else self.brief_path.with_suffix(".json")

    @property
    def messages_path(self) -> Path:
        """The journal of the messages on publications, which decides that none is sent twice."""
        return self.warehouse_dir / "messages.jsonl"

    @property
    def held_back_path(self) -> Path:
        """The file with the reason why the last build was not published; removed by the next publication."""
        return self.build_path.with_name("held_back.txt")

    @property
    def rewound_path(self) -> Path:
        """The file that says that the published file is of a clock that was ahead; removed by the next publication."""
        return self.build_path.with_name("rewound.txt")

    @property
    def running_path(self) -> Path:
        """The file with the time at which the active run began; it stays if that run is killed."""
        return self.lock_path.with_name("running.txt")

    @property
    def lock_path(self) -> Path:
        return self.warehouse_dir / "build" / "build.lock"

    @property
    def dbt_project_dir(self) -> Path:
        return PROJECT_ROOT / "dbt_project"

    @cached_property
    def user_agent(self) -> str:
        """The usual form of a program that says who it is; a source's own form is in its `headers`."""
        return f"Mozilla/5.0 (compatible; metals-drivers/{VERSION}; +{self.contact})"

    def as_of_date(self) -> date:
        """The as-of date of the models: the one that is set, that of `stay_on_this_day`, or today in UTC."""
        return self.as_of or self._day or self.clock().date()

    def stay_on_this_day(self) -> Settings:
        """These settings, whose as-of date no longer changes at midnight."""
        self._day = self.clock().date()
        return self

    def clock(self) -> datetime:
        """The current time in UTC, without a time zone (as the warehouse stores it)."""
        moment = self.now or datetime.now(UTC)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _sentence(error: Any) -> str:
    """What is wrong with one variable, without its value, which may be a secret."""
    said = str(error["msg"]).removeprefix("Value error, ")
    name = str(error["loc"][0])
    return f"{name if name.isupper() else setting_variable(name)}: {said[0].lower()}{said[1:]}"
