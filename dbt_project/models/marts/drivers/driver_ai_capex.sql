with hyperscalers as (
    select
        company_id,
        filing_lag_days
    from {{ ref('stg_catalog__companies') }}
    where role = 'hyperscaler'
),

quarters_of_concept as (
    select d.*
    from {{ ref('int_filing_quarters__discrete') }} as d
    inner join hyperscalers as h on d.company_id = h.company_id
),

known_capex as (
    select * from quarters_of_concept
    where concept = 'capex'
),

capex_gaps as (
    select g.*
    from {{ ref('int_filing_quarters__gaps') }} as g
    inner join hyperscalers as h on g.company_id = h.company_id
    where g.concept = 'capex'
),

last_settled as (
    -- The newest quarter with any figure in the filings: later quarters are pending, not missing.
    select
        company_id,
        max(quarter_index) as quarter_index
    from (
        select
            company_id,
            quarter_index
        from known_capex
        union all
        select
            company_id,
            quarter_index
        from capex_gaps
    ) as settled
    group by company_id
),

pending_quarters as (
    select
        q.company_id,
        q.fiscal_year,
        q.fiscal_quarter,
        q.quarter_index,
        q.quarter_start,
        q.quarter_end,
        q.calendar_quarter,
        case
            when {{ dbt.datediff('q.quarter_end', as_of_date(), 'day') }} > h.filing_lag_days
                then 'overdue: no filing with the quarter is known past the usual time'
            else 'pending: the quarter has ended and no filing with it is known yet'
        end as gap_reason
    from {{ ref('int_filing_calendar__quarters') }} as q
    inner join hyperscalers as h on q.company_id = h.company_id
    inner join last_settled as l on q.company_id = l.company_id and q.quarter_index > l.quarter_index
    where q.quarter_end < {{ as_of_date() }}
),

company_quarters as (
    select
        company_id,
        fiscal_year,
        fiscal_quarter,
        quarter_index,
        period_start as fiscal_quarter_start,
        period_end as fiscal_quarter_end,
        calendar_quarter,
        value_usd as capex_usd,
        method,
        vintage,
        case
            when subtracted_accession is null or subtracted_accession = accession then accession
            else accession || '; ' || subtracted_accession
        end as accession_numbers,
        first_known_at,
        known_at,
        false as is_pending,
        cast(null as string) as gap_reason
    from known_capex
    union all
    select
        company_id,
        fiscal_year,
        fiscal_quarter,
        quarter_index,
        quarter_start,
        quarter_end,
        calendar_quarter,
        null as capex_usd,
        null as method,
        null as vintage,
        null as accession_numbers,
        null as first_known_at,
        null as known_at,
        false as is_pending,
        gap_reason
    from capex_gaps
    union all
    select
        company_id,
        fiscal_year,
        fiscal_quarter,
        quarter_index,
        quarter_start,
        quarter_end,
        calendar_quarter,
        null as capex_usd,
        null as method,
        null as vintage,
        null as accession_numbers,
        null as first_known_at,
        null as known_at,
        true as is_pending,
        gap_reason
    from pending_quarters
),

pairs as (
    -- Growth has both legs of one definition and basis: the newest that has both, as first filed only where none has.
    select
        this_year.company_id,
        this_year.quarter_index,
        this_year.value_usd,
        year_ago.value_usd as year_ago_usd,
        {{ latest_of(['this_year.known_at', 'year_ago.known_at']) }} as known_at
    from {{ ref('int_filing_quarters__by_basis') }} as this_year
    inner join {{ ref('int_filing_quarters__by_basis') }} as year_ago
        on
            this_year.company_id = year_ago.company_id
            and this_year.concept = year_ago.concept
            and this_year.definition_rank = year_ago.definition_rank
            and this_year.is_recast = year_ago.is_recast
            and this_year.basis = year_ago.basis
            and this_year.quarter_index - 4 = year_ago.quarter_index
    where this_year.concept = 'capex'
    qualify
        row_number() over (
            partition by this_year.company_id, this_year.quarter_index
            order by
                this_year.is_recast asc,
                case when this_year.basis >= 0 then 0 else 1 end,
                this_year.report_year desc,
                this_year.definition_rank asc,
                this_year.basis desc
        ) = 1
),

