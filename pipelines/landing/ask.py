"""Retrieval: decides what is due, requests it from the publishers, and lands the responses.

Responses are landed unmodified and content-addressed, with their origin in a journal per source.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from pipelines import text
from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload, Blocked, MetalsError, UpstreamUnavailable
from pipelines.landing.http import NOT_REACHED, Client, full_url, verify_response
from pipelines.landing.reachability import NOT_ASKED, not_asked
from pipelines.landing.store import Landing, Retrieval
from pipelines.settings import Settings
from pipelines.sources import Request, SourceModule
from pipelines.text import redact, without_secrets

log = text.logger("metals.landing")

PROGRESS_EVERY_S = 10.0
BLOCKS_IN_A_ROW = 3  # after so many, a publisher that turns this client away is left alone until the next run
NAMED_ALONE = 3  # publishers with one reason for not being reached; more are one line
REACHED = ("fresh", "unchanged", "absent", "blocked")
TRIED = (*REACHED, "failed")
MAX_VALIDATOR_CHARS = 1_000  # a longer one may exceed what a server takes in a request, day after day
MAX_REQUESTS = 2_000  # per publisher and run; a response may add requests, and the largest plan has about a hundred


def land(
    sources: Iterable[Source],
    modules: Callable[[str], SourceModule],
    catalog: Catalog,
    settings: Settings,
    refused: Collection[str] = (),
) -> dict[str, list[Retrieval]]:
    """Fetch from all sources in parallel (one thread each) and land what is new. Never raises for a publisher's fault.

    `refused` are payloads that were landed and not taken: a request that had no other answer is open, whatever it says.
    Returns the retrievals of each source, which are also in its journal.
    """
    sources = list(sources)
    landing = Landing(settings.landing_dir)
    landing.sweep(time.time())
    with ThreadPoolExecutor(max_workers=max(len(sources), 1), thread_name_prefix="landing") as pool:
        unreached: dict[str, str] = {}
        futures = {
            s.id: pool.submit(_land_one, s, modules(s.id), catalog, settings, landing, refused, unreached)
            for s in sources
        }
        names = {future: source_id for source_id, future in futures.items()}
        for n, future in enumerate(as_completed(names), start=1):
            progress = {"stage": "ask", "done": n, "total": len(sources), "finished": names[future]}
            log.debug("%d of %d publishers fetched", n, len(sources), extra=progress)
        landed = {source.id: _result(futures[source.id], source, settings) for source in sources}
    _say_unreached(unreached, landed)
    return landed


def _result(future: Future[list[Retrieval]], source: Source, settings: Settings) -> list[Retrieval]:
    """What a publisher's thread returned; if it broke off (a journal that cannot be read or written), that it did."""
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - one publisher must not stop the others
        said = redact(f"[source={source.id}] not fetched further ({type(error).__name__}: {error})")
        log.error("%s", said)
        return [Retrieval(source.id, "journal", settings.clock(), "failed", error=said)]


