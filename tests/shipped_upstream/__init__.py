"""An upstream that needs no recordings: `python -m tests.shipped_upstream DIRECTORY` writes it.

A folder in the format of the recordings (files and manifest.json). Bundled figures (warehouse/bundled) have the
recordings' own file names; everything else is made up, in made_up/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tests.recordings import folders
from tests.shipped_upstream import bundled, made_up


def recorded_or_written(folder: Path) -> list[Path]:
    """The folders of recorded payloads; where there is none, this upstream, written into `folder`."""
    return folders() or [write(folder)]


def write(folder: Path, files: Iterable[bundled.File] | None = None) -> Path:
    """Write it, or an upstream of other files, into `folder`, which is returned."""
    manifest = []
    for file in files or (*bundled.files(), *made_up.files()):
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)
        manifest.append(
            {
                "file": file.name,
                "publisher": file.publisher,
                "url": file.url,
                "key": file.key,
                "retrieved_at": str(file.known),
                "fidelity": file.fidelity,
                "licence": file.licence,
                "bytes": len(file.body),
                "sha256": hashlib.sha256(file.body).hexdigest(),
            }
        )
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return folder