with_history as (
    select
        c.*,
        pair.value_usd as capex_like_for_like_usd,
        pair.year_ago_usd as capex_year_ago_usd,
        trailing_year.value_ttm_usd as capex_ttm_usd,
        trailing_year.method as capex_ttm_method,
        trailing_year.is_as_first_filed as capex_ttm_is_as_first_filed,
        trailing_gap.gap_reason as capex_ttm_gap_reason,
        case when pair.year_ago_usd > 0 then 100.0 * (pair.value_usd / pair.year_ago_usd - 1) end as capex_yoy_pct,
        pair.known_at as year_ago_known_at,
        trailing_year.known_at as trailing_known_at
    from company_quarters as c
    left join pairs as pair
        on c.company_id = pair.company_id and c.quarter_index = pair.quarter_index
    left join {{ ref('int_filing_quarters__trailing_gaps') }} as trailing_gap
        on
            c.company_id = trailing_gap.company_id
            and c.quarter_index = trailing_gap.quarter_index
            and trailing_gap.concept = 'capex'
    left join {{ ref('int_filing_quarters__trailing') }} as trailing_year
        on
            c.company_id = trailing_year.company_id
            and c.quarter_index = trailing_year.quarter_index
            and trailing_year.concept = 'capex'
),

pending_reports as (
    -- Reports that the SEC lists and whose figures it has not served: by the fiscal quarter they are of.
    select
        company_id,
        report_date,
        {{ dbt.listagg('accession', "'; '", 'order by accession') }} as pending_accession_numbers,
        max(known_at) as known_at
    from {{ ref('int_filings__pending') }}
    group by company_id, report_date
)

select
    c.company_id,
    cast(c.fiscal_year as integer) as fiscal_year,
    cast(c.fiscal_quarter as integer) as fiscal_quarter,
    c.fiscal_quarter_start,
    c.fiscal_quarter_end,
    c.calendar_quarter,
    cast(
        12 * (extract(year from c.fiscal_quarter_end) - extract(year from c.calendar_quarter))
        + extract(month from c.fiscal_quarter_end) - extract(month from c.calendar_quarter) - 2 as integer
    ) as month_offset,
    cast(c.capex_usd as double) as capex_usd,
    cast(c.capex_ttm_usd as double) as capex_ttm_usd,
    cast(c.capex_ttm_method as string) as capex_ttm_method,
    c.capex_ttm_is_as_first_filed,
    cast(
        case when c.capex_ttm_usd is null then coalesce(c.capex_ttm_gap_reason, c.gap_reason) end as string
    ) as capex_ttm_gap_reason,
    cast(c.capex_like_for_like_usd as double) as capex_like_for_like_usd,
    cast(c.capex_year_ago_usd as double) as capex_year_ago_usd,
    cast(c.capex_yoy_pct as double) as capex_yoy_pct,
    cast(c.capex_yoy_pct - before.capex_yoy_pct as double) as capex_acceleration_pp,
    cast(cash.value_usd as double) as operating_cash_flow_usd,
    cast(sales.value_usd as double) as revenue_usd,
    cast(
        case when cash.value_usd > 0 then c.capex_usd / cash.value_usd end as double
    ) as capex_to_operating_cash_flow_ratio,
    cast(case when sales.value_usd > 0 then c.capex_usd / sales.value_usd end as double) as capex_to_revenue_ratio,
    cast(c.method as string) as method,
    cast(c.vintage as integer) as vintage,
    cast(c.accession_numbers as string) as accession_numbers,
    cast(c.first_known_at as timestamp) as first_known_at,
    cast(c.known_at as timestamp) as capex_known_at,
    cast(
        {{ latest_of([
            'c.known_at', 'c.year_ago_known_at', 'c.trailing_known_at', 'before.known_at', 'before.year_ago_known_at',
            'cash.known_at', 'sales.known_at', 'listed.known_at'
        ]) }} as timestamp
    ) as known_at,
    c.is_pending,
    cast(listed.pending_accession_numbers as string) as pending_accession_numbers,
    c.gap_reason
from with_history as c
left join with_history as before
    on c.company_id = before.company_id and c.quarter_index - 1 = before.quarter_index
left join quarters_of_concept as cash
    on
        c.company_id = cash.company_id
        and c.quarter_index = cash.quarter_index
        and cash.concept = 'operating_cash_flow'
left join quarters_of_concept as sales
    on
        c.company_id = sales.company_id
        and c.quarter_index = sales.quarter_index
        and sales.concept = 'revenue'
left join pending_reports as listed
    on c.is_pending and c.company_id = listed.company_id and {{ is_near('listed.report_date', 'c.fiscal_quarter_end') }}
