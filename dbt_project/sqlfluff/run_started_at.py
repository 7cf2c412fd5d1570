"""Stand-in for dbt's moment of the run while sqlfluff renders the models: a fixed day, for linting only."""

from datetime import UTC, datetime

strftime = datetime(2026, 1, 2, tzinfo=UTC).strftime
