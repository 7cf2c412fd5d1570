-- How old are the figures of each publisher, and how many of its series are stale?
select
    source_id, count(*) as series, count(last_period) as series_with_figures, min(age_days) as youngest_age_days,
    max(age_days) as oldest_age_days, count(*) filter (where is_stale) as stale_series, any_value(how) as how
from data_freshness
group by source_id
order by series_with_figures desc, source_id
