"""Results of formulas that were computed before in this process, found by the arguments' content.

A run computes the same window of months again for every past month end: of twelve, only the newest month differs.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def remembered(results: int) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """A pure function of arrays and plain values that keeps its last `results` results. Callers must not change them.

    Two calls are the same if every argument is, bit by bit, so that a kept result is the one that would be computed.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        kept: OrderedDict[bytes, Result] = OrderedDict()
        lock = Lock()

        @wraps(function)
        def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            key = _digest(args, kwargs)
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            result = function(*args, **kwargs)
            with lock:
                kept[key] = result
                if len(kept) > results:
                    kept.popitem(last=False)
            return result

        return call

    return decorate


def _digest(*values: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype.str} {value.shape} ".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, (list, tuple, dict)):  # the text of one that holds an array would leave out digits
            parts = sorted(value.items()) if isinstance(value, dict) else value
            digest.update(f"{type(value).__name__} ".encode() + _digest(*parts))
        else:
            digest.update(f"{type(value).__name__} {value!r} ".encode())
    return digest.digest()
