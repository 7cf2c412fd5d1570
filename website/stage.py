"""Lays the pages out for `make site`: the Markdown of the project, a page per query, and the files they show.

The folders stay as they are, so that links between pages hold; a link to a file that is no page becomes its name.
Needs Python's standard library alone.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STAGED = HERE / "pages"
CODE = re.compile(r"(^```.*?^```|^ {4}[^\n]*|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def pages(root: Path = ROOT) -> list[Path]:
    """The Markdown of the site, relative to the project's folder."""
    found = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "warehouse").glob("*.md")]
    return sorted(p.relative_to(root) for p in [*found, root / "warehouse" / "bundled" / "README.md"])


def stage(target: Path = STAGED, root: Path = ROOT) -> None:
    """Write the pages into `target`, which is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    for page in pages(root):
        _write(target / _staged(page), linked((root / page).read_text(encoding="utf-8"), page, root))
    for picture in (root / "docs" / "img").iterdir():
        _copy(picture, target / "docs" / "img" / picture.name)
    queries = sorted((root / "docs" / "queries").glob("*.sql"))
    lines = ["# Worked queries", "", "Each runs as `metals sql docs/queries/NAME.sql` on the published file.", ""]
    for query in queries:
        text = query.read_text(encoding="utf-8").strip()
        question = text.partition("\n")[0].removeprefix("--").strip()
        lines += [
            f"## {question}",
            "",
            f"`docs/queries/{query.name}`",
            "",
            "```sql",
            text.partition("\n")[2],
            "```",
            "",
        ]
    _write(target / "docs" / "queries" / "index.md", "\n".join(lines))


def linked(text: str, page: Path, root: Path) -> str:
    """A page's text, whose links lead to pages and pictures of the site, or are the text of what is neither."""

    def link(found: re.Match[str]) -> str:
        picture, words, address = found.groups()
        name, _, anchor = address.partition("#")
        if not name or re.match(r"[a-z]+:", address):
            return found[0]
        there = Path(os.path.normpath(page.parent / name))
        if there == Path("docs/queries"):
            there /= "index.md"
        elif there in pages(root):
            there = _staged(there)
        elif not picture:
            return f"{words} (`{there}`)" if str(there) not in words else words
        address = os.path.relpath(there, _staged(page).parent) + (f"#{anchor}" if anchor else "")
        return f"{picture}[{words}]({address})"

    parts = CODE.split(text)
    # A link may hold code, and code what looks like a link: code is taken out and put back.
    kept: list[str] = []
    for n, part in enumerate(parts):
        if n % 2:
            kept.append(part)
            parts[n] = f"\0{len(kept) - 1}\0"
    return re.sub(r"\0(\d+)\0", lambda m: kept[int(m[1])], LINK.sub(link, "".join(parts)))


def _staged(page: Path) -> Path:
    """The project's README is the first page of the site."""
    return Path("index.md") if page == Path("README.md") else page


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    stage()
