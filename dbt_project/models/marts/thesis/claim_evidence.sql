-- One reading rule for every indicator of every claim; thresholds and their reasons are in the seed claim_rules. A value is compared as
-- it is printed, with its unit's decimals: what is noise below them is no difference from the bar.
with judged as (
    select
        r.claim_id,
        r.indicator,
        r.role,
        e.value,
        r.unit,
        coalesce(e.is_lower_bound, false) as is_lower_bound,
        e.period,
        e.period_label,
        e.known_at,
        r.comparison,
        r.threshold,
        r.threshold_high,
        r.contradiction_threshold,
        {{ dbt.datediff('e.period_end', as_of_date(), 'day') }} as age_days,
        r.max_age_days,
        {{ claim_reading(
            'round(e.value, u.decimals)', 'coalesce(e.is_lower_bound, false)', 'e.period', 'r.comparison', 'r.threshold', 'r.threshold_high',
            'r.contradiction_threshold', 'r.due_from'
        ) }} as reading,
        e.finding,
        r.label,
        r.reason,
        r.reference,
        e.source_table,
        e.source_key
    from {{ ref('claim_rules') }} as r
    inner join {{ ref('claim_units') }} as u on r.unit = u.unit
    left join {{ ref('int_claims__evidence') }} as e
        on r.claim_id = e.claim_id and r.indicator = e.indicator
)

select
    claim_id,
    indicator,
    role,
    value,
    unit,
    is_lower_bound,
    period,
    period_label,
    known_at,
    comparison,
    threshold,
    threshold_high,
    contradiction_threshold,
    reading,
    cast(age_days as integer) as age_days,
    cast(max_age_days as integer) as max_age_days,
    case when reading <> 'missing' then age_days > max_age_days end as is_stale,
    coalesce(case when reading <> 'missing' then finding end, label || ' has no figure') as finding,
    reason,
    reference,
    source_table,
    source_key,
    {{ as_of_date() }} as as_of
from judged