def _land_one(
    source: Source,
    module: SourceModule,
    catalog: Catalog,
    settings: Settings,
    landing: Landing,
    refused: Collection[str],
    unreached: dict[str, str],
) -> list[Retrieval]:
    retrievals: list[Retrieval] = []
    asked: set[str] = set()
    blocks = 0
    started = said_at = time.monotonic()
    history = landing.retrievals(source.id)
    tries = {retrieval.key: n for n, retrieval in enumerate(history)}

    def last_try(request: Request) -> int:
        # What was not tried for longest goes first, whatever came of it then: a publisher that turns this client away
        # after some requests would otherwise never be asked for the others.
        return tries.get(request.key, -1)

    client = Client(source, settings)
    set_back = _clock_set_back(source, history, settings)
    if set_back is not None:
        _record(retrievals, landing, Retrieval(source.id, "clock", settings.clock(), "failed", error=str(set_back)))
        log.warning("%s", set_back)
        return retrievals
    try:
        queue = sorted(module.plan(catalog, settings.clock().date()), key=last_try)
    except Exception as error:  # noqa: BLE001 - a fault of one module; its traceback would repeat secrets
        unplanned = redact(f"the requests could not be planned ({type(error).__name__}: {error})")
        _record(retrievals, landing, Retrieval(source.id, "plan", settings.clock(), "failed", error=unplanned))
        log.error("%s: %s", source.id, unplanned)
        return retrievals
    while queue:
        level = logging.DEBUG
        if time.monotonic() - said_at > PROGRESS_EVERY_S:
            said_at, level = time.monotonic(), logging.INFO
        progress = {"item": source.id, "of_item": f"{len(retrievals)}/{len(retrievals) + len(queue)}"}
        log.log(level, "%s: %d answered, %d to go", source.id, len(retrievals), len(queue), extra=progress)
        request = queue.pop(0)
        if request.key in asked:  # two responses may lead to one request
            continue
        asked.add(request.key)
        if len(retrievals) >= MAX_REQUESTS:
            endless = BadPayload(
                f"leads to more than {MAX_REQUESTS} requests; {len(queue) + 1} are left out",
                source=source.id,
                row=request.key,
                kept="the responses up to this one",
            )
            _record(
                retrievals, landing, Retrieval(source.id, request.key, settings.clock(), "failed", error=str(endless))
            )
            log.warning("%s", endless)
            break
        try:
            further = list(_retrieve(request, source, client, settings, landing, history, retrievals, refused))
        except Exception as error:  # noqa: BLE001 - a fault of a publisher or its module stops that request alone
            said = redact(str(error) if isinstance(error, MetalsError) else f"{type(error).__name__}: {error}")
            outcome = "blocked" if isinstance(error, Blocked) else "failed"
            _record(retrievals, landing, Retrieval(source.id, request.key, settings.clock(), outcome, error=said))
            log.debug("%s", said)
            blocks = blocks + 1 if outcome == "blocked" else 0
            if (client.gave_up or blocks == BLOCKS_IN_A_ROW) and queue:
                # Each request to a dead host costs a timeout: the others are reported as not tried, their data stays.
                left = dict.fromkeys(r.key for r in queue if r.key not in asked)
                retrievals += [Retrieval(source.id, key, settings.clock(), "not_tried") for key in left]
                break
            continue
        blocks = 0
        queue = sorted(further, key=last_try) + queue
    _say(source, retrievals, time.monotonic() - started, unreached)
    return retrievals


def _say(source: Source, retrievals: list[Retrieval], seconds: float, unreached: dict[str, str]) -> None:
    """Log one line on the outcome for a publisher; each failed request has already been logged at debug level.

    A publisher to which no connection was made goes into `unreached` with its error, to be logged with the others.
    """
    tally = Counter(c.outcome for c in retrievals)
    told = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in tally.items()) or "nothing to ask"
    first = next((c.error for c in retrievals if c.outcome in ("failed", "blocked") and c.error), None)
    if first is not None and is_unreached(first) and not tally.keys() & set(REACHED):
        unreached[source.id] = first
    elif first is not None:
        more = tally.keys() - {"failed", "not_tried"}
        log.warning("%s: %s%s", source.id, f"{told}: " if more else "", plain(first))
    else:
        # A publisher that the user has switched off is logged at debug level only.
        asked = any(c.outcome not in NOT_ASKED for c in retrievals)
        log.log(logging.INFO if asked else logging.DEBUG, "%s: %s in %.1f s", source.id, told, seconds)


def plain(error: str) -> str:
    """The error of a retrieval without its place (`-v` shows it) and without Python's name for it."""
    return re.sub(r"\(\w+: (?:\[Errno -?\d+\] )?", "(", re.sub(r"^\[[^\]]*\] ", "", error))


def is_unreached(error: str) -> bool:
    """Whether the error of a retrieval says that no connection was made."""
    return NOT_REACHED in error


def cause(error: str) -> str:
    """The last reason in parentheses of a retrieval's error, which hosts have in common; else the error."""
    found = re.search(r"\(([^()]*)\)\W*$", plain(error))
    return found[1] if found else plain(error)


def _say_unreached(unreached: dict[str, str], landed: dict[str, list[Retrieval]]) -> None:
    """Log the publishers to which no connection was made: each with its reason, or many with one reason in one line."""
    tried = [name for name, found in landed.items() if any(c.outcome in TRIED for c in found)]
    by_cause: dict[str, list[str]] = {}
    for name in sorted(unreached):
        by_cause.setdefault(cause(unreached[name]), []).append(name)
    for reason, names in by_cause.items():
        if len(names) <= NAMED_ALONE:
            for name in names:
                log.warning("%s: %s", name, plain(unreached[name]))
        elif len(names) == len(tried):
            log.warning("no publisher was reached: %d tried (%s); the last good figures stay", len(names), reason)
        else:
            log.warning("%d of %d publishers not reached (%s): %s", len(names), len(tried), reason, ", ".join(names))


