"""`python -m benchmarks [NAME ...]`: run the benchmarks named (all of them without names) and print one table."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module

import benchmarks
from benchmarks.report import Row, markdown

NOT_MEASURED = {"report", "__main__", "inputs", "peer_worker", "synthetic_filers"}


def main(names: list[str]) -> None:
    """Each module of this package but those of `NOT_MEASURED` has `measure() -> list[Row]`."""
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in NOT_MEASURED)
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(known)}")
    rows: list[Row] = []
    for name in names or known:
        print(f"measuring {name}", file=sys.stderr)
        rows += import_module(f"benchmarks.{name}").measure()
    print(markdown(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
