-- The readings of the user's own claims under their rules, by the same macro as the project's claims; its columns are those of
-- claim_evidence. Age limits: the staleness limit of the series (a month more for monthly means), and the days that the rule tolerates.
with dated as (
    select
        e.*,
        r.role,
        r.comparison,
        r.threshold,
        r.threshold_high,
        r.contradiction_threshold,
        cast(null as date) as due_from,
        r.unit,
        r.decimals,
        r.tolerated_days,
        r.label,
        r.reason,
        r.reference,
        r.series_id,
        -- The mean of a month is followed by the next one only after a month.
        s.staleness_limit_days + case when s.frequency in ('daily', 'weekly') then 31 else 0 end as due_days,
        {{ period_end('e.period', 'e.frequency') }} as period_end
    from {{ ref('int_own_claims__readings') }} as e
    inner join {{ ref('stg_catalog__claim_indicators') }} as r on e.claim_id = r.claim_id and e.indicator = r.indicator
    inner join {{ ref('stg_catalog__series') }} as s on r.series_id = s.series_id
),

judged as (
    select
        *,
        {{ dbt.datediff('period_end', 'as_of', 'day') }} as age_days,
        {{ claim_reading(
            'round(value, decimals)', 'false', 'period', 'comparison', 'threshold', 'threshold_high', 'contradiction_threshold', 'due_from'
        ) }} as reading
    from dated
),

told as (
    select
        *,
        case
            when reading = 'missing' then label || ' has no figure'
            else
                label || ' was '
                || case decimals
                    {%- for decimals in range(5) %}
                        when {{ decimals }} then {{ number_text('value', decimals) }}
                    {%- endfor %}
                    else cast(value as varchar)
                end
                || case unit
                    when 'pct' then ' %'
                    when 'pp' then ' points'
                    when 'zscore' then ''
                    when 'percentile' then ''
                    else ' ' || replace(unit, '_', ' ')
                end
                || ' in ' || {{ period_text('period', 'frequency') }}
        end as sentence
    from judged
)

select
    claim_id,
    indicator,
    role,
    cast(null as varchar) as line,
    value,
    cast(null as double) as value_low,
    cast(null as double) as value_high,
    unit,
    false as is_lower_bound,
    period,
    {{ period_text('period', 'frequency') }} as period_label,
    known_at,
    comparison,
    threshold,
    threshold_high,
    contradiction_threshold,
    reading,
    {{ evidence_age('tolerated_days') }},
    {{ aged_finding('sentence', 'tolerated_days') }} as finding,
    reason,
    'The staleness limit of ' || series_id || ', and the days that the rule tolerates' as max_age_reason,
    reference,
    'data_freshness' as source_table,
    series_id as source_key,
    as_of
from told
