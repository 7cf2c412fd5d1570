-- Two reports count the same futures by other groups of traders: non-commercials (legacy report) and managed money
-- (disaggregated report). They are separate columns and never joined into one series.
-- A week without a report keeps its row, with the reason; nothing is carried over from the week before.
{% set min_weeks = 52 %}
{% set groups = {'noncommercial': 'cftc_legacy', 'managed_money': 'cftc'} %}
with reports as (
    select
        source_id,
        metal_id,
        {{ tuesday_of('as_of_date') }} as report_date,
        as_of_date,
        net_contracts,
        open_interest_contracts,
        net_pct_of_open_interest,
        known_at
    from {{ ref('int_positions__net') }}
    qualify row_number() over (partition by source_id, metal_id, {{ tuesday_of('as_of_date') }} order by as_of_date desc) = 1
),

weeks as (
    select
        metal_id,
        report_date
    from reports
    union
    select
        metal_id,
        expected_as_of_date as report_date
    from {{ ref('int_positions__gaps') }}
),

joined as (
    select
        w.metal_id,
        w.report_date,
        {% for group, source in groups.items() -%}
            {{ group }}.as_of_date as {{ group }}_as_of_date,
            {{ group }}.net_contracts as net_{{ group }}_contracts,
            {{ group }}.net_pct_of_open_interest as net_{{ group }}_pct_open_interest,
            case
                when {{ group }}.net_pct_of_open_interest is not null then null
                when {{ group }}.source_id is not null then 'the report lacks a figure'
                when {{ group }}_gap.source_id is not null then 'no report captured for this week'
                else 'outside the span of known reports'
            end as {{ group }}_gap_reason,
        {% endfor -%}
        coalesce(managed_money.open_interest_contracts, noncommercial.open_interest_contracts) as open_interest_contracts,
        greatest(
            coalesce(noncommercial.known_at, managed_money.known_at), coalesce(managed_money.known_at, noncommercial.known_at)
        ) as week_known_at
    from weeks as w
    {% for group, source in groups.items() -%}
        left join reports as {{ group }}
            on
                w.metal_id = {{ group }}.metal_id
                and w.report_date = {{ group }}.report_date
                and {{ group }}.source_id = '{{ source }}'
        left join {{ ref('int_positions__gaps') }} as {{ group }}_gap
            on
                w.metal_id = {{ group }}_gap.metal_id
                and w.report_date = {{ group }}_gap.expected_as_of_date
                and {{ group }}_gap.source_id = '{{ source }}'
    {% endfor %}
),

-- The place of each week's net position in the metal's own history up to it.
{% for group in groups %}
    {{ group }}_places as (
        select
            now.metal_id,
            now.report_date,
            case
                when count(*) >= {{ min_weeks }}
                    then
                        100.0 * sum(
                            case
                                when before.net_{{ group }}_pct_open_interest <= now.net_{{ group }}_pct_open_interest then 1 else 0
                            end
                        ) / count(*)
            end as percentile
        from joined as now
        inner join joined as before on now.metal_id = before.metal_id and now.report_date >= before.report_date
        where now.net_{{ group }}_pct_open_interest is not null and before.net_{{ group }}_pct_open_interest is not null
        group by now.metal_id, now.report_date
    ){{ ',' if not loop.last }}
{% endfor %}

select
    j.metal_id,
    j.report_date,
    {% for group in groups -%}
        {{ group }}_as_of_date,
        net_{{ group }}_contracts,
        net_{{ group }}_pct_open_interest,
        net_{{ group }}_contracts - {{ one_week_earlier('net_' ~ group ~ '_contracts', 'j.report_date', 'j.metal_id') }}
            as net_{{ group }}_change_1w_contracts,
        {{ expanding_zscore('net_' ~ group ~ '_pct_open_interest', 'j.report_date', 'j.metal_id', min_weeks) }}
            as net_{{ group }}_zscore_expanding,
        {{ group }}_places.percentile as net_{{ group }}_percentile_expanding,
        {{ group }}_gap_reason,
    {% endfor -%}
    j.open_interest_contracts,
    case
        when j.week_known_at is not null
            then
                max(j.week_known_at) over (
                    partition by j.metal_id order by j.report_date rows between unbounded preceding and current row
                )
    end as known_at
from joined as j
{% for group in groups -%}
    left join {{ group }}_places on j.metal_id = {{ group }}_places.metal_id and j.report_date = {{ group }}_places.report_date
{% endfor %}
