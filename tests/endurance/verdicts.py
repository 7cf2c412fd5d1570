"""Invariants of a warehouse folder after any disturbance: of the published file, of landing, and of the raw tables."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from pathlib import Path

import duckdb

from pipelines.landing import Landing

# Raw tables with the columns that no two of their rows may share.
KEYS = {
    "observation": "series_id, period, known_at",
    "filing_fact": "cik, taxonomy, tag, unit, period_start, period_end, accession, known_at",
    "filing": "cik, accession, known_at",
    "policy_document": "document_number, topic, known_at",
    "tariff_release": "release_id, known_at",
    "payload": "payload_id",
    "retrieval": "source_id, request_key, checked_at",
    "coverage": "payload_id, series_id, retrieved_at",
    "quarantine": "payload_id, series_id, row, reason, quarantined_at",
    "claim_history": "as_of, claim_id",
    "claim_evidence_history": "as_of, claim_id, indicator",
    "ppi_nowcast_history": "as_of, horizon_months",
    "build": "build_id",
    "model_state": "model",
}
# When and how often something was done, in place of what is known: two ways to the same state differ here.
HISTORY = {"claim_history", "claim_evidence_history", "ppi_nowcast_history"}
ABOUT_THE_RUN = {"build", "bundle", "model_state", *HISTORY}


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents(path: Path, schemas: tuple[str, ...] = ("main", "raw", "seeds")) -> dict[str, tuple[int, int | None]]:
    """By table: its rows and an order-free hash over all of them. Every block of the file is read."""
    found = {}
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal order by 1, 2"
        ).fetchall():
            if schema in schemas:
                query = f'select count(*), sum(hash(t)) from "{schema}"."{table}" as t'
                found[f"{schema}.{table}"] = connection.execute(query).fetchall()[0]
    return found


def incomplete(path: Path, selection: str = "") -> list[str]:
    """What keeps a published file from being one complete build; empty for a whole one.

    `selection`: the models that its last build was asked for by name; empty where it was asked for all.
    """
    try:
        held = contents(path)
        with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
            builds = connection.execute(
                "select finished_at is not null, succeeded, selection from raw.build order by rowid desc limit 1"
            ).fetchall()
            counted = dict(connection.execute("select table_name, rows_after from audit.build_diff").fetchall())
            findings = connection.execute("select check_name from audit.finding where is_blocking and not passed")
            failed = [name for (name,) in findings.fetchall()]
    except duckdb.Error as error:
        return [f"cannot be read: {error}"]
    wrong = [f"blocking check {name} failed" for name in failed]
    if builds != [(True, True, selection)]:
        wrong.append(f"its last build is {builds}")
    rows = {name.removeprefix("main."): n for name, (n, _) in held.items() if name.startswith("main.")}
    if not rows or rows != counted:
        wrong.append(f"its tables are not those that were audited: {Counter(rows) - Counter(counted)}")
    return wrong + duplicates(path)


def duplicates(path: Path) -> list[str]:
    """Raw tables in which two rows share a key."""
    wrong = []
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        for table, key in KEYS.items():
            rows = connection.execute(
                f"select {key}, count(*) from raw.{table} group by {key} having count(*) > 1 limit 2"
            ).fetchall()
            if rows:
                wrong.append(f"raw.{table} holds rows twice: {rows}")
    return wrong


class LandingWatch:
    """Remembers what landing held and says what of it is gone or damaged."""

    def __init__(self, root: Path) -> None:
        self._root, self._landing = root, Landing(root)
        self._journals: dict[Path, bytes] = {}
        self._held: set[str] = set()

    def lost(self) -> list[str]:
        """What was in a journal before and is not now, and payloads a journal names that are not whole."""
        wrong = []
        for path, before in self._journals.items():
            if not path.exists() or not path.read_bytes().startswith(before):
                wrong.append(f"{path.name} lost lines")
        for path in sorted((self._root / "journal").glob("*.jsonl")):
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]  # the last line may have been torn
            for line in whole[len(self._journals.get(path, b"")) :].splitlines():
                with contextlib.suppress(ValueError):  # torn by an earlier kill; `loaded` counts those that can be read
                    payload_id = json.loads(line).get("payload_id")
                    if payload_id and payload_id not in self._held and not self._landing.holds(payload_id):
                        wrong.append(f"{path.name} names payload {payload_id}, which is not there whole")
                    self._held.add(payload_id)
            self._journals[path] = whole
        return wrong

    def not_loaded(self, build: Path) -> list[str]:
        """Checks of the journals that the raw tables do not hold exactly once."""
        with contextlib.closing(duckdb.connect(str(build), read_only=True)) as connection:
            loaded = Counter(
                connection.execute("select source_id, request_key, checked_at from raw.retrieval").fetchall()
            )
        landed = Counter(
            (check.source, check.key, check.checked_at)
            for path in (self._root / "journal").glob("*.jsonl")
            for check in self._landing.retrievals(path.stem)
        )
        missing, surplus = landed - loaded, loaded - landed
        return [f"not loaded: {list(missing)[:3]}"] * bool(missing) + [f"loaded too often: {list(surplus)[:3]}"] * bool(
            surplus
        )
