-- One reading rule for every indicator of every claim; thresholds and their reasons are in the seed claim_rules. A value is compared as
-- it is printed, with its unit's decimals: what is noise below them is no difference from the bar.
-- Age: up to `due_days` the publication calendar explains it; from then on a newer figure is due and unread, and this one is ageing:
-- it counts, and the verdict says so, for as long as the statement's horizon tolerates; after that it is stale and does not count.
with judged as (
    select
        r.claim_id,
        r.indicator,
        r.role,
        r.line,
        e.value,
        e.value_low,
        e.value_high,
        r.unit,
        coalesce(e.is_lower_bound, false) as is_lower_bound,
        e.period,
        e.period_label,
        e.known_at,
        r.comparison,
        r.threshold,
        r.threshold_high,
        r.contradiction_threshold,
        e.period_end,
        {{ dbt.datediff('e.period_end', as_of_date(), 'day') }} as age_days,
        coalesce(s.staleness_limit_days, c.due_days) as due_days,
        h.horizon_days,
        {{ claim_reading_of_range(
            'e.value', 'e.value_low', 'e.value_high', 'u.decimals', 'coalesce(e.is_lower_bound, false)', 'e.period', 'r'
        ) }} as reading,
        e.finding,
        r.label,
        r.reason,
        c.reason || '. ' || h.reason as max_age_reason,
        r.reference,
        e.source_table,
        e.source_key
    from {{ ref('claim_rules') }} as r
    inner join {{ ref('claim_units') }} as u on r.unit = u.unit
    left join {{ ref('evidence_calendars') }} as c on r.calendar = c.calendar
    left join {{ ref('stg_catalog__series') }} as s on c.series_id = s.series_id
    left join {{ ref('evidence_horizons') }} as h on r.horizon = h.horizon
    left join {{ ref('int_claims__evidence') }} as e
        on r.claim_id = e.claim_id and r.indicator = e.indicator
)

select
    claim_id,
    indicator,
    role,
    line,
    value,
    value_low,
    value_high,
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
    {{ evidence_age('horizon_days') }},
    {{ aged_finding(
        "coalesce(case when reading <> 'missing' then finding end, label || ' has no figure')", 'horizon_days'
    ) }} as finding,
    reason,
    max_age_reason,
    reference,
    source_table,
    source_key,
    {{ as_of_date() }} as as_of
from judged
union all
select
    claim_id,
    indicator,
    role,
    line,
    value,
    value_low,
    value_high,
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
    age_days,
    due_days,
    max_age_days,
    is_ageing,
    is_stale,
    counts_until,
    finding,
    reason,
    max_age_reason,
    reference,
    source_table,
    source_key,
    as_of
from {{ ref('int_own_claims__evidence') }}
where as_of = {{ as_of_date() }}
