"""Hostile files: each is refused with a typed error, in bounded time and memory."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import BadPayload, PayloadNotRead
from pipelines.sources import _cells, _html, _sheets, bls, federal_reserve, sec_financial_statements
from tests.unit.catalogued import catalogue_of

CONTENT_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    b'<Default Extension="xml" ContentType="application/xml"/>'
    b'<Override PartName="/xl/workbook.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
RELATIONS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" '
    b'Target="%s"/></Relationships>'
)
WORKBOOK = (
    b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>'
)
SHEET = (
    b'<?xml version="1.0"?>%s<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<sheetData>%s</sheetData></worksheet>"
)
ROW = b'<row r="1"><c r="A1"><v>1.5</v></c><c r="B1"><v>2.5</v></c></row>'


def workbook(rows: bytes, prologue: bytes = b"", **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS % (b"officeDocument", b"xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS % (b"worksheet", b"worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", SHEET % (prologue, rows))
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def cells(body: bytes) -> list[tuple[str | None, ...]]:
    (sheet,) = _sheets.read(body, "test")
    return sheet.texts.rows()


def test_the_workbook_of_these_tests_is_read() -> None:
    assert cells(workbook(ROW)) == [("1.5", "2.5")]


def test_a_million_blank_rows_are_passed_over() -> None:
    blank = b"".join(b'<row r="%d"/>' % n for n in range(2, 1_048_577))
    started = time.process_time()
    assert cells(workbook(ROW + blank)) == [("1.5", "2.5")]
    assert time.process_time() - started < 5


@pytest.mark.parametrize("place", ["XFD1048576", "Z104857600"])
def test_a_cell_in_the_last_corner_is_refused_and_the_next_workbook_is_read(place: str) -> None:
    """Laid out cell by cell it would take hundreds of gigabytes; the reader's process ends, and this one does not."""
    far = b'<row r="%s"><c r="%s"><v>1</v></c></row>' % (place.lstrip("XFDZ").encode(), place.encode())
    with pytest.raises(
        BadPayload, match=r"source=test\] (the workbook took more than 1000 MB|not a readable workbook)"
    ):
        _sheets.read(workbook(ROW + far), "test")
    assert cells(workbook(ROW)) == [("1.5", "2.5")]


def test_a_cell_in_the_last_row_costs_bounded_memory() -> None:
    far = b'<row r="1048576"><c r="B1048576"><v>1</v></c></row>'
    (sheet,) = _sheets.read(workbook(ROW + far), "test")
    assert sheet.texts.height == 1_048_576


def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sheets, "MAX_SECONDS", 0.2)
    reader = reader_running("import time; time.sleep(60)", monkeypatch)
    started = time.monotonic()
    with pytest.raises(PayloadNotRead, match="not read within 0 s"):
        reader.ask(b"x", None, "test")
    assert time.monotonic() - started < 5


