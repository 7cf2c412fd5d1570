"""Stand-ins for dbt's cross-database macros while sqlfluff renders the models: DuckDB's spelling, for linting only.

dbt itself never reads this folder. A macro of dbt's that a model starts to use gets its line here.
"""


def datediff(first: str, second: str, datepart: str) -> str:
    return f"date_diff('{datepart}', {first}, {second})"


def dateadd(datepart: str, interval: str | int, from_date: str) -> str:
    return f"date_add({from_date}, interval ({interval}) {datepart})"


def date_trunc(datepart: str, day: str) -> str:
    return f"date_trunc('{datepart}', {day})"


def last_day(day: str, datepart: str) -> str:
    return f"(date_trunc('{datepart}', {day}) + interval 1 {datepart} - interval 1 day)"


def listagg(measure: str, delimiter: str, order_by: str) -> str:
    return f"string_agg({measure}, {delimiter} {order_by})"
