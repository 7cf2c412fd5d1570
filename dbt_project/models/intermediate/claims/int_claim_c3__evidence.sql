-- C3 power_density. Ratios of AI over traditional sites from cited publications; a ratio without a base is no evidence. Two lines:
-- density, which publications decide by their whole range, and metal per megawatt. Copper per rack is the product of the two.
with ratios as (
    select
        r.parameter,
        r.base,
        r.low,
        r.high,
        a.base as ai_base,
        t.base as traditional_base,
        replace(a.unit, 'kw', 'kW') as unit,
        -- The newest publication on AI sites: its age is that of the comparison.
        a.known_on as ai_known_on,
        r.known_at
    from {{ ref('driver_power_density') }} as r
    inner join {{ ref('driver_power_density') }} as a on r.parameter = a.parameter and a.segment = 'ai'
    inner join {{ ref('driver_power_density') }} as t on r.parameter = t.parameter and t.segment = 'traditional'
    where r.segment = 'ai_over_traditional' and r.base is not null
)

{{ evidence('C3', [
    {'indicator': 'power_per_rack_ratio', 'where': "parameter = 'kw_per_rack'", 'low': 'low', 'high': 'high'},
    {'indicator': 'copper_per_rack_ratio', 'where': "parameter = 'kg_copper_per_rack'"},
    {'indicator': 'copper_per_mw_ratio', 'where': "parameter = 't_copper_per_mw'", 'low': 'low', 'high': 'high'},
    {'indicator': 'aluminium_per_mw_ratio', 'where': "parameter = 't_aluminium_per_mw'", 'low': 'low', 'high': 'high'},
], {
    'mart': 'driver_power_density', 'rows': 'ratios', 'newest': none, 'value': 'base', 'key': "'ai_over_traditional|' || parameter",
    'period': 'ai_known_on', 'period_end': 'ai_known_on', 'frequency': 'daily'
}) }}
