-- Which figures of China's producer prices did this warehouse know, by month, and from which day?
select period as month, value as ppi_yoy_pct, known_at, known_at_basis
from raw.observation
where series_id = 'cn_ppi_yoy_pct' and period >= date '2026-01-01'
order by period, known_at
