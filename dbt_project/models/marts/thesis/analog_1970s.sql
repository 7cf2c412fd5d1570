-- Of the months that int_analog__compared compares, those held against the newest month with a state.
select
    month,
    reference_month,
    distance,
    distance_rank,
    is_nearest,
    is_independent_window,
    is_1970s,
    common_dimensions,
    {% for dimension in state_vector().strip().split(',') %}
        {{ dimension }}_gap_zscore,
    {% endfor %}
    {% for name in ['base_metals', 'base_metals_real', 'gold', 'gold_real'] %}
        {% for months in [12, 24, 36] %}
            {{ name }}_return_{{ months }}m_pct,
        {% endfor %}
    {% endfor %}
    known_at
from {{ ref('int_analog__compared') }}
where is_newest_reference
