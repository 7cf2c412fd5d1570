-- Metals that their drivers lift and whose price lags them, by the sum of the two ranks; the others with the reason.
select
    o.opportunity_rank,
    m.name as metal,
    o.month,
    o.rank_sum,
    o.composite_rank,
    o.price_gap_rank,
    o.composite,
    case
        when o.composite is not null
            then array_to_string(list_sort(list(m.name) over (partition by o.month, o.composite)), ', ')
    end as shared_by,
    o.price_gap_zscore,
    o.realised_volatility_12m_annualised_pct,
    replace(replace(o.open_divergences, 'price_driver', 'price against drivers'), '_', ' ') as open_divergences,
    o.is_stale,
    o.gap_reason
from opportunities as o
inner join metals as m using (metal_id)
where true {{ and_not_own_use('opportunities', "o.metal_id") }}
order by o.opportunity_rank nulls last, m.name
