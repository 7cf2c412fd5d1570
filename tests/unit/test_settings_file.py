"""One settings file for shell and service: read by every command, and outranked by the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import Settings, variable


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METALS_SETTINGS_FILE", str(tmp_path / "metals.env"))
    for name in ("METALS_CONTACT", "METALS_FRED", "METALS_WAREHOUSE_DIR", "METALS_OVERLAY_DIR", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "metals.env"


def test_the_file_has_the_form_that_systemd_and_shells_take(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().fred, "the file need not exist"
    file.write_text(
        '# who asks\nMETALS_CONTACT="Ann Other ann@example.com"\nMETALS_FRED=false\nMETALS_WAREHOUSE_DIR=elsewhere\n'
        "DAGSTER_HOME=/var/lib/dagster\nOTHER=1\n",
        encoding="utf-8",
    )
    settings = Settings()
    assert (settings.contact, settings.fred, settings.warehouse_dir.name) == (
        "Ann Other ann@example.com", False, "elsewhere",
    )  # fmt: skip
    assert settings.overlay_dir == settings.warehouse_dir / "overlay", "beside the warehouse, wherever that is"
    assert variable("DAGSTER_HOME") == "/var/lib/dagster"
    monkeypatch.setenv("METALS_FRED", "true")
    monkeypatch.setenv("DAGSTER_HOME", "/home/dagster")
    assert (Settings().fred, variable("DAGSTER_HOME")) == (True, "/home/dagster")


def test_a_wrong_line_or_an_unreadable_file_is_named(file: Path) -> None:
    file.write_text("METALS_OFFLINE=perhaps\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="METALS_OFFLINE"):
        Settings()
    file.write_bytes(b"METALS_CONTACT=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"metals\.env cannot be read"):
        Settings()
