-- What was read, by series, month and payload: lineage counts rows in these.
select
    series_id,
    {{ month_of('period') }} as month,
    payload_id,
    min(period) as first_period,
    max(period) as last_period,
    count(*) as rows
from {{ ref('base_observations__as_of') }}
group by series_id, {{ month_of('period') }}, payload_id
