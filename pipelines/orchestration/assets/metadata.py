"""Metadata of assets in the UI: links to code and documentation, and the freshness policy."""

import warnings
from collections.abc import Iterable
from datetime import timedelta
from functools import cache

from dagster import (
    BetaWarning,
    CodeReferencesMetadataValue,
    FreshnessPolicy,
    LocalFileCodeReference,
    MetadataValue,
    UrlCodeReference,
)

from pipelines.catalog import Source
from pipelines.settings import PROJECT_ROOT

TIME_ZONE = "America/New_York"

DICTIONARY = "docs/data_dictionary.md"

# Dagster's freshness policy covers runs: the 18:30 schedule must have published by 21:00 New York time. Publishers'
# assets have none, because a run materialises them also where nothing was due: their check `fresh` is on the
# publisher's calendar.
EVERY_WEEKDAY = FreshnessPolicy.cron("0 21 * * 1-5", timedelta(hours=2, minutes=30), timezone=TIME_ZONE)

Metadata = dict[str, MetadataValue]


def pages(*files: tuple[str, str | None]) -> Metadata:
    """Links to files of the project, each at a heading.

    A browser does not open local files from a page served over HTTP, so these are code references: the UI opens them in
    the editor, and shows the path to copy.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        references: list[LocalFileCodeReference | UrlCodeReference] = [
            LocalFileCodeReference(
                file_path=str(PROJECT_ROOT / name),
                line_number=_line(name, heading),
                label=f"{name}#{heading}" if heading else name,
            )
            for name, heading in files
        ]
        return {"dagster/code_references": CodeReferencesMetadataValue(code_references=references)}


def publisher(source: Source) -> Metadata:
    """The publisher, its terms, and links to documentation (those of the user's own have none here)."""
    module = f"pipelines/sources/{source.id}.py"
    links = pages((DICTIONARY, source.id), (module, None)) if (PROJECT_ROOT / module).exists() else {}
    return {
        "publisher": MetadataValue.text(source.publisher),
        "homepage": MetadataValue.url(source.homepage),
        "licence": MetadataValue.text(source.licence),
        "credit": MetadataValue.text(source.credit),
        "terms": MetadataValue.text(source.terms),
        "parser has read": MetadataValue.text(source.proven.said),
        **links,
    }


def metals(ids: Iterable[str | None]) -> dict[str, str]:
    """Tags by which the UI's search and catalogue find the assets of a metal."""
    return {f"metal/{metal}": "" for metal in sorted({m for m in ids if m})}


def unproven(source: Source) -> str:
    """A sentence for the description of an asset whose parser has met no real answer; otherwise empty."""
    return "" if source.proven.newest else f" **Unproven**: its parser has read {source.proven.said}."


def _line(name: str, heading: str | None) -> int:
    """Line number of a heading in a Markdown file; 1 if there is no such heading."""
    if heading is None:
        return 1
    return _headings(name).get(heading, 1)


@cache
def _headings(name: str) -> dict[str, int]:
    lines = (PROJECT_ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line.lstrip("# "): n for n, line in enumerate(lines, start=1) if line.startswith("#")}
