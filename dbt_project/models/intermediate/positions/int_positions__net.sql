-- Long minus short per group of traders: managed money of the disaggregated report, non-commercials of the legacy one.
-- Spread positions are long and short alike and stand in neither leg.
with positions as (
    select
        source_id,
        metal_id,
        as_of_date,
        measure,
        contracts,
        known_at
    from {{ ref('stg_cftc__positions') }}
    union all
    select
        source_id,
        metal_id,
        as_of_date,
        measure,
        contracts,
        known_at
    from {{ ref('stg_cftc_legacy__positions') }}
),

by_day as (
    select
        source_id,
        metal_id,
        as_of_date,
        case source_id when 'cftc' then 'managed_money' else 'noncommercial' end as trader_group,
        max(case when measure in ('managed_money_long', 'noncommercial_long') then contracts end) as long_contracts,
        max(case when measure in ('managed_money_short', 'noncommercial_short') then contracts end) as short_contracts,
        max(case when measure = 'open_interest' then contracts end) as open_interest_contracts,
        max(known_at) as known_at
    from positions
    group by source_id, metal_id, as_of_date
)

select
    source_id,
    metal_id,
    trader_group,
    as_of_date,
    long_contracts,
    short_contracts,
    long_contracts - short_contracts as net_contracts,
    open_interest_contracts,
    100 * (long_contracts - short_contracts) / nullif(open_interest_contracts, 0) as net_pct_of_open_interest,
    known_at
from by_day
