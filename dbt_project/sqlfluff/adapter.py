"""Stand-in for dbt's choice of a macro by engine while sqlfluff renders the models: DuckDB's, for linting only."""

from collections.abc import Callable

_SPELLINGS: dict[str, Callable[..., str]] = {
    "month_spine": lambda first, last: (
        f"select cast(unnest(generate_series({first}, {last}, interval 1 month)) as date) as month"
    ),
    "aggregate_of": lambda aggregate, value: f"{aggregate}({value})",
}


def dispatch(macro: str, _package: str) -> Callable[..., str]:
    return _SPELLINGS[macro]
