-- Which general duty applies to refined metal today, and what is proposed?
select metal_id, month, highest_rate_pct, refined_rate_pct, refined_rate_proposed_pct, refined_rate_proposed_from,
    is_critical_mineral
from driver_trade_policy
qualify row_number() over (partition by metal_id order by month desc) = 1
order by metal_id
