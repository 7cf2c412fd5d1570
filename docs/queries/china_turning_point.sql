-- When did China's producer prices change sign, and where do money, exports and prices stand now?
select
    month, ppi_yoy_pct, ppi_sign_since, months_since_ppi_sign_change, m1_m2_gap_pp,
    round(exports_yoy_3m_mean_pct, 1) as exports_yoy_3m_mean_pct
from driver_china_cycle
where ppi_yoy_pct is not null
order by month desc
limit 12
