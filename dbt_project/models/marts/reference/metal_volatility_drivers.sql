-- Computed in Python (int_volatility__drivers). A share of variance is the square of a correlation; a driver whose volatility falls when
-- that of metals rises drives nothing, so a negative correlation counts as a share of zero.
select
    family,
    sample,
    driver_id,
    first_month,
    last_month,
    months,
    months / 12.0 as independent_windows,
    metals,
    drivers_used,
    correlation,
    correlation_lower_95,
    correlation_upper_95,
    {% for end in ['', '_lower_95', '_upper_95'] %}
        case when correlation{{ end }} is not null then power(greatest(correlation{{ end }}, 0), 2) end as share{{ end }},
    {% endfor %}
    block_length_months,
    known_at
from {{ ref('int_volatility__drivers') }}
