"""The documentation: links are valid, named commands and settings exist, and all of them are documented."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

from pipelines.cli import app
from pipelines.settings import PROJECT_ROOT, Settings, setting_variable

PAGES = [
    *sorted(PROJECT_ROOT.glob("*.md")),
    *sorted((PROJECT_ROOT / "docs").rglob("*.md")),
    PROJECT_ROOT / "warehouse" / "README.md",
    PROJECT_ROOT / "warehouse" / "bundled" / "README.md",
]
# Settings that only tests use, and a way to say the same as a command's option; all others are in docs/settings.md.
FOR_TESTS = {"upstream_base_url", "pacing", "now"}
METALS: Any = typer.main.get_command(app)  # typer brings its own click, so groups are told by what they have


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _name(page: Path) -> str:
    return str(page.relative_to(PROJECT_ROOT))


def _anchors(page: Path) -> set[str]:
    """Anchors of the headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", _text(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?ms)^```.*?^```", "", _text(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_under_docs_is_in_the_index() -> None:
    index = _text(PROJECT_ROOT / "docs" / "README.md") + _text(PROJECT_ROOT / "docs" / "methods" / "README.md")
    named = set(re.findall(r"\]\(([^)#\s]+)\)", index))
    pages = {p.relative_to(PROJECT_ROOT / "docs") for p in (PROJECT_ROOT / "docs").rglob("*.md")}
    missing = [str(p) for p in pages if p.name != "README.md" and not {str(p), p.name} & named]
    assert missing == []


def _commands(page: Path) -> Iterator[list[str]]:
    """Every call of `metals` in indented or fenced code, and in inline code, as words."""
    text = re.sub(r"\\\n\s*", " ", _text(page))
    blocks = re.findall(r"(?ms)^```(?:sh|shell|bash|)\n(.*?)^```", text)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [line for line in text.splitlines() if line.startswith("    ")]
    lines += re.findall(r"`((?:\.venv/bin/)?metals [^`]+)`", text)
    for line in lines:
        found = re.search(r"(?:^|bin/)metals ([a-z-].*)$", re.sub(r"(?<!\S)#.*$", "", line).strip())
        if found:
            yield _words(found.group(1))


def _words(call: str) -> list[str]:
    plain = re.sub(r"\$\([^)]*\)", "x", call).replace("[", " ").replace("]", " ").replace("|", " ")
    try:
        return shlex.split(plain)
    except ValueError:
        return plain.split()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_and_options_that_are_named_exist(page: Path) -> None:
    wrong = []
    for words in _commands(page):
        command = METALS
        rest = list(words)
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            name = rest.pop(0)
            if name not in command.commands:
                wrong.append(f"metals {' '.join(words)}: no command {name}")
                break
            command = command.commands[name]
        if command.context_settings.get("ignore_unknown_options"):
            continue  # the options are another program's
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        wrong += [
            f"metals {' '.join(words)}: no option {word}"
            for word in (w.partition("=")[0] for w in rest)
            if re.match(r"--?[a-z]", word) and word not in options
        ]
    assert wrong == []


def test_every_command_is_documented() -> None:
    table = _text(PROJECT_ROOT / "docs" / "commands.md")
    for name, command in METALS.commands.items():
        names = [f"{name} {sub}" for sub in command.commands] if hasattr(command, "commands") else [name]
        for full in names:
            assert re.search(rf"^\| `metals {full}\b", table, flags=re.MULTILINE), full


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(PROJECT_ROOT / "Makefile"), flags=re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:`|^    )make ([a-z][a-z-]*)", _text(page), flags=re.MULTILINE))
        assert named <= targets, page


def _settings_table() -> dict[str, str]:
    page = _text(PROJECT_ROOT / "docs" / "settings.md")
    return dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]+?)`? \|", page, flags=re.MULTILINE))


def _default(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        return str(value.relative_to(PROJECT_ROOT))
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_settings_table_is_what_settings_py_says() -> None:
    declared = {
        "ALERT_WEBHOOK_URL" if name == "alert_webhook_url" else setting_variable(name): _default(
            field.get_default(call_default_factory=True, validated_data={})
        )
        for name, field in Settings.model_fields.items()
        if name not in FOR_TESTS
    }
    declared["METALS_CONTACT"] = "not set"  # its default says so in the User-Agent itself
    assert _settings_table() == declared


def test_the_short_page_of_the_claims_has_every_statement_and_leads_to_its_rule() -> None:
    page = _text(PROJECT_ROOT / "docs" / "reading_claims.md")
    with (PROJECT_ROOT / "dbt_project" / "seeds" / "claims.csv").open(encoding="utf-8") as seed:
        claims = [(row["title"], row["claim_id"], row["statement"]) for row in csv.DictReader(seed)]
    shown = re.findall(r"^\| (.*) \(\[(\w+)\]\(claims\.md#\w+\)\) \| (.*) \|$", page, flags=re.MULTILINE)
    assert shown == claims


def test_a_claims_short_name_is_three_to_five_words_that_a_terminals_line_holds() -> None:
    with (PROJECT_ROOT / "dbt_project" / "seeds" / "claims.csv").open(encoding="utf-8") as seed:
        titles = [row["title"] for row in csv.DictReader(seed)]
    assert [t for t in titles if not 3 <= len(t.split()) <= 5 or len(t) > 30 or "_" in t] == []


def test_the_readme_stays_short() -> None:
    assert len(_text(PROJECT_ROOT / "README.md").splitlines()) < 150


def test_the_unit_file_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = _text(PROJECT_ROOT / "deploy" / "metals-drivers.service")
    assert "ExecStart=/opt/metals-drivers/.venv/bin/metals ui " in unit
    # The program and the user exist on the machine that the unit is for; here others stand in.
    here = unit.replace("/opt/metals-drivers/.venv/bin/metals", "/bin/true").replace("User=metals", "User=root")
    copy = tmp_path / "metals-drivers.service"
    copy.write_text(here, encoding="utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_what_the_container_copies_exists() -> None:
    lines = _text(PROJECT_ROOT / "deploy" / "Containerfile").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied
    assert [name for name in copied if not (PROJECT_ROOT / name).exists()] == []
