"""The bundled figures are those that the recorded responses give."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines.authoring import bundle
from pipelines.settings import PROJECT_ROOT, Settings

BUNDLED = PROJECT_ROOT / "warehouse" / "bundled"


@pytest.mark.recorded
def test_compiling_again_gives_the_files_that_ship(recordings: list[Path], tmp_path: Path) -> None:
    bundle.compile_bundle(recordings, tmp_path, catalogs.load(Settings().catalog_dir))
    for path in BUNDLED.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), f"{path.name}: run `make bundle`"
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in BUNDLED.iterdir()}
