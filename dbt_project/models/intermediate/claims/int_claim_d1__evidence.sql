-- D1 capacity_clearance. Aluminium and lithium apart, each with the share of its producers in paradox and a sign of whether
-- capacity clears. A quarter counts once half of the producers followed can be judged: the first to file speaks for itself alone.
{% set least_coverage = 0.5 %}
{% set quarter = " || ' in the year to ' || " ~ quarter_text('calendar_quarter') %}
{% set year = " || ' in ' || cast(world_year as varchar)" %}
{% set indicators = [
    {
        'name': 'aluminium_utilisation_change_pp',
        'sector': 'aluminium',
        'value': 'world_utilisation_change_pp',
        'period': 'world_year',
        'finding': "'the world''s smelters used ' || " ~ number_text('world_utilisation_pct') ~ " || ' % of their capacity'" ~ year
            ~ " || ', a change of ' || " ~ number_text('world_utilisation_change_pp') ~ " || ' points'",
    },
    {
        'name': 'lithium_output_yoy_pct',
        'sector': 'lithium',
        'value': 'world_output_yoy_pct',
        'period': 'world_year',
        'finding': "'world lithium output changed by ' || " ~ number_text('world_output_yoy_pct') ~ " || ' %'" ~ year,
    },
    {
        'name': 'china_aluminium_output_yoy_pct',
        'sector': 'aluminium',
        'value': 'china_output_12m_yoy_pct',
        'period': 'quarter',
        'finding': "'China''s aluminium output changed by ' || " ~ number_text('china_output_12m_yoy_pct') ~ " || ' %'" ~ quarter,
    },
] %}
{% for sector in ['aluminium', 'lithium'] %}
    {% do indicators.extend([
        {
            'name': sector ~ '_paradox_share_ratio',
            'sector': sector,
            'value': 'paradox_share_ratio',
            'period': 'covered_quarter',
            'finding': "cast(producers_in_paradox as varchar) || ' of ' || cast(producers_known as varchar) || ' " ~ sector
                ~ " producers invested above depreciation at a loss or a low margin'" ~ quarter,
        },
        {
            'name': sector ~ '_capex_to_depreciation_ratio',
            'sector': sector,
            'value': 'capex_to_depreciation_ratio',
            'period': 'covered_quarter',
            'finding': "'" ~ sector ~ " producers spent ' || " ~ number_text('capex_to_depreciation_ratio', 2)
                ~ " || ' times their depreciation'" ~ quarter,
        },
        {
            'name': sector ~ '_margin_pct',
            'sector': sector,
            'value': 'margin_pct',
            'period': 'covered_quarter',
            'finding': "'the margin of " ~ sector ~ " producers was ' || " ~ number_text('margin_pct') ~ " || ' %'" ~ quarter,
        },
    ]) %}
{% endfor %}
{% for indicator in indicators %}
    (
        select
            'D1' as claim_id,
            '{{ indicator.name }}' as indicator,
            {{ indicator.value }} as value,
            false as is_lower_bound,
            {{ 'make_date(world_year, 1, 1)' if indicator.period == 'world_year' else 'calendar_quarter' }} as period,
            {% if indicator.period == 'world_year' %}make_date(world_year, 12, 31) as period_end,{% else %}period_end,{% endif %}
            known_at,
            'divergence_capacity_clearance_sector' as source_table,
            sector || '|' || cast(calendar_quarter as varchar) as source_key,
            {{ indicator.finding }} as finding
        from {{ ref('divergence_capacity_clearance_sector') }}
        where
            sector = '{{ indicator.sector }}'
            and {{ indicator.value }} is not null
            {% if indicator.period == 'covered_quarter' %}and coverage_ratio >= {{ least_coverage }}{% endif %}
        order by calendar_quarter desc
        limit 1
    )
    {% if not loop.last %}union all{% endif %}
{% endfor %}
