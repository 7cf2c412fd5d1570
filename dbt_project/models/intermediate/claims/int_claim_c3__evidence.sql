-- C3 power_density. Ratios of AI over traditional sites from cited publications; a ratio without a base is no evidence.
{% set indicators = [
    ('power_per_rack_ratio', 'kw_per_rack', 'power per rack'),
    ('copper_per_rack_ratio', 'kg_copper_per_rack', 'copper per rack'),
    ('copper_per_mw_ratio', 't_copper_per_mw', 'copper per megawatt'),
    ('aluminium_per_mw_ratio', 't_aluminium_per_mw', 'aluminium per megawatt'),
] %}
with ratios as (
    select
        r.parameter,
        r.base,
        r.low,
        r.high,
        a.base as ai_base,
        t.base as traditional_base,
        a.unit,
        -- The newest publication on AI sites: its age is that of the comparison.
        a.known_on as ai_known_on,
        r.known_at
    from {{ ref('driver_power_density') }} as r
    inner join {{ ref('driver_power_density') }} as a on r.parameter = a.parameter and a.segment = 'ai'
    inner join {{ ref('driver_power_density') }} as t on r.parameter = t.parameter and t.segment = 'traditional'
    where r.segment = 'ai_over_traditional' and r.base is not null
)

{% for indicator, parameter, name in indicators %}
    select
        'C3' as claim_id,
        '{{ indicator }}' as indicator,
        base as value,
        false as is_lower_bound,
        ai_known_on as period,
        ai_known_on as period_end,
        known_at,
        'driver_power_density' as source_table,
        'ai_over_traditional|' || parameter as source_key,
        '{{ name }} is ' || {{ number_text('base') }} || ' times that of traditional sites ('
        || {{ number_text('ai_base', 0) }} || ' against ' || {{ number_text('traditional_base', 0) }} || ' ' || replace(unit, 'kw', 'kW')
        || case when low is null then '' else ', at least ' || {{ number_text('low') }} || ' times' end || ')'
        {%- if parameter == 'kg_copper_per_rack' %} || ', at the copper content per megawatt of sites in general'{% endif %} as finding
    from ratios
    where parameter = '{{ parameter }}'
    {% if not loop.last %}union all{% endif %}
{% endfor %}
