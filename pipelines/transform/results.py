"""The result of one node of a build."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeResult:
    """The result of one model, seed or test of a build."""

    unique_id: str
    name: str
    resource_type: str
    status: str  # success, pass, warn, fail, error, skipped; kept: not rebuilt, because nothing it depends on changed
    message: str
    seconds: float

    @property
    def failed(self) -> bool:
        return self.status in ("fail", "error", "runtime error")