def test_a_workbook_that_takes_processor_time_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts from the request: a reader that has worked for long reads the next workbook all the same."""
    code = (
        "import time; from pipelines.sources import _workbook as w; w.MAX_CPU_SECONDS = 0;"
        "work = lambda until: [None for _ in iter(lambda: time.process_time() < until, False)];"
        "w.sheets = lambda body, only: (work(9 if body == b'bad' else 0) and [], []); work(1.5); w.main()"
    )
    reader = reader_running(code, monkeypatch)
    assert reader.ask(b"good", None, "test") == ({"names": []}, [])
    with pytest.raises(BadPayload, match="s of the processor, or its reader failed on it"):
        reader.ask(b"bad", None, "test")


@pytest.mark.parametrize("end", ["import os; os.kill(os.getpid(), 9)", "import sys; sys.exit(1)"])
def test_a_reader_that_something_else_ends_is_not_held_against_the_workbook(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_running(end, monkeypatch)
    with pytest.raises(PayloadNotRead, match="did not live to"):
        reader.ask(b"x" * 100_000, None, "test")
    monkeypatch.undo()
    assert reader.ask(workbook(ROW), None, "test")[0] == {"names": ["Data"]}
    reader.close()


def reader_running(code: str, monkeypatch: pytest.MonkeyPatch) -> _sheets._Reader:
    reader = _sheets._Reader()
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    monkeypatch.setattr(reader, "_running", lambda: process)
    reader._process = process
    return reader


def test_a_workbook_that_unzips_to_gigabytes_is_refused_before_it_is_opened() -> None:
    with pytest.raises(BadPayload, match=r"unzips to 300,0.* bytes, more than the 100,000,000 allowed"):
        _sheets.read(workbook(ROW, **{"xl/media/image1.png": b"\x00" * 300_000_000}), "test")


def test_one_flipped_bit_of_a_workbook_is_noticed() -> None:
    """The reader takes whatever unpacks and never looks at the checksum. (The first byte's bit only marks the end.)"""
    body = workbook(ROW * 50)
    start = body.index(b"xl/worksheets/sheet1.xml") + len(b"xl/worksheets/sheet1.xml")
    for place in range(start + 1, start + 40):
        flipped = bytearray(body)
        flipped[place] ^= 1
        with pytest.raises(BadPayload, match="not a readable workbook"):
            _sheets.read(bytes(flipped), "test")


def test_the_cut_of_a_table_is_what_is_said() -> None:
    with pytest.raises(BadPayload, match=r"\[source=test series=x\] the last line is truncated"):
        _cells.refuse_cut(b"a,b\n1,2", "test", "x")
    _cells.refuse_cut(b"a,b\r\n1,2\r\n", "test", "x")


@pytest.mark.parametrize(
    "page",
    ["<table><tr><td>1<td>29", "<table><tr><td>1</td></tr></table><table><tr><td>2"],
)
def test_a_page_cut_inside_a_table_is_refused(page: str) -> None:
    with pytest.raises(BadPayload, match="a table on it is not closed"):
        _html.tables(page)


def test_entities_in_a_workbook_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    )
    inline = b'<row r="1"><c r="A1" t="inlineStr"><is><t>[&b;&c;]</t></is></c></row>'
    try:
        found = str(cells(workbook(inline, bomb)))
    except BadPayload:
        return
    assert "aaaa" not in found
    assert "root" not in found


def test_members_with_paths_out_of_the_archive_are_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cells(workbook(ROW, **{"../../escaped.txt": b"x", "/escaped.txt": b"x"})) == [("1.5", "2.5")]
    assert list(tmp_path.rglob("*")) == []
    assert not (tmp_path.parent / "escaped.txt").exists()


# The Board's XML


def release(xml: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("H15_data.xml", xml)
    return out.getvalue()


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE m SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
    ids=["entity expansion", "a local file", "a remote definition"],
)
def test_xml_that_declares_anything_is_refused(declaration: bytes) -> None:
    xml = b"<?xml version='1.0'?>" + declaration + b"<m>&a;</m>"
    with pytest.raises(BadPayload, match="the XML declares a document type"):
        federal_reserve.parse(release(xml), "H15", catalogue_of("federal_reserve"))


def test_xml_nested_deep_is_refused() -> None:
    xml = b"<m>" * 100_000 + b"</m>" * 100_000
    with pytest.raises(BadPayload, match=r"H15 has none of the \d+ catalogued series|not readable as XML"):
        federal_reserve.parse(release(xml), "H15", catalogue_of("federal_reserve"))


def test_xml_that_unzips_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federal_reserve, "MAX_XML_BYTES", 1_000_000)
    with pytest.raises(BadPayload, match="says it unzips to 5000000 bytes, more than 1000000"):
        federal_reserve.parse(release(b" " * 5_000_000), "H15", catalogue_of("federal_reserve"))


@pytest.mark.parametrize(
    "damage", [lambda b: b[:40] + b[4961:], lambda b: b[:-30], lambda b: b.replace(b"PK\x01\x02", b"PK\x01\x03")]
)
def test_an_archive_whose_directory_lies_is_refused(damage: object) -> None:
    xml = b"<m>" + bytes(range(32, 60)) * 400 + b"</m>"
    body = damage(release(xml))  # type: ignore[operator]
    with pytest.raises(BadPayload):
        federal_reserve.parse(body, "H15", catalogue_of("federal_reserve"))
    with pytest.raises(BadPayload):
        sec_financial_statements.parse(body, "2026q2", catalogue_of("federal_reserve"))


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000])
def test_json_nested_deep_is_refused_where_it_would_be_landed(deep: bytes) -> None:
    with pytest.raises(BadPayload, match="not JSON"):
        bls._envelope(deep)
