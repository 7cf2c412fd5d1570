"""Single requests of a publisher's plan whose answers are judged and not landed, for the live check."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload, MetalsError
from pipelines.landing.http import Client, full_url, verify_response
from pipelines.settings import Settings
from pipelines.sources import Request, SourceModule
from pipelines.text import redact

MAX_REQUESTS = 10  # the newest day or month may have no figures yet; a holiday week has none for five days


@dataclass(frozen=True)
class Answer:
    """An answer to `request`. `pages` are the keys and bodies of the pages that led to it.

    `moved_to` is the host and path that answered, if it is another path of the host that was asked. `refused` is the
    error for an answer that is not the expected data, such as a block.
    """

    request: Request
    pages: tuple[tuple[str, bytes], ...]
    url: str  # as asked for, without secrets
    moved_to: str | None
    status: int
    content_type: str | None
    body: bytes
    seconds: float
    refused: MetalsError | None = None


def answers(source: Source, module: SourceModule, catalog: Catalog, settings: Settings) -> Iterator[Answer]:
    """Answers to the requests of the source's own plan, newest first, for as long as the caller wants another.

    Pages that are only read for their links are followed, and a request that finds nothing, as it may, is passed over.
    At most MAX_REQUESTS are sent, under the guards of a run. An answer that is not the expected data is the last one.

    Raises UpstreamUnavailable, Moved and BadPayload where there is no whole answer.
    """
    client = Client(source, settings)
    pages: tuple[tuple[str, bytes], ...] = ()
    queue = [(request, pages) for request in _in_order(module.plan(catalog, settings.clock().date()))]
    for _ in range(MAX_REQUESTS):
        if not queue:
            return
        request, pages = queue.pop(0)
        started = time.monotonic()
        response, body = client.get(request, {})
        if response.status_code in (204, 404) and request.absent_ok:
            continue
        refused, further = None, []
        try:
            verify_response(response, body, request, source)
            if client.repeats_key(body):
                body = b""
                raise BadPayload("contains the API key of the request", source=source.id, row=request.key)
            further = request.then(body) if request.then else []
        except MetalsError as error:
            refused = error
        if request.land or refused is not None:
            yield Answer(
                request,
                pages,
                redact(full_url(request)),
                _moved(full_url(request), response.url, settings),
                response.status_code,
                redact(response.headers.get("Content-Type") or "") or None,
                body,
                time.monotonic() - started,
                refused,
            )
            if refused is not None:
                return
        else:
            queue = [(next_, (*pages, (request.key, body))) for next_ in _in_order(further)] + queue


def _in_order(planned: list[Request]) -> list[Request]:
    """What still changes, as planned; if nothing does, the newest first, which some plans have last."""
    return [request for request in planned if not request.closed] or planned[::-1]


def _moved(asked: str, came: str, settings: Settings) -> str | None:
    """The place that answered, if it is another path of the same host.

    Another host that the catalogue names is where the publisher is known to keep its files.
    """
    (host, path), (other, place) = _place(asked, settings), _place(came, settings)
    return redact(f"{other}{place}") if host == other and path != place else None


def _place(url: str, settings: Settings) -> tuple[str, str]:
    base = settings.upstream_base_url
    parts = urlsplit(f"https://{url.removeprefix(f'{base}/')}" if base and url.startswith(base) else url)
    return parts.hostname or "", unquote(parts.path).rstrip("/")
