"""The transcript and the pictures of docs/demo.md, from one run of the demo: `python -m tests.demo_recorded`.

Needs the system's Chromium. The transcript is what the demo prints on standard output (the progress of a run goes to
standard error), with paths relative to the checkout. Long lines are wrapped; each output is cut after so many lines.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import demo
from tests.pictures import FOLDER, chromium, ui, weigh

PAGE = demo.REPOSITORY / "docs" / "demo.md"
BEGINS, ENDS = "<!-- transcript: python -m tests.demo_recorded -->", "<!-- end of the transcript -->"
WIDTH = 110  # of a line
KEPT = 21  # lines of an output


def main() -> None:
    home = demo.Home(demo.REPOSITORY / "demo")
    environment = home.environment | {"COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "tests.demo", "--no-ui"]
    told = subprocess.run(
        command, cwd=demo.REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    (home.folder / "transcript.txt").write_text(told, encoding="utf-8")
    write(told)
    with sync_playwright() as playwright, ui(home.environment, home.folder / "ui.log") as address:
        browser = chromium(playwright)
        take(browser, address, home.brief)
        browser.close()
    weigh("demo_failure.png", "demo_flip.png", "demo_runs.png")


def write(told: str) -> None:
    """Put the transcript into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGINS)
    lines = _shortened(told.replace(f"{demo.REPOSITORY}/", ""))
    transcript = "\n".join(f"    {line}".rstrip() for line in lines)
    PAGE.write_text(f"{before}{BEGINS}\n\n{transcript}\n\n{ENDS}{rest.partition(ENDS)[2]}", encoding="utf-8")


def _shortened(told: str) -> Iterator[str]:
    for output in re.split(r"(?m)^(?=\$ |===|The webhook)", told):
        lines = [part for line in output.rstrip("\n").splitlines() for part in _wrapped(line)]
        if len(lines) > KEPT + 1:
            lines[KEPT:] = [f"[{len(lines) - KEPT} lines are left out here]"]
        yield from [*lines, ""]


def _wrapped(line: str) -> list[str]:
    return [line] if len(line) <= WIDTH else textwrap.wrap(line, WIDTH, subsequent_indent="  ")


def take(browser: Browser, address: str, brief: Path) -> None:
    """The failed publisher and the runs in the Dagster UI, and the verdict that flipped in the brief."""
    opened = browser.new_page(viewport={"width": 1200, "height": 820}, color_scheme="light")
    opened.set_default_timeout(90_000)
    opened.goto(f"{address}/locations/metals-drivers/jobs/daily/runs")
    opened.get_by_text("Success", exact=True).nth(len(demo.SCRIPT) - 1).wait_for()
    opened.screenshot(path=FOLDER / "demo_runs.png")
    opened.goto(f"{address}/assets/landing/fred?view=checks&checkDetail=answered")
    opened.get_by_text("Execution history").click()
    opened.get_by_text("Failed", exact=True).first.wait_for()
    opened.screenshot(path=FOLDER / "demo_failure.png")
    opened.goto(brief.as_uri())
    opened.screenshot(path=FOLDER / "demo_flip.png")


if __name__ == "__main__":
    main()
