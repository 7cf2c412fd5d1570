-- The newest state of each divergence and subject; every earlier one is in divergence_history.
with newest as (
    select * from {{ ref('divergence_history') }}
    qualify row_number() over (partition by divergence_id, subject order by period desc) = 1
),

aged as (
    select
        n.*,
        d.title,
        d.claim_id,
        d.max_age_days,
        {{ dbt.datediff('n.period_end', as_of_date(), 'day') }} as age_days,
        {{ dbt.datediff('n.state_since', as_of_date(), 'day') }} as days_in_state
    from newest as n
    inner join {{ ref('divergence_definitions') }} as d on n.divergence_id = d.divergence_id
)

select
    {{ as_of_date() }} as as_of,
    divergence_id,
    subject,
    title,
    state,
    cast(days_in_state as integer) as days_in_state,
    state_since,
    period,
    period_label,
    period_end,
    left_label,
    left_value,
    right_label,
    right_value,
    gap,
    gap_zscore,
    direction,
    members,
    members_changed,
    cast(age_days as integer) as age_days,
    cast(max_age_days as integer) as max_age_days,
    age_days > max_age_days as is_stale,
    claim_id,
    source_table,
    source_key,
    known_at
from aged
