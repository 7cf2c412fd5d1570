-- US fiscal impulse: the change of the deficit, and of the part that unemployment does not explain, on a year before.
select
    month,
    deficit_12m_pct_gdp,
    deficit_12m_change_pp,
    fiscal_impulse_12m_pp,
    unemployment_12m_mean_pct,
    net_interest_12m_pct_of_receipts as net_interest_pct
from driver_fiscal
where
    deficit_12m_pct_gdp is not null
    {{ and_not_own_use('driver_fiscal', "month") }}
order by month desc
limit 24
