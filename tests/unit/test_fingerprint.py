"""What of a model's text counts towards its fingerprint; `tests/models/test_invalidation.py` builds by it."""

from __future__ import annotations

import sys

from pipelines.settings import PROJECT_ROOT
from pipelines.transform import fingerprint


def test_texts_are_kept_where_comments_go() -> None:
    assert fingerprint.sql("select '--no', \"a--b\", $$ /* x */ $$ -- a\n from\n\tt /* b */ ") == (
        "select '--no', \"a--b\", $$ /* x */ $$ from t"
    )
    assert fingerprint.sql("select 'a  b'") != fingerprint.sql("select 'a b'")
    assert fingerprint.sql("select 1") != fingerprint.sql("select 2")
    assert fingerprint.python('def f():\n    """A."""\n    return 1  # b') == fingerprint.python("def f(): return 1")
    assert fingerprint.python("x = 1") != fingerprint.python("x = 2")


def test_every_library_of_the_formulas_is_in_the_fingerprint() -> None:
    imported = set()
    for path in (PROJECT_ROOT / "pipelines" / "statistics").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip().startswith(("import ", "from ")):
                imported.add(line.split()[1].partition(".")[0])
    assert imported - set(sys.stdlib_module_names) - {"pipelines"} <= set(fingerprint.LIBRARIES)
