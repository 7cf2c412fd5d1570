"""`python -m benchmarks [NAME ...]`: run the named benchmarks (all, without names) and print one table.

A benchmark that cannot run is reported with its reason; the table has the others, and the exit code is 1.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module

import benchmarks
from benchmarks.report import Row, markdown

NOT_MEASURED = {"report", "__main__", "inputs", "peer_worker", "synthetic_filers"}


def main(names: list[str]) -> None:
    """Each module of this package, except those in `NOT_MEASURED`, has `measure() -> list[Row]`."""
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in NOT_MEASURED)
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(known)}")
    rows: list[Row] = []
    not_measured = []
    for name in names or known:
        print(f"measuring {name}", file=sys.stderr)
        try:
            rows += import_module(f"benchmarks.{name}").measure()
        except (Exception, SystemExit) as reason:  # noqa: BLE001 - one failure must not discard an hour of measurements
            not_measured.append(f"{name} was not measured: {type(reason).__name__}: {reason}")
    print(markdown(rows))
    if not_measured:
        sys.exit("\n".join(not_measured))


if __name__ == "__main__":
    main(sys.argv[1:])
