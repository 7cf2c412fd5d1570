-- Every fact under a catalogued tag, and why it may not be used. A fact is compared with the filer's own figures of the
-- concept in other filings, up to two years to either side; where there are none, with what stands beside it in its filing.
{% set years_compared = 2 %}
{% set period_ends_compared = 3 %}
with stated as (
    select
        t.company_id,
        t.concept,
        t.tag,
        t.tag_rank,
        f.cik,
        f.period_start,
        f.period_end,
        f.duration_days,
        f.value_usd,
        f.accession,
        f.form,
        f.is_recast,
        f.filed,
        f.known_at,
        f.payload_id
    from {{ ref('stg_sec_edgar__facts') }} as f
    inner join {{ ref('stg_catalog__company_tags') }} as t
        on
            f.cik = t.cik
            and f.taxonomy = t.taxonomy
            and f.tag = t.tag
            and (t.valid_from is null or f.filed >= t.valid_from)
            and (t.valid_to is null or f.filed <= t.valid_to)
    where f.period_start is not null
),

nine_months as (
    select
        company_id,
        concept,
        period_end,
        max(value_usd) as highest_usd,
        min(value_usd) as lowest_usd
    from stated
    where duration_days between 260 and 290
    group by company_id, concept, period_end
),

closing_quarters as (
    -- Three months to the end of a year, in an annual report, that are above the nine months before them.
    select
        f.company_id,
        f.concept,
        f.tag,
        f.period_start,
        f.period_end,
        f.accession,
        max(case when {{ is_same_amount('f.value_usd', 'y.value_usd') }} then 1 else 0 end) as equals_year
    from stated as f
    inner join nine_months as n
        on
            f.company_id = n.company_id
            and f.concept = n.concept
            and {{ is_near('f.period_start', 'n.period_end') }}
            and (f.value_usd > n.highest_usd and n.lowest_usd > 0 or f.value_usd < n.lowest_usd and n.highest_usd < 0)
    left join stated as y
        on
            f.company_id = y.company_id
            and f.concept = y.concept
            and f.period_end = y.period_end
            and y.duration_days between 350 and 378
    where f.duration_days between 80 and 100 and f.form in ('10-K', '10-K/A', '10-KT', '10-KT/A')
    group by f.company_id, f.concept, f.tag, f.period_start, f.period_end, f.accession
),

years_on_a_quarter as (
    -- Some filers state the year's figure on a three-month context (Oracle's revenue of 2018 to 2022). Taken for the year where
    -- it equals the year as filed elsewhere, and for the other years of a filer that is seen to do so.
    select
        company_id,
        concept,
        tag,
        period_start,
        period_end,
        accession
    from (
        select
            *,
            max(equals_year) over (partition by company_id, concept, tag) as is_practice
        from closing_quarters
    ) as q
    where is_practice = 1
),

tagged as (
    select
        {% for column in [
            'company_id', 'concept', 'tag', 'tag_rank', 'cik', 'period_end', 'value_usd', 'accession', 'form', 'is_recast', 'filed',
            'known_at', 'payload_id'
        ] %}
            f.{{ column }},
        {% endfor %}
        f.period_start as stated_period_start,
        coalesce(c.fiscal_year_start, f.period_start) as period_start,
        coalesce({{ dbt.datediff('c.fiscal_year_start', 'f.period_end', 'day') }} + 1, f.duration_days) as duration_days,
        {{ log_daily(
            'f.value_usd', 'coalesce(' ~ dbt.datediff('c.fiscal_year_start', 'f.period_end', 'day') ~ ' + 1, f.duration_days)'
        ) }} as log_daily_usd
    from stated as f
    left join years_on_a_quarter as y
        on
            f.company_id = y.company_id
            and f.concept = y.concept
            and f.tag = y.tag
            and f.period_start = y.period_start
            and f.period_end = y.period_end
            and f.accession = y.accession
    left join {{ ref('int_filing_calendar__quarters') }} as c
        on y.company_id = c.company_id and c.fiscal_quarter = 4 and {{ is_near('y.period_end', 'c.quarter_end') }}
),

{% set fact = ['company_id', 'concept', 'tag', 'stated_period_start', 'period_end', 'accession'] %}
pairs as (
    select
        {% for column in fact %}
            f.{{ column }},
        {% endfor %}
        o.log_daily_usd,
        -- Figures of the same filing are set apart: where a whole filing is at a wrong scale, its comparatives agree with it.
        case
            when o.accession = f.accession then 'same filing'
            when o.period_end < f.period_end then 'before'
            else 'after'
        end as place,
        abs({{ dbt.datediff('f.period_end', 'o.period_end', 'day') }}) as days_apart
    from tagged as f
    inner join tagged as o
        on
            f.company_id = o.company_id
            and f.concept = o.concept
            and f.period_end <> o.period_end
            and abs({{ dbt.datediff('f.period_end', 'o.period_end', 'day') }}) <= {{ 366 * years_compared }}
    where o.log_daily_usd is not null
),

ranked as (
    select
        *,
        dense_rank() over (partition by {{ fact | join(', ') }}, place order by days_apart) as nearness
    from pairs
),

neighbours as (
    -- Medians over the nearest three period ends, so that one wrong neighbour does not decide.
    select
        {{ fact | join(', ') }},
        {% for place in ['before', 'after', 'same filing'] %}
            median(case when place = '{{ place }}' then log_daily_usd end) as log_{{ place | replace(' ', '_') }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from ranked
    where nearness <= {{ period_ends_compared }} or place = 'same filing'
    group by {{ fact | join(', ') }}
),

balance_sheets as (
    select
        cik,
        accession,
        max(value_usd) as assets_usd
    from {{ ref('stg_sec_edgar__facts') }}
    where period_start is null and tag = 'Assets'
    group by cik, accession
)

select
    f.company_id,
    f.concept,
    f.tag,
    f.tag_rank,
    f.stated_period_start,
    f.period_start,
    f.period_end,
    f.duration_days,
    f.value_usd,
    f.accession,
    f.form,
    f.is_recast,
    f.filed,
    f.known_at,
    f.payload_id,
    exp(n.log_before) as usd_per_day_before,
    exp(n.log_after) as usd_per_day_after,
    case
        when f.value_usd < 0 and {{ is_one_way('f.concept') }} then 'negative, and ' || f.concept || ' cannot be'
        when f.value_usd = 0 and f.concept in ('capex', 'revenue') and coalesce(n.log_before, n.log_after) is not null
            then 'zero between figures that are not'
        when {{ is_off_scale('f.log_daily_usd', 'n.log_before', 'n.log_after', is_one_way('f.concept')) }}
            then 'more than fifty times off the figures before and after it'
        when n.log_before is null and n.log_after is null
            then
                case
                    -- What was bought in a period is still there at its end, but for its depreciation.
                    when f.concept = 'capex' and f.value_usd > b.assets_usd then 'more than all assets in the same filing'
                    when {{ is_off_scale('f.log_daily_usd', 'n.log_same_filing', 'n.log_same_filing', is_one_way('f.concept')) }}
                        then 'more than fifty times off the other periods in the same filing'
                end
    end as refusal
from tagged as f
left join neighbours as n
    on
        f.company_id = n.company_id
        and f.concept = n.concept
        and f.tag = n.tag
        and f.stated_period_start = n.stated_period_start
        and f.period_end = n.period_end
        and f.accession = n.accession
left join balance_sheets as b on f.cik = b.cik and f.accession = b.accession
