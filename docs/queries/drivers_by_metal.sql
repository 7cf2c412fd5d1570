-- What drives each metal, in standard deviations per driver, in the newest month with at least three drivers?
select
    metal_id, month, round(composite, 2) as composite_zscore, drivers_available, drivers_expected,
    round(contribution_ai, 2) as ai_zscore, round(contribution_china, 2) as china_zscore,
    round(contribution_fiscal, 2) as fiscal_zscore, round(contribution_monetary, 2) as monetary_zscore,
    round(contribution_trade, 2) as trade_zscore, round(contribution_geopolitics, 2) as geopolitics_zscore,
    round(contribution_positioning, 2) as positioning_zscore
from driver_composites
where drivers_available >= 3
qualify row_number() over (partition by metal_id order by month desc) = 1
order by composite_zscore desc
