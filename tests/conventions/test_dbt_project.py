"""Structure of the dbt project, from the parsed project: a model in the wrong place fails here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipelines import transform
from pipelines.settings import PROJECT_ROOT, Settings

PROJECT = transform.manifest(Settings())
MODELS: dict[str, dict[str, Any]] = {i: n for i, n in PROJECT["nodes"].items() if n["resource_type"] == "model"}
STAGING = Path("models/staging")


def file_of(node: dict[str, Any]) -> Path:
    return Path(node["original_file_path"])


def test_raw_tables_are_read_in_staging_only() -> None:
    readers = {
        str(file_of(node))
        for node in PROJECT["nodes"].values()
        if any(parent.startswith("source.") for parent in node["depends_on"].get("nodes", []))
    }
    assert readers
    assert {path for path in readers if not Path(path).is_relative_to(STAGING)} == set()


def test_a_staging_model_stands_in_the_folder_of_its_source_and_others_in_that_of_their_topic() -> None:
    for node in MODELS.values():
        layer, *folders = file_of(node).parent.relative_to("models").parts
        assert len(folders) == 1, file_of(node)
        prefix = {"staging": ("base_", f"stg_{folders[0]}_"), "intermediate": "int_", "marts": ""}[layer]
        assert node["name"].startswith(prefix), file_of(node)


def test_a_model_is_described_and_unit_tested_beside_its_file() -> None:
    apart = [
        node["name"] for node in MODELS.values() if Path(node["patch_path"]).parent.name != file_of(node).parent.name
    ]
    apart += [
        test["name"]
        for test in PROJECT["unit_tests"].values()
        if file_of(test).parent != file_of(MODELS[f"model.metals_drivers.{test['model']}"]).parent
    ]
    assert apart == []


def test_exposures_name_what_is_published_and_what_the_brief_reads() -> None:
    marts = {node["name"] for node in MODELS.values() if node["schema"] == "main"}
    exposed = {
        exposure["name"]: {MODELS[i]["name"] for i in exposure["depends_on"]["nodes"]}
        for exposure in PROJECT["exposures"].values()
    }
    rooms = [PROJECT_ROOT / "pipelines" / room for room in ("brief", "view")]
    files = [path for room in rooms for ext in ("py", "sql") for path in room.rglob(f"*.{ext}")]
    queries = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"\b(?:from|join) (?:main\.)?(\w+)", queries)) & marts
    assert exposed == {"published_warehouse": marts, "brief": read}
