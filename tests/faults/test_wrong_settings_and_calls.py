"""A wrong setting or call is one sentence that names it, with exit code 2, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.settings import Settings
from tests.pipeline.conftest import Home

# What is called, with which variables, and how the sentence begins.
WRONG: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "an upstream of the internet": (
        ("status",),
        {"METALS_UPSTREAM_BASE_URL": "http://example.org"},
        "METALS_UPSTREAM_BASE_URL: should be",
    ),
    "an upstream of the network": (
        ("doctor",),
        {"METALS_UPSTREAM_BASE_URL": "http://10.0.0.1:80"},
        "METALS_UPSTREAM_BASE_URL: should be",
    ),
    "an upstream that looks local": (
        ("run",),
        {"METALS_UPSTREAM_BASE_URL": "http://127.0.0.1.example.org"},
        "METALS_UPSTREAM_BASE_URL: should be a",
    ),
    "an upstream with a user": (
        ("run",),
        {"METALS_UPSTREAM_BASE_URL": "http://127.0.0.1:80@example.org"},
        "METALS_UPSTREAM_BASE_URL: should be",
    ),
    "an upstream with a backslash": (
        ("run",),
        {"METALS_UPSTREAM_BASE_URL": "http://example.org\\@127.0.0.1"},
        "METALS_UPSTREAM_BASE_URL: should be",
    ),
    "an upstream that is a file": (
        ("run",),
        {"METALS_UPSTREAM_BASE_URL": "file:///etc/passwd"},
        "METALS_UPSTREAM_BASE_URL: should be",
    ),
    "a webhook that is no URL": (
        ("run",),
        {"ALERT_WEBHOOK_URL": "planted.example/x"},
        "ALERT_WEBHOOK_URL: should",
    ),
    "a webhook with a password": (
        ("run",),
        {"ALERT_WEBHOOK_URL": "https://u:planted@example.org/x"},
        "ALERT_WEBHOOK_URL: should be an http",
    ),
    "a webhook with a blank": (
        ("ui",),
        {"ALERT_WEBHOOK_URL": "https://e.org/planted x"},
        "ALERT_WEBHOOK_URL: should",
    ),
    "a webhook of another scheme": (("ui",), {"ALERT_WEBHOOK_URL": "ftp://e.org/planted"}, "ALERT_WEBHOOK_URL: should"),
    "a private webhook, perhaps": (
        ("run",),
        {"METALS_ALERT_WEBHOOK_PRIVATE": "perhaps"},
        "METALS_ALERT_WEBHOOK_PRIVATE: input",
    ),
    "a webhook of an unknown service": (
        ("run",),
        {"METALS_ALERT_WEBHOOK_FORMAT": "carrier-pigeon"},
        "METALS_ALERT_WEBHOOK_FORMAT: input should be",
    ),
    "mail to nobody": (("run",), {"METALS_SMTP_HOST": "mail.example.org"}, "METALS_SMTP_HOST: needs METALS_SMTP_FROM"),
    "a mail server with its port": (
        ("run",),
        {
            "METALS_SMTP_HOST": "mail.example.org:587",
            "METALS_SMTP_FROM": "a@example.org",
            "METALS_SMTP_TO": "b@example.org",
        },
        "METALS_SMTP_HOST: should be a host's name or address, without a port",
    ),
    "a password in the clear": (
        ("run",),
        {
            "METALS_SMTP_HOST": "mail.example.org",
            "METALS_SMTP_FROM": "a@example.org",
            "METALS_SMTP_TO": "b@example.org",
            "METALS_SMTP_USER": "u",
            "METALS_SMTP_PASSWORD": "planted",
            "METALS_SMTP_TLS": "none",
        },
        "METALS_SMTP_HOST: would be sent the password unencrypted",
    ),
    "a mail address of two lines": (
        ("run",),
        {"METALS_SMTP_TO": "a@example.org\r\nBcc: planted@example.org"},
        "METALS_SMTP_TO: should be e-mail addresses",
    ),
    "a contact of two lines": (("run",), {"METALS_CONTACT": "A\r\nX-Evil: 1"}, "METALS_CONTACT: should be"),
    "a contact in other letters": (
        ("run",),
        {"METALS_CONTACT": "J\u00fcrg \u5f20"},
        "METALS_CONTACT: should be",
    ),
    "no time to connect": (
        ("run",),
        {"METALS_CONNECT_TIMEOUT_S": "0"},
        "METALS_CONNECT_TIMEOUT_S: input should",
    ),
    "less than no time": (("run",), {"METALS_READ_TIMEOUT_S": "-1"}, "METALS_READ_TIMEOUT_S: input should be greater"),
    "endless time": (("run",), {"METALS_TOTAL_TIMEOUT_S": "inf"}, "METALS_TOTAL_TIMEOUT_S: input should be less than"),
    "time that is no number": (("run",), {"METALS_TOTAL_TIMEOUT_S": "nan"}, "METALS_TOTAL_TIMEOUT_S: input should be"),
    "time in words": (("run",), {"METALS_LOCK_WAIT_S": "soon"}, "METALS_LOCK_WAIT_S: input should be a valid number"),
    "offline, perhaps": (("status",), {"METALS_OFFLINE": "perhaps"}, "METALS_OFFLINE: input should be"),
    "a day that is none": (("status",), {"METALS_AS_OF": "2026-02-30"}, "METALS_AS_OF: input should be a valid date"),
    "a folder of nobody": (
        ("status",),
        {"METALS_BUNDLED_DIR": "~nobody-here/x"},
        "METALS_BUNDLED_DIR: there is no user",
    ),
    "a home of nobody": (("run",), {"DAGSTER_HOME": "~nobody-here/x"}, "DAGSTER_HOME: there is no user ~nobody-here"),
    "a day to come": (
        ("history", "--since", "2026-01"),
        {"METALS_AS_OF": "2999-12-31"},
        "METALS_AS_OF: lies in the future",
    ),
    "two at once": (
        ("sql", "select 1"),
        {"METALS_OFFLINE": "x", "METALS_FRED": "y"},
        "METALS_OFFLINE: input should be",
    ),
    "a port too high": (("ui", "--port", "99999"), {}, "Invalid value for '--port'"),
    "a port that is a word": (("ui", "--port", "http"), {}, "Invalid value for '--port'"),
    "a public URL without scheme": (("ui", "--public-url", "metals.example.org"), {}, "--public-url should look like"),
    "a public URL with a path": (("ui", "--public-url", "https://e.org/ui"), {}, "--public-url should look like"),
    "a public URL with a user": (("ui", "--public-url", "https://u@e.org"), {}, "--public-url should look like"),
    "fewer rows than none": (("sql", "--rows", "-1", "select 1"), {}, "Invalid value for '--rows'"),
    "an unknown option": (("sql", "--unlimited", "select 1"), {}, "No such option"),
    "what if of nothing": (("what-if",), {}, "name at least one input to change: --capex-pct, --copper-t-per-mw"),
    "what if nobody spent": (("what-if", "--capex-pct", "-100"), {}, "--capex-pct is in per cent, from -99 to 1000"),
    "what if of no number": (("what-if", "--money-gap-pp", "nan"), {}, "--money-gap-pp is in percentage points"),
    "what if in words": (("what-if", "--copper-t-per-mw", "more"), {}, "Invalid value for '--copper-t-per-mw'"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_it_is_one_sentence_with_exit_code_2(
    wrong: tuple[tuple[str, ...], dict[str, str], str], tmp_path: Path
) -> None:
    arguments, variables, beginning = wrong
    done = _home(tmp_path).call(*arguments, **variables)
    said = [line.strip(" \u2502") for line in done.stderr.splitlines()]
    assert (done.returncode, done.stdout) == (2, "")
    assert any(line.removeprefix("error ").startswith(beginning) for line in said), done.stderr
    assert "Traceback" not in done.stderr
    assert "planted" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_says_the_same(tmp_path: Path) -> None:
    arguments, variables, beginning = WRONG["a webhook with a password"]
    done = _home(tmp_path).metals(*arguments, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error {beginning}")
    assert "planted" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def _home(folder: Path) -> Home:
    return Home(folder, {"DAGSTER_HOME": str(folder), "METALS_WAREHOUSE_DIR": str(folder), "COLUMNS": "200"})


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "METALS_AS_OF", "METALS_OFFLINE", "METALS_CONNECT_TIMEOUT_S", "ALERT_WEBHOOK_URL", "METALS_CENSUS_KEY"
    ):  # fmt: skip
        monkeypatch.setenv(name, "")
    found = Settings()
    assert (found.as_of, found.alert_webhook_url, found.census_key) == (None, None, None)
