-- C5 china_exports. Growth, its steadiness, and industry itself: exports alone can grow while industry does not. Each indicator is
-- read from the newest month that has it, because customs and the statistical office publish on different days.
{% set until = " || ' of the twelve months to ' || " ~ month_text('month') %}
{% set indicators = [
    {
        'name': 'exports_yoy_3m_mean_pct',
        'value': 'exports_yoy_3m_mean_pct',
        'finding': "'exports grew by ' || " ~ number_text('exports_yoy_3m_mean_pct')
            ~ " || ' % on the year in the three months to ' || " ~ month_text('month'),
    },
    {
        'name': 'exports_growth_months_12m',
        'value': 'exports_growth_months_12m',
        'finding': "'exports were above the year before in ' || cast(exports_growth_months_12m as varchar)" ~ until,
    },
    {
        'name': 'industrial_output_yoy_3m_mean_pct',
        'value': 'industrial_output_yoy_3m_mean_pct',
        'finding': "'industrial output grew by ' || " ~ number_text('industrial_output_yoy_3m_mean_pct')
            ~ " || ' % in the three months to ' || " ~ month_text('month'),
    },
    {
        'name': 'exports_12m_less_5y_median_pp',
        'value': 'exports_yoy_12m_mean_pct - exports_yoy_5y_median_pct',
        'finding': "'over twelve months exports grew by ' || " ~ number_text('exports_yoy_12m_mean_pct')
            ~ " || ' %, against ' || " ~ number_text('exports_yoy_5y_median_pct') ~ " || ' % in the median month of five years'",
    },
    {
        'name': 'pmi_manufacturing_index',
        'value': 'pmi_manufacturing_index',
        'finding': "'the purchasing managers'' index stood at ' || " ~ number_text('pmi_manufacturing_index')
            ~ " || ' in ' || " ~ month_text('month'),
    },
    {
        'name': 'exports_less_industrial_output_12m_pp',
        'value': 'exports_less_industrial_output_12m_pp',
        'finding': "'over twelve months the growth of exports less that of industrial output was ' || "
            ~ number_text('exports_less_industrial_output_12m_pp') ~ " || ' points'",
    },
] %}
{% for indicator in indicators %}
    (
        select
            'C5' as claim_id,
            '{{ indicator.name }}' as indicator,
            cast({{ indicator.value }} as double) as value,
            false as is_lower_bound,
            month as period,
            {{ month_end('month') }} as period_end,
            known_at,
            'driver_china_cycle' as source_table,
            cast(month as varchar) as source_key,
            {{ indicator.finding }} as finding
        from {{ ref('driver_china_cycle') }}
        where {{ indicator.value }} is not null
        order by month desc
        limit 1
    )
    {% if not loop.last %}union all{% endif %}
{% endfor %}
