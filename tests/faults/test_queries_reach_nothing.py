"""`metals sql` and `metals export` answer selects about the published file; no query reaches anything else."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines import catalog as catalogs
from pipelines import cli, warehouse
from pipelines.settings import PROJECT_ROOT, Settings
from tests.unit.test_warehouse import NOW, build

PLANTED = "plantedsecretplantedsecret"


@dataclass(frozen=True)
class Place:
    """A published warehouse, and beside it files that are none of its business."""

    settings: Settings
    folder: Path
    address: str  # of a server that answers with a secret
    asked: list[str]

    def metals(self, *arguments: str, unrestricted: bool = False) -> tuple[int, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METALS_WAREHOUSE_DIR", str(self.settings.warehouse_dir))
            for console in (cli.console, cli.errors):
                patch.setattr(console, "width", 200)
            flag = ["--unrestricted"] if unrestricted else []
            result = CliRunner().invoke(cli.app, [*arguments, *flag], catch_exceptions=False)
        return result.exit_code, result.output

    def files(self) -> dict[str, bytes]:
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("queries")
    settings = Settings(warehouse_dir=folder / "warehouse", now=NOW)
    with warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalogs.load(settings.catalog_dir))
        connection.execute("create table main.prices as select range as n from range(3)")
    build(settings)
    warehouse.publish(settings)
    (folder / "secret.txt").write_text(PLANTED, encoding="utf-8")
    (folder / "secret.csv").write_text(f"a\n{PLANTED}\n", encoding="utf-8")
    (folder / "secret.json").write_text(f'{{"a": "{PLANTED}"}}', encoding="utf-8")
    pl.DataFrame({"a": [PLANTED]}).write_parquet(folder / "secret.parquet")
    with duckdb.connect(str(folder / "other.duckdb")) as connection:
        connection.execute(f"create table t as select '{PLANTED}' as a")
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PLANTED.encode())

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield Place(settings, folder, f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()


# {d} is the folder, {u} the server. Each reads, writes or changes what is not the published file.
ATTEMPTS = {
    "copy a query": "copy (select 1) to '{d}/new.csv'",
    "copy a table": "copy prices to '{d}/new.parquet'",
    "copy over the published file": "copy prices to '{d}/warehouse/metals.duckdb'",
    "copy over another file": "copy prices to '{d}/secret.txt' (format csv)",
    "copy from a file": "copy prices from '{d}/secret.csv'",
    "copy in a with": "with a as (select 1) copy a to '{d}/new.csv'",
    "copy partitioned": "copy prices to '{d}/parts' (format parquet, partition_by (n))",
    "copy a database": "copy from database metals to other",
    "export database": "export database '{d}/exported'",
    "import database": "import database '{d}'",
    "attach a database": "attach '{d}/other.duckdb' as o",
    "attach a new one": "attach '{d}/made.duckdb' as o",
    "attach over the network": "attach '{u}/x.duckdb' as o",
    "detach": "detach metals",
    "read text": "select content from read_text('{d}/secret.txt')",
    "read a blob": "select content from read_blob('{d}/secret.txt')",
    "read CSV": "from read_csv('{d}/secret.csv')",
    "read JSON": "from read_json('{d}/secret.json')",
    "read Parquet": "from read_parquet('{d}/secret.parquet')",
    "read a file by its name": "from '{d}/secret.csv'",
    "read Parquet by its name": "from '{d}/secret.parquet'",
    "read another database": "from read_duckdb('{d}/other.duckdb')",
    "sniff CSV": "select prompt from sniff_csv('{d}/secret.csv')",
    "metadata of Parquet": "from parquet_metadata('{d}/secret.parquet')",
    "list a folder": "from glob('{d}/*')",
    "list the root": "from glob('/*')",
    "read over the network": "from read_text('{u}/x')",
    "read CSV over the network": "from '{u}/x.csv'",
    "a pivot without its values": "pivot prices on n using sum(n)",
    "read a variable of the program": "from frame",
    "read the program's settings": "from settings",
    "read the environment": "select getenv('PATH')",
    "install an extension": "install httpfs",
    "install from elsewhere": "install spatial from '{u}'",
    "load an extension": "load httpfs",
    "load a library": "load '{d}/secret.txt'",
    "update extensions": "update extensions",
    "use what autoloads": "select st_point(1, 2)",
    "switch the lock off": "set enable_external_access = true",
    "unlock the configuration": "set lock_configuration = false",
    "allow a folder": "set allowed_directories = ['{d}']",
    "reset a setting": "reset enable_external_access",
    "set by pragma": "pragma enable_external_access",
    "another temporary folder": "set temp_directory = '{d}/temporary'",
    "a log of queries": "pragma enable_logging",
    "a log to a file": "call enable_logging(storage = 'file', storage_path = '{d}/log')",
    "a profile to a file": "set profiling_output = '{d}/profile.json'",
    "a secret": "create secret s (type http, bearer_token 'x')",
    "a table": "create table t as select 1",
    "a temporary table": "create temp table t as select 1",
    "a view of a file": "create temp view v as from '{d}/secret.csv'",
    "a macro": "create temp macro f() as table from '{d}/secret.csv'",
    "delete": "delete from prices",
    "delete in a with": "with d as (delete from prices returning *) from d",
    "drop": "drop table prices",
    "checkpoint": "checkpoint",
    "two statements": "select 1; copy prices to '{d}/new.csv'",
    "two statements, one read": "select 1; from read_text('{d}/secret.txt')",
    "a statement after a comment": "select 1 -- ;\n; copy prices to '{d}/new.csv'",
    "a statement prepared": "prepare p as copy prices to '{d}/new.csv'",
    "a statement executed": "execute p",
    "an explained write": "explain analyze copy prices to '{d}/new.csv'",
    "a query in a query": "from query('copy prices to ''{d}/new.csv''')",
    "a read in a query": "from query('from read_text(''{d}/secret.txt'')')",
    "a table by its name": "from query_table('{d}/secret.csv')",
    "a closed parenthesis": "select 1) to '{d}/new.csv'; copy (select 1",
    "a closed parenthesis and a comment": "select 1) to '{d}/new.csv' --",
    "nothing": "",
    "a comment": "/* nothing */",
    "no SQL": "drop the prices, please",
}


@pytest.mark.parametrize("query", ATTEMPTS.values(), ids=ATTEMPTS)
@pytest.mark.parametrize("command", ["sql", "export"])
def test_a_query_reaches_nothing_but_the_published_file(command: str, query: str, place: Place) -> None:
    before = place.files()
    query = query.format(d=place.folder, u=place.address)
    arguments = ["sql", query] if command == "sql" else ["export", query, str(place.folder / "out.csv")]
    code, said = place.metals(*arguments)
    assert (code, said.startswith("error ")) == (2, True)
    assert PLANTED not in said
    assert place.files() == before
    assert place.asked == []


ANSWERED = {
    "a select": "select count(*) as found from prices",
    "from first": "from prices",
    "with": "with p as (from prices) select max(n) from p",
    "recursive": "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) from r",
    "values": "values (1), (2)",
    "a semicolon at the end": "select 1 ;",
    "a comment at the end": "select 1 -- the end",
    "describe": "describe prices",
    "summarize": "summarize prices",
    "show tables": "show tables",
    "a pivot with its values": "pivot prices on n in (1, 2) using sum(n)",
    "a union in parentheses": "(select 1) union (select 2)",
    "two queries' worth of text": "select ') to; copy' as said",
}


@pytest.mark.parametrize("query", ANSWERED.values(), ids=ANSWERED)
def test_one_select_is_answered_and_exported(query: str, place: Place, tmp_path: Path) -> None:
    code, said = place.metals("sql", query)
    assert (code, "error" in said) == (0, False)
    exported = [tmp_path / "out.parquet", tmp_path / "out.csv"]
    for target in exported:
        code, said = place.metals("export", query, str(target))
        assert (code, f"rows in {target}" in said.replace("\n", "")) == (0, True)
    assert sorted(tmp_path.iterdir()) == sorted(exported)
    assert pl.read_parquet(exported[0]).height == pl.read_csv(exported[1]).height > 0


def test_whoever_wants_more_says_so(place: Place, tmp_path: Path) -> None:
    read = f"select content from read_text('{place.folder}/secret.txt')"
    code, said = place.metals("sql", read)
    assert code == 2
    assert "--unrestricted allows more" in said
    assert PLANTED in place.metals("sql", read, unrestricted=True)[1]
    assert place.metals("export", read, str(tmp_path / "out.csv"), unrestricted=True)[0] == 0
    assert PLANTED in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert place.metals("sql", f"copy prices to '{tmp_path}/new.csv'", unrestricted=True)[0] == 0
    assert (tmp_path / "new.csv").exists()


def test_an_unrestricted_export_is_still_one_statement(place: Place, tmp_path: Path) -> None:
    code, _ = place.metals(
        "export", f"select 1) to '{tmp_path}/a.csv'; copy (select 2", str(tmp_path / "b.csv"), unrestricted=True
    )
    assert (code, list(tmp_path.iterdir())) == (2, [])


def test_a_session_holds_every_query_to_it(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "sql"],
        input=(
            f"copy prices to '{place.folder}/new.csv';\nselect 1; copy prices to '{place.folder}/new.csv'\n\n"
            "select 'Zürich – ééé;\n' as text,\n\n40 + 2 as answer; -- as said;\n"
            "select 11 * 3 as one; select 11 * 4 as two;\n\n"
        ),
        env={"METALS_WAREHOUSE_DIR": str(place.settings.warehouse_dir), "PATH": "/usr/bin:/bin"},
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr.count("a select is expected, not copy") == 2
    assert "metals>" not in done.stdout, "there is no one to prompt"
    for answer in ("33", "44"):
        assert answer in done.stdout.split()
    assert not (place.folder / "new.csv").exists()
