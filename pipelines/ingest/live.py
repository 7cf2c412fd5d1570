"""The live check: one small real request per publisher, parsed as in a run; nothing of it is landed or loaded.

The answer is compared with the last landed one to the same request: the same parser reads both, and their shapes
(`sources._shape`) show what changed that the parser did not ask for. Results are kept in a journal beside the landed
responses, from which `raw.live_check` is filled; presentation belongs to `reporting.live`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import polars as pl
from pydantic import ConfigDict, NaiveDatetime, TypeAdapter

from pipelines import columns, contracts, text, warehouse
from pipelines.catalog import Catalog, Source
from pipelines.catalog.calendar import age_days, is_stale
from pipelines.errors import BadPayload, Blocked, MetalsError, Moved, PayloadNotRead, UpstreamUnavailable
from pipelines.ingest.load import judged, record_bad_lines, too_many_bad
from pipelines.ingest.observations import without_unfinished
from pipelines.ingest.payload import Payload
from pipelines.landing import Landing, Retrieval, journal
from pipelines.landing.reachability import not_asked
from pipelines.landing.trial import MAX_REQUESTS, Answer, answers
from pipelines.settings import Settings
from pipelines.sources import SourceModule, _shape
from pipelines.text import redact

log = text.logger("metals.live")

# Answers are compared with those landed before the last weekly check, because a change that the parser did not mind has
# landed since.
COMPARED_AGE = timedelta(days=7)
EARLIER_PAYLOADS = 3  # one of them may have been refused
SHOWN = 3

STATES = list(columns.LIVE_STATES)
# What a finding means for its publisher. `changed` leaves every figure as it was.
STATE_OF = {
    "reach": "not_reached",
    "block": "blocked",
    "address": "moved",
    "refused": "drifted",
    "series": "drifted",
    "unit": "drifted",
    "age": "frozen",
    "format": "changed",
    "column": "changed",
    "label": "changed",
    "late": "changed",
    "cells": "changed",
    "switch": "not_asked",
}
SOUND = ("good", "changed", "not_asked")
COSTS_FIGURES = ("moved", "drifted", "frozen")  # who was not reached, or blocked this once, may answer tomorrow
# Dates by which the newest record of a payload is found, besides `period` of figures.
RECORD_DAYS = {
    "filing": "filing_date",
    "filing_fact": "filed",
    "policy_document": "publication_date",
    "tariff_release": "release_start_date",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as expected; `kind` is a key of STATE_OF."""

    kind: str
    said: str


@dataclass(frozen=True)
class LiveCheck:
    """The result for one publisher; a line of the journal and a row of `raw.live_check`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # a misspelt member is a damaged line

    source_id: str
    checked_at: NaiveDatetime
    state: str
    finding: str | None = None
    request_key: str | None = None
    url: str | None = None
    status: int | None = None
    content_type: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    payload_id: str | None = None
    series_wanted: int | None = None
    series_found: int | None = None
    rows: int | None = None
    newest_period: date | None = None
    compared_with: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing found here concerns a figure."""
        return self.state in SOUND


_LIVE_CHECK = TypeAdapter(LiveCheck)


@dataclass(frozen=True)
class _Read:
    """What the parser and the contracts made of an answer."""

    ends: dict[str, date] = field(default_factory=dict)  # newest good period by series
    missing: frozenset[str] = frozenset()  # series of which the answer has only missing values
    rows: int = 0
    newest: date | None = None
    bad: tuple[tuple[str | None, str], ...] = ()  # series and reason of each row that is not usable
    refused: MetalsError | None = None

    @property
    def present(self) -> frozenset[str]:
        return frozenset(self.ends) | self.missing


