-- Base metals as one number: the geometric mean of six prices, so that no metal weighs more because it costs more, and a
-- doubling of any of them counts the same. Null unless all six have a price: a missing one never looks like a fall.
-- Real prices are in dollars of 1982 to 1984, the base of the consumer price index; October 2025 has no index and no real price.
{% set base_metals = ['copper', 'aluminium', 'zinc', 'nickel', 'lead', 'tin'] %}
with figures as (
    select
        i.indicator_id,
        i.period as month,
        i.value,
        i.known_at,
        s.publication_lag_days,
        s.staleness_limit_days
    from {{ ref('int_indicators__resolved') }} as i
    inner join {{ ref('stg_catalog__series') }} as s on i.series_id = s.series_id
    where
        i.indicator_id in (
            {% for metal in base_metals %}
                '{{ metal }}_usd_per_tonne',
            {% endfor %}
            'gold_usd_per_troy_ounce',
            'us_cpi_sa_index'
        )
),

pivoted as (
    select
        month,
        {% for metal in base_metals %}
            {{ indicator_value(metal ~ '_usd_per_tonne') }} as {{ metal }},
        {% endfor %}
        {{ indicator_value('gold_usd_per_troy_ounce') }} as gold_usd_per_troy_ounce,
        {{ indicator_value('us_cpi_sa_index') }} as cpi_index,
        max(publication_lag_days) as publication_lag_days,
        min(staleness_limit_days) as staleness_limit_days,
        max(known_at) as known_at
    from figures
    group by month
),

indexed as (
    select
        *,
        exp(
            (
                {% for metal in base_metals %}
                    ln({{ metal }}){% if not loop.last %} +{% endif %}
                {% endfor %}
            ) / {{ base_metals | length }}
        ) as base_metals_usd_per_tonne
    from pivoted
)

select
    month,
    base_metals_usd_per_tonne,
    {{ in_constant_dollars('base_metals_usd_per_tonne', 'cpi_index') }} as base_metals_real_usd_per_tonne,
    gold_usd_per_troy_ounce,
    {{ in_constant_dollars('gold_usd_per_troy_ounce', 'cpi_index') }} as gold_real_usd_per_troy_ounce,
    publication_lag_days,
    staleness_limit_days,
    known_at
from indexed
