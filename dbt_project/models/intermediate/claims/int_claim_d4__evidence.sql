-- D4 coal_transition. The exit is read from coal's share, now against before: a share that falls faster than before contradicts
-- the statement, however much coal is burnt; the amount is told beside it. Months show where the next year's figures will lie.
{% set year = 'cast(year as varchar)' %}
{% set months = " || ' over the twelve months to ' || " ~ month_text('newest_month') ~ " || ' (without Indonesia)'" %}
{% set indicators = [
    {
        'name': 'group_slope_change_pp_per_year',
        'value': 'slope_change_pp_per_year',
        'is_monthly': false,
        'finding': "'coal''s share of emerging Asia''s electricity moved by ' || " ~ number_text('coal_share_slope_pp_per_year', 2)
            ~ " || ' points a year over the five years to ' || " ~ year ~ " || ', against ' || "
            ~ number_text('coal_share_slope_before_pp_per_year', 2) ~ " || ' over the five before'",
    },
    {
        'name': 'countries_slowing_share_ratio',
        'value': 'cast(countries_slowing as double) / nullif(countries_with_slopes, 0)',
        'is_monthly': false,
        'finding': "'the exit slowed in ' || cast(countries_slowing as varchar) || ' of ' || cast(countries_with_slopes as varchar)"
            ~ " || ' countries by ' || " ~ year,
    },
    {
        'name': 'group_coal_slope_twh_per_year',
        'value': 'coal_slope_twh_per_year',
        'is_monthly': false,
        'finding': "'electricity from coal changed by ' || " ~ number_text('coal_slope_twh_per_year', 0)
            ~ " || ' TWh a year over the five years to ' || " ~ year,
    },
    {
        'name': 'group_coal_12m_yoy_pct',
        'value': 'coal_12m_yoy_pct',
        'is_monthly': true,
        'finding': "'electricity from coal changed by ' || " ~ number_text('coal_12m_yoy_pct') ~ " || ' %'" ~ months,
    },
    {
        'name': 'group_coal_share_12m_change_pp',
        'value': 'coal_share_12m_change_pp',
        'is_monthly': true,
        'finding': "'coal''s share changed by ' || " ~ number_text('coal_share_12m_change_pp') ~ " || ' points'" ~ months,
    },
] %}
{% for indicator in indicators %}
    (
        select
            'D4' as claim_id,
            '{{ indicator.name }}' as indicator,
            {{ indicator.value }} as value,
            false as is_lower_bound,
            {{ 'newest_month' if indicator.is_monthly else 'make_date(year, 1, 1)' }} as period,
            {{ month_end('newest_month') if indicator.is_monthly else 'make_date(year, 12, 31)' }} as period_end,
            known_at,
            'divergence_coal_transition' as source_table,
            subject || '|' || cast(year as varchar) as source_key,
            {{ indicator.finding }} as finding
        from {{ ref('divergence_coal_transition') }}
        where
            subject = 'emerging_asia'
            and {{ indicator.value }} is not null
            {% if not indicator.is_monthly %}and slope_change_pp_per_year is not null{% endif %}
        order by year desc
        limit 1
    )
    {% if not loop.last %}union all{% endif %}
{% endfor %}
