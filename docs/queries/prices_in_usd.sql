-- What is the newest price of each metal in US dollars, of which day or month, from whom, and how many days old?
select
    p.metal_id, p.period, p.frequency, round(p.price_usd, 2) as price_usd, p.unit, s.title as publisher, f.age_days
from metal_prices_usd as p
inner join sources as s using (source_id)
inner join data_freshness as f using (series_id)
qualify row_number() over (partition by p.metal_id order by p.period desc) = 1
order by p.metal_id
