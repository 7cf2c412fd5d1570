"""The full run: `python -m tests.fuzz --count 10000 [--source fred] [--workers 2] [--first 0]`.

Prints counts per publisher; exits with 1 if a case ended in anything but a typed error or correct rows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.runner import run, table
from tests.shipped_upstream import recorded_or_written


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--source", default=None, help="one publisher alone")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--faults", type=Path, default=None, help="a file for the cases that failed, a JSON line each")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        upstream = recorded_or_written(Path(folder))
        done = run(upstream, options.count, options.workers, options.source, options.first)
    print(table(done))
    print(f"{len(done)} mutated payloads in {time.monotonic() - started:.0f} s")
    failed = [c for c in done if c["fault"]]
    for case in failed[:20]:
        print(f"{case['source']} {case['key']} case {case['seed']}, {case['mutation']}: {case['fault']}")
    if options.faults:
        options.faults.write_text("".join(json.dumps(c, ensure_ascii=False) + "\n" for c in failed), encoding="utf-8")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
