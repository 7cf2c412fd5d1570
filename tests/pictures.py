"""The pictures of the README, taken from the running project (`make pictures`): the brief, and the asset graph.

    python -m tests.pictures [WAREHOUSE]

WAREHOUSE is a folder in which the daily job has published; without it, the job runs on the bundled figures in a
temporary one. Needs the system's Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docs" / "img"
MAX_BYTES = 250_000
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_S = 300


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="metals-pictures-") as temporary:
        home = Path(temporary)
        warehouse = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else home / "warehouse"
        environment = _environment(home, warehouse)
        if not (warehouse / "brief" / "index.html").exists():
            _metals(["run"], environment)
        with sync_playwright() as playwright, ui(environment, home / "log") as address:
            browser = chromium(playwright)
            _brief(browser, warehouse / "brief" / "index.html")
            _graph(browser, address)
            browser.close()
    weigh("brief.png", "asset_graph.png")


def chromium(playwright: Playwright) -> Browser:
    """The system's Chromium."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("no Chromium on the path (on Debian: apt-get install chromium)")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # the sandbox refuses to run as root
    return playwright.chromium.launch(executable_path=program, args=arguments)


def weigh(*names: str) -> None:
    """Print the size of each picture; exits if one is too large for the repository."""
    for name in names:
        size = (FOLDER / name).stat().st_size
        print(f"docs/img/{name}: {size:,} bytes")
        if size > MAX_BYTES:
            sys.exit(f"{name} is larger than {MAX_BYTES:,} bytes: show less of the page")


def _environment(home: Path, warehouse: Path) -> dict[str, str]:
    dagster = home / "dagster"
    dagster.mkdir()
    shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", dagster / "dagster.yaml")
    own = {"DAGSTER_HOME": str(dagster), "METALS_WAREHOUSE_DIR": str(warehouse), "METALS_OFFLINE": "true"}
    return {k: v for k, v in os.environ.items() if not k.startswith(("METALS_", "ALERT_"))} | own


def _metals(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "pipelines.cli", *arguments], cwd=REPOSITORY, env=environment, check=True)


def _brief(browser: Browser, page: Path) -> None:
    """The first screen of the brief on a desktop."""
    opened = browser.new_page(viewport={"width": 1200, "height": 800}, color_scheme="light")
    opened.goto(page.as_uri())
    opened.screenshot(path=FOLDER / "brief.png")


def _graph(browser: Browser, address: str) -> None:
    """The groups of the asset graph, as the Dagster UI draws them."""
    opened = browser.new_page(viewport={"width": 1500, "height": 1200}, color_scheme="light", device_scale_factor=1.5)
    opened.goto(f"{address}/asset-groups")
    for group in ("prices", "staging", "published"):
        opened.get_by_text(group, exact=True).first.wait_for(timeout=90_000)
    opened.wait_for_timeout(3_000)  # the layout moves until all groups are placed
    opened.get_by_text("Hide navigation").click()
    opened.wait_for_timeout(2_000)
    box = opened.locator("svg[class*=svgContainer]").bounding_box()
    if box is None:
        sys.exit("the asset graph is not drawn where it was: look at the page, and mend tests/pictures.py")
    clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
    opened.screenshot(path=FOLDER / "asset_graph.png", clip=clip)


@contextmanager
def ui(environment: dict[str, str], log: Path, port: int = 0) -> Iterator[str]:
    """The address of a Dagster UI that runs meanwhile, on a free port if none is named."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    with log.open("w+b") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port)],
            cwd=REPOSITORY, env=environment, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + START_S
            while not _answers(f"http://127.0.0.1:{port}"):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(log.read_text(encoding="utf-8"))
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as response:  # noqa: S310 - loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