def check(
    sources: Iterable[Source], modules: Callable[[str], SourceModule], catalog: Catalog, settings: Settings
) -> list[LiveCheck]:
    """Check all sources in parallel, one thread each, in the order given. Never raises for a publisher's fault.

    Asks under the guards of a run: pacing, hosts, limits, switches and keys. The order of the findings is that of
    STATES.
    """
    sources = list(sources)
    with ThreadPoolExecutor(max_workers=max(len(sources), 1), thread_name_prefix="live") as pool:
        return list(pool.map(lambda s: _check(s, modules(s.id), catalog, settings), sources))


def _check(source: Source, module: SourceModule, catalog: Catalog, settings: Settings) -> LiveCheck:
    now = settings.clock()
    reason = not_asked(source, settings)
    if reason is not None:
        return _result(LiveCheck(source.id, now, ""), [Finding("switch", reason.replace("_", " "))])
    answer: Answer | None = None
    try:
        for answer in answers(source, module, catalog, settings):
            read = _Read(refused=answer.refused)
            if answer.refused is None:
                read = _read(answer.body, answer.request.key, source, module, catalog, now)
            if read.refused is not None or read.rows:
                break
    except Exception as error:  # noqa: BLE001 - a fault of one publisher or its module must not stop the others
        return _result(LiveCheck(source.id, now, "", **_facts(answer)), [_finding(error)])
    if answer is None:
        return _result(
            LiveCheck(source.id, now, ""), [Finding("refused", f"nothing in the newest {MAX_REQUESTS} requests")]
        )
    try:
        return _compared(answer, read, source, module, catalog, settings)
    except Exception as error:  # noqa: BLE001 - as above
        return _result(LiveCheck(source.id, now, "", **_facts(answer)), [_finding(error)])


def _compared(
    answer: Answer, read: _Read, source: Source, module: SourceModule, catalog: Catalog, settings: Settings
) -> LiveCheck:
    """The result for an answer, compared with the last landed one that the parser reads."""
    now, key = settings.clock(), answer.request.key
    history = Landing(settings.landing_dir).retrievals(source.id)
    earlier = _earlier(key, history, source, module, catalog, settings)
    wanted = _wanted(answer, source, module, catalog, now.date())
    findings = [Finding("address", f"moved: answered from {answer.moved_to}")] if answer.moved_to else []
    refused = _finding(read.refused) if read.refused is not None else None
    if refused is not None:
        findings.append(refused)
    if earlier is not None and (refused is None or refused.kind == "refused"):  # a block has the shape of no data
        shapes = _shape.of(earlier[1], source.id), _shape.of(answer.body, source.id)
        findings += [Finding(kind, said) for kind, said in _shape.difference(*shapes)]
    if refused is None and not read.rows and not wanted:
        findings.append(Finding("late", "no record in the newest answers"))
    elif refused is None:
        findings += _lost(wanted, read, earlier[2] if earlier else None)
        findings += _aged(read, history, hashlib.sha256(answer.body).hexdigest(), catalog, now.date())
    return _result(
        LiveCheck(
            source.id,
            now,
            "",
            **_facts(answer),
            series_wanted=len(wanted),
            series_found=len(wanted & read.present),
            rows=read.rows,
            newest_period=read.newest,
            compared_with=earlier[0].payload_id if earlier else None,
        ),
        findings,
    )


def _result(checked: LiveCheck, findings: list[Finding]) -> LiveCheck:
    """`checked` with its findings, worst first, and the state that the worst of them means."""
    found = sorted(dict.fromkeys(findings), key=lambda f: STATES.index(STATE_OF[f.kind]))
    return dataclasses.replace(
        checked,
        state=STATE_OF[found[0].kind] if found else "good",
        finding="; ".join(f.said for f in found) or None,
        findings=tuple(found),
    )


