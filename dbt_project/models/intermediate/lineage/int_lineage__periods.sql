-- What was read, by series (or indicator), month and payload: lineage counts rows in these.
with read as (
    select
        series_id as input_id,
        period,
        payload_id
    from {{ ref('base_observations__as_of') }}

    union all

    select
        indicator_id as input_id,
        period,
        payload_id
    from {{ ref('int_indicators__resolved') }}
)

select
    input_id,
    {{ month_of('period') }} as month,
    payload_id,
    min(period) as first_period,
    max(period) as last_period,
    count(*) as rows
from read
group by input_id, {{ month_of('period') }}, payload_id