def _clock_set_back(source: Source, history: list[Retrieval], settings: Settings) -> UpstreamUnavailable | None:
    """The error if the clock was set back: a new response would be dated before the known ones, and never be newest."""
    now = settings.clock()
    newest = max((c.checked_at for c in history), default=now)
    if newest <= now or not_asked(source, settings) is not None:
        return None
    return UpstreamUnavailable(
        f"not fetched: the clock says {now:%Y-%m-%d %H:%M} UTC, but the last retrieval was at {newest:%Y-%m-%d %H:%M}",
        source=source.id,
        kept="the last good payloads",
        todo="correct the clock; if it is right now and was ahead before, run `metals rewind`",
    )


def _retrieve(
    request: Request,
    source: Source,
    client: Client,
    settings: Settings,
    landing: Landing,
    history: list[Retrieval],
    retrievals: list[Retrieval],
    refused: Collection[str],
) -> Iterator[Request]:
    """Send one request if it is due; record the outcome; yield the requests that follow from the response."""
    now = settings.clock()
    seen = [c for c in history if c.key == request.key and c.outcome in ("fresh", "unchanged", "absent")]
    last = next((c for c in reversed(seen) if c.payload_id), None)
    if last is not None and last.payload_id is not None and not landing.holds(last.payload_id):
        log.warning("%s %s: payload %s in landing is missing or damaged", source.id, request.key, last.payload_id[:12])
        seen, last = [], None  # fetched as if for the first time, without validators
    skip = _reason_to_skip(request, source, settings, seen, now, refused)
    if skip:
        retrievals.append(Retrieval(source.id, request.key, now, skip))  # not journalled: nothing was sent
        if request.then and last is not None and last.payload_id and skip in ("not_due", "closed"):
            yield from request.then(landing.get(last.payload_id))  # the requests that follow from it may be due
        return
    url = redact(full_url(request))
    validators = {}
    # A validator holds for one URL: at another one, a different file could be reported as "not modified". What was
    # refused may have been damaged on its way under a right validator: the whole answer is asked for.
    if last is not None and request.land and last.url == url and last.payload_id not in refused:
        said = {"If-None-Match": last.etag, "If-Modified-Since": last.last_modified}
        validators = {name: value for name, value in said.items() if value and len(value) <= MAX_VALIDATOR_CHARS}
    started = time.monotonic()
    response, body = client.get(request, validators)
    if response.status_code in (204, 404) and request.absent_ok:
        status = response.status_code
        _record(retrievals, landing, Retrieval(source.id, request.key, now, "absent", url=url, status=status))
        return
    # Without a validator, nothing says what has not been modified: such a 304 is no answer.
    unmodified = last if response.status_code == 304 and validators else None
    if unmodified is not None and unmodified.payload_id is not None:
        body = landing.get(unmodified.payload_id)
    else:
        verify_response(response, body, request, source)
        if client.repeats_key(body):
            raise BadPayload("contains the API key of the request; it is not kept", source=source.id, row=request.key)
    further = request.then(body) if request.then else []
    if request.land:
        payload_id = landing.put(body)
        headers = response.headers
        _record(
            retrievals,
            landing,
            Retrieval(
                source.id,
                request.key,
                now,
                "unchanged" if last is not None and last.payload_id == payload_id else "fresh",
                payload_id=payload_id,
                url=url,
                status=response.status_code,
                content_type=headers.get("Content-Type"),
                etag=headers.get("ETag") or (unmodified.etag if unmodified else None),
                last_modified=headers.get("Last-Modified") or (unmodified.last_modified if unmodified else None),
                bytes=len(body),
                seconds=round(time.monotonic() - started, 3),
                closed=request.closed or None,
            ),
        )
    yield from further


def _reason_to_skip(
    request: Request,
    source: Source,
    settings: Settings,
    seen: list[Retrieval],
    now: datetime,
    refused: Collection[str],
) -> str | None:
    reason = not_asked(source, settings)
    if reason is not None:
        return reason
    # A response from before may be unfinished (a session, a year), and what was absent may still be published.
    if request.closed and any(c.closed and c.payload_id not in refused for c in seen):
        return "closed"
    # A page that is not landed is fetched in every run, because the time of its last retrieval is not recorded.
    if request.land and seen and now - seen[-1].checked_at < timedelta(hours=source.cadence_hours):
        return "not_due"
    return None


def _record(retrievals: list[Retrieval], landing: Landing, retrieval: Retrieval) -> None:
    # A publisher may repeat the key anywhere, for instance in a validator.
    said: dict[str, Any] = {n: without_secrets(v) for n, v in asdict(retrieval).items() if isinstance(v, str)}
    retrieval = replace(retrieval, **said)
    retrievals.append(retrieval)
    landing.append(retrieval)