def _facts(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {}
    return {
        "request_key": answer.request.key,
        "url": answer.url,
        "status": answer.status,
        "content_type": answer.content_type,
        "bytes": len(answer.body),
        "seconds": round(answer.seconds, 3),
        "payload_id": hashlib.sha256(answer.body).hexdigest(),
    }


def _finding(error: Exception) -> Finding:
    """An error as a finding, without its place and without what was kept, which a live check does not touch."""
    said = redact(error.what if isinstance(error, MetalsError) else f"{type(error).__name__}: {error}")
    kind = "refused"
    if isinstance(error, Blocked):
        kind = "block"
    elif isinstance(error, (UpstreamUnavailable, PayloadNotRead)):
        kind = "reach"
    elif isinstance(error, Moved):
        kind, said = "address", f"moved: {said}"
    return Finding(kind, said)


def _read(body: bytes, key: str, source: Source, module: SourceModule, catalog: Catalog, now: datetime) -> _Read:
    """`body` through the parser and the contracts, as ingest would read it."""
    payload = Payload(hashlib.sha256(body).hexdigest(), key, now, body)
    try:
        parsed = without_unfinished(module.parse(body, key, catalog), payload, source, catalog)
        verdicts = judged(parsed, payload, catalog)
    except PayloadNotRead:
        raise
    except MetalsError as error:
        return _Read(refused=error)
    except Exception as error:  # noqa: BLE001 - a bug of the parser is reported as ingest reports it
        return _Read(refused=BadPayload(f"could not be parsed ({type(error).__name__}: {error})", source=source.id))
    figures = verdicts["observation"].good
    ends = dict(figures.group_by("series_id").agg(pl.col("period").max()).iter_rows())
    days = [verdicts[table].good[column].max() for table, column in RECORD_DAYS.items()]
    newest = [day for day in (*ends.values(), *days) if isinstance(day, date) and day <= now.date()]
    bad = [(row["series_id"], redact(row["reason"])) for row in parsed.rejects.iter_rows(named=True)]
    bad += [
        (row.get("series_id"), row["reason"])
        for verdict in verdicts.values()
        for row in verdict.bad.iter_rows(named=True)
    ]
    good = sum(verdict.good.height for verdict in verdicts.values())
    refused = None
    if too_many_bad(len(bad), good, source):
        refused = BadPayload(f"{len(bad)} of {good + len(bad)} rows are not usable: {_said(bad)}", source=source.id)
    return _Read(ends, frozenset(parsed.missing), good, max(newest, default=None), tuple(bad), refused)


def _said(bad: Iterable[tuple[str | None, str]]) -> str:
    every = list(dict.fromkeys(f"{series}: {reason}" if series else reason for series, reason in bad))
    return "; ".join(every[:SHOWN]) + (f"; and {len(every) - SHOWN} more" if len(every) > SHOWN else "")


def _earlier(
    key: str, history: list[Retrieval], source: Source, module: SourceModule, catalog: Catalog, settings: Settings
) -> tuple[Retrieval, bytes, _Read] | None:
    """The answer to compare with: to the same request (or one of its kind), landed, and read by the parser.

    The newest one of at least COMPARED_AGE; if all are younger, the oldest.
    """
    fresh = [r for r in history if r.outcome == "fresh" and r.payload_id]
    before = settings.clock() - COMPARED_AGE
    fresh = [r for r in reversed(fresh) if r.checked_at <= before] + [r for r in fresh if r.checked_at > before]
    alike = [r for r in fresh if r.key == key] or [r for r in fresh if _kind(r.key) == _kind(key)]
    landing = Landing(settings.landing_dir)
    for retrieval in alike[:EARLIER_PAYLOADS]:
        try:
            body = landing.get(str(retrieval.payload_id))
            read = _read(body, retrieval.key, source, module, catalog, retrieval.checked_at)
        except MetalsError as error:  # damaged, or not read in time; the next run reports it
            log.debug("%s: %s", source.id, error)
            continue
        if read.refused is None and read.rows:
            return retrieval, body, read
    return None


def _kind(key: str) -> str:
    """A request's key without days, numbers and identifiers."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", key)


def _wanted(answer: Answer, source: Source, module: SourceModule, catalog: Catalog, today: date) -> frozenset[str]:
    """The series for which this request is made: those whose own plan makes it. All, if a request serves a batch."""
    every = catalog.series_of(source.id)
    found = set()
    for series in every:
        alone = Catalog([source], [series], [], catalog.metals.values())
        planned = module.plan(alone, today)
        for key, body in answer.pages:
            page = next((request for request in planned if request.key == key), None)
            planned = page.then(body) if page is not None and page.then else []
        if any(request.key == answer.request.key for request in planned):
            found.add(series.id)
    return frozenset(found or {series.id for series in every})


def _lost(wanted: frozenset[str], read: _Read, earlier: _Read | None) -> Iterator[Finding]:
    """Series that the answer should have and has not, and bad rows of a kind that the earlier answer had not."""
    lost = sorted(wanted - read.present)
    if lost:
        reasons = dict(reversed([(series, reason) for series, reason in read.bad if series]))
        said = _said((name, reasons.get(name, "not in the answer")) for name in lost)
        yield Finding("series", f"{len(lost)} of {len(wanted)} series not found: {said}")
    known = {(series, _kind(reason)) for series, reason in earlier.bad} if earlier else set()
    new = [(s, reason) for s, reason in read.bad if s not in lost and (s, _kind(reason)) not in known]
    if new:
        yield Finding("cells", f"{len(new)} rows not usable: {_said(new)}")


def _aged(read: _Read, history: list[Retrieval], payload_id: str, catalog: Catalog, today: date) -> Iterator[Finding]:
    """Series whose newest figure is older than the catalogue allows: all of them, and the file is frozen."""
    stale = [
        f"{name}: {end}, {age_days(catalog.series[name], end, today)} days old, "
        f"limit {catalog.series[name].staleness_limit_days}"
        for name, end in sorted(read.ends.items())
        if is_stale(catalog.series[name], end, today)
    ]
    if not stale:
        return
    since = next((r.checked_at for r in history if r.payload_id == payload_id and r.outcome == "fresh"), None)
    same = f", the same bytes since {since:%Y-%m-%d}" if since else ""
    if len(stale) == len(read.ends):
        yield Finding("age", f"frozen: no newer figure than {max(read.ends.values())}{same} ({stale[0]})")
    else:
        more = f"; and {len(stale) - SHOWN} more" if len(stale) > SHOWN else ""
        yield Finding("late", f"{len(stale)} of {len(read.ends)} series are late: {'; '.join(stale[:SHOWN])}{more}")


def keep(checks: Iterable[LiveCheck], settings: Settings) -> None:
    """Append results to the journal of live checks beside the landed responses, synced."""
    records = ({k: v for k, v in dataclasses.asdict(c).items() if v is not None} for c in checks)
    journal.append(_journal(settings), (json.dumps(r, default=str, sort_keys=True) for r in records))


def kept(settings: Settings) -> list[LiveCheck]:
    """Every result in the journal, oldest first, but those of lines that are set aside."""
    return _lines(settings).records


def _lines(settings: Settings) -> journal.Lines[LiveCheck]:
    return journal.read(_journal(settings), _LIVE_CHECK.validate_python, "live_checks")


def load(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Write the results that `raw.live_check` lacks. One that breaks the contract is logged and not written."""
    lines = _lines(settings)
    record_bad_lines(connection, "live_checks", lines.bad)
    known = set(connection.execute("select source_id, checked_at from raw.live_check").fetchall())
    new = [c for c in lines.records if (c.source_id, c.checked_at) not in known]
    if not new:
        return
    verdict = contracts.validate(
        pl.DataFrame(
            [dataclasses.asdict(c) for c in new],
            schema={name: column.type for name, column in columns.LIVE_CHECK.items()},
        ),
        "live_check",
    )
    for row in verdict.bad.iter_rows(named=True):
        log.warning("live check of %s at %s: %s; not loaded", row["source_id"], row["checked_at"], row["reason"])
    warehouse.append(connection, "live_check", verdict.good)


def _journal(settings: Settings) -> Path:
    return settings.landing_dir / "live_checks.jsonl"
