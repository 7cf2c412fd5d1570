-- What publishers' answers since the previous build added and revised, in rows; all answers where there was no build before.
with {% include '_builds.sql' %}


select
    s.title,
    count(distinct c.series_id) as series,
    cast(sum(c.rows_added) as bigint) as rows_of_new_periods,
    cast(sum(c.rows_changed) as bigint) as rows_revised,
    cast(sum(c.rows_vanished) as bigint) as rows_vanished,
    max(c.last_period) as last_period,
    arg_max(coalesce(f.frequency, 'daily'), c.last_period) as frequency
from raw.coverage as c
inner join sources as s using (source_id)
left join series as f using (series_id)
where
    (c.rows_added > 0 or c.rows_changed > 0 or c.rows_vanished > 0)
    and c.retrieved_at > coalesce((select started_at from previous), timestamp '1970-01-01')
group by s.title
order by rows_revised desc, s.title
