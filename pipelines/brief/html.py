"""The page as HTML: template, style, script and charts in one file, replaced atomically."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from pipelines import text, warehouse
from pipelines.brief import charts, formats, sections
from pipelines.brief.answers import Answers
from pipelines.brief.digest import digest
from pipelines.brief.parts import Brief
from pipelines.settings import Settings

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Written:
    """The page that was written: path, size, numbers of figures and charts, and the sections without data."""

    path: Path
    bytes: int
    figures: int
    charts: int
    sections_without_data: list[str]
    personal_use: str


def write(settings: Settings) -> Written:
    """Make the page of the published file of `settings`, and the JSON beside it; replace the last ones atomically."""
    with warehouse.reader(settings) as connection:
        answers = Answers(connection, personal_use=settings.brief_personal_use)
        made = sections.brief(answers, settings.clock())
        for_programs = digest(answers, settings.clock()).text()
    html = render(made)
    target = settings.brief_path
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((target, html), (settings.brief_json_path, for_programs)):
        warehouse.remove_parts(path)
        with warehouse.replacing(path) as part:
            part.write_text(content, encoding="utf-8")
    return Written(
        path=target,
        bytes=target.stat().st_size,
        figures=html.count("data-value="),
        charts=sum(len(s.charts) for s in made.sections),
        sections_without_data=[s.title for s in made.sections if not s.has_data],
        personal_use=made.own_use.said,
    )


def page(connection: duckdb.DuckDBPyConnection, *, personal_use: bool, made_at: datetime) -> str:
    """The page of a published warehouse.

    `personal_use`: whether it may show figures that derive from data licensed for personal use.
    `made_at`: the current time, UTC.
    """
    return render(build(connection, personal_use=personal_use, made_at=made_at))


def build(connection: duckdb.DuckDBPyConnection, *, personal_use: bool, made_at: datetime) -> Brief:
    """The content of the page, before it becomes HTML."""
    return sections.brief(Answers(connection, personal_use=personal_use), made_at)


def render(brief: Brief) -> str:
    """The HTML of the page."""
    script = _text("page.js")
    library, library_hash = _library()
    # Nothing may be fetched, and no script may run except the two whose hashes are listed here.
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{_sha256(script)}' 'sha256-{library_hash}'",
            "style-src 'unsafe-inline'",  # Plotly sets inline styles
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return _template().render(
        brief=brief,
        policy=policy,
        style=Markup(_style()),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        library=library,
        dark=dict(charts.PALETTE.values()),
        missing=formats.MISSING,
    )


@cache
def _template() -> jinja2.Template:
    """The page's template, compiled once with those that it includes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = _json
    return environment.get_template("page.html.jinja")


def harmless(value: Any) -> Any:
    """A value of the page; of text, what a browser would obey in silence (direction marks, controls) is taken out."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else text.printable(value, keep=text.SPACES)


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8").strip()


def _style() -> str:
    """The palette as custom properties, then the style sheet, so that page and charts share their colours."""
    light, dark = (" ".join(f"--{role}: {shades[n]};" for role, shades in charts.PALETTE.items()) for n in (0, 1))
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n" + _text("style.css")
    )


@cache
def _library() -> tuple[str, str]:
    """Plotly's script, gzipped (4.8 MB become 2.0 MB) in base64, and its hash for the page's security policy."""
    # Its axes have a true minus sign, its hover labels the hyphen of d3's default locale.
    script = get_plotlyjs().replace('minus:"-"', f'minus:"{formats.MINUS}"')
    packed = gzip.compress(script.encode(), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii"), _sha256(script)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json(value: Any) -> Markup:
    """JSON for a data block, escaped so that nothing in it can close its element."""
    packed = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)
    for sign in "<>&\u2028\u2029":
        packed = packed.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(packed)  # noqa: S704 - escaped above
