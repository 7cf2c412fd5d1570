-- What the spending takes from the companies, and what it has brought. One definition for a company and for the sector: the
-- sector's ratios are of sums over the companies that have every leg, so a missing company moves neither side; over fewer than three
-- in five of them they are no figures of the sector.
{% set concepts = ['capex', 'operating_cash_flow', 'revenue', 'depreciation', 'operating_income'] %}
with companies as (
    select
        company_id,
        role
    from {{ ref('stg_catalog__companies') }}
    where role in ('hyperscaler', 'ai_cloud')
),

trailing_years as (
    select
        t.company_id,
        c.role,
        t.quarter_index,
        {% for concept in concepts %}
            max(case when t.concept = '{{ concept }}' then t.value_ttm_usd end) as {{ concept }}_ttm_usd,
            -- On the definition and basis of the twelve months themselves: growth over a restatement is none.
            {% for years in [1, 2] %}
                max(case when t.concept = '{{ concept }}' then t.value_ttm_{{ years }}y_ago_usd end)
                    as {{ concept }}_ttm_{{ years }}y_ago_usd,
            {% endfor %}
        {% endfor %}
        string_agg(t.accession_numbers, '; ' order by t.concept) as accession_numbers,
        max(t.compared_known_at) as known_at
    from {{ ref('int_filing_quarters__trailing') }} as t
    inner join companies as c on t.company_id = c.company_id
    where t.concept in ('{{ concepts | join("', '") }}')
    group by t.company_id, c.role, t.quarter_index
),

spans as (
    select
        company_id,
        role,
        min(quarter_index) as first_quarter,
        max(quarter_index) as last_quarter
    from trailing_years
    group by company_id, role
),

-- Every quarter between a company's first and last one is a row, with or without figures.
company_quarters as (
    select
        s.company_id as subject,
        s.role,
        q.calendar_quarter,
        q.fiscal_year,
        q.fiscal_quarter,
        q.quarter_end,
        {% for concept in concepts %}
            now.{{ concept }}_ttm_usd,
            now.{{ concept }}_ttm_1y_ago_usd,
            now.{{ concept }}_ttm_2y_ago_usd,
        {% endfor %}
        capex_gap.gap_reason as capex_gap_reason,
        operating_cash_flow_gap.gap_reason as operating_cash_flow_gap_reason,
        now.accession_numbers,
        now.known_at
    from spans as s
    inner join {{ ref('int_filing_calendar__quarters') }} as q
        on s.company_id = q.company_id and q.quarter_index between s.first_quarter and s.last_quarter
    left join trailing_years as now on s.company_id = now.company_id and q.quarter_index = now.quarter_index
    {% for concept in ['capex', 'operating_cash_flow'] %}
        left join {{ ref('int_filing_quarters__trailing_gaps') }} as {{ concept }}_gap
            on
                s.company_id = {{ concept }}_gap.company_id
                and q.quarter_index = {{ concept }}_gap.quarter_index
                and {{ concept }}_gap.concept = '{{ concept }}'
    {% endfor %}
),

-- The legs of each ratio, from companies that have all of them.
legs as (
    select
        subject,
        role,
        calendar_quarter,
        fiscal_year,
        fiscal_quarter,
        quarter_end,
        {% for concept in concepts %}
            {{ concept }}_ttm_usd,
        {% endfor %}
        capex_ttm_usd is not null and operating_cash_flow_ttm_usd is not null as has_cash,
        capex_ttm_usd is not null and operating_cash_flow_ttm_usd is not null and revenue_ttm_usd is not null as has_margin,
        capex_ttm_2y_ago_usd is not null and operating_cash_flow_ttm_2y_ago_usd is not null and revenue_ttm_2y_ago_usd is not null
            as had_margin,
        depreciation_ttm_usd is not null and revenue_ttm_usd is not null as has_burden,
        depreciation_ttm_usd is not null and depreciation_ttm_1y_ago_usd is not null as has_depreciation_growth,
        revenue_ttm_usd is not null and revenue_ttm_1y_ago_usd is not null as has_revenue_growth,
        revenue_ttm_usd is not null and revenue_ttm_1y_ago_usd is not null and capex_ttm_1y_ago_usd is not null as has_payoff,
        depreciation_ttm_1y_ago_usd,
        revenue_ttm_1y_ago_usd,
        capex_ttm_1y_ago_usd,
        capex_ttm_2y_ago_usd,
        operating_cash_flow_ttm_2y_ago_usd,
        revenue_ttm_2y_ago_usd,
        capex_gap_reason,
        operating_cash_flow_gap_reason,
        accession_numbers,
        known_at
    from company_quarters
),

grouped as (
    {% for subject, role, where in [('subject', 'role', 'true'), ("'hyperscalers'", "'sector'", "role = 'hyperscaler'")] %}
        select
            {{ subject }} as subject,
            {{ role }} as role,
            calendar_quarter,
            {% if loop.first %}
                max(fiscal_year) as fiscal_year,
                max(fiscal_quarter) as fiscal_quarter,
                max(quarter_end) as quarter_end,
                max(capex_gap_reason) as capex_gap_reason,
                max(operating_cash_flow_gap_reason) as operating_cash_flow_gap_reason,
                string_agg(accession_numbers, '; ') as accession_numbers,
                cast(null as varchar) as margin_members,
            {% else %}
                cast(null as integer) as fiscal_year,
                cast(null as integer) as fiscal_quarter,
                {{ period_end('calendar_quarter', "'quarterly'") }} as quarter_end,
                cast(null as varchar) as capex_gap_reason,
                cast(null as varchar) as operating_cash_flow_gap_reason,
                cast(null as varchar) as accession_numbers,
                string_agg(case when has_margin then subject end, ', ' order by subject) as margin_members,
            {% endif %}
            sum(case when has_cash then 1 else 0 end) as companies,
            sum(case when has_margin then 1 else 0 end) as margin_companies,
            sum(case when has_depreciation_growth then 1 else 0 end) as depreciation_growth_companies,
            sum(case when has_revenue_growth then 1 else 0 end) as revenue_growth_companies,
            sum(case when has_margin and had_margin then 1 else 0 end) as margin_change_companies,
            sum(case when has_burden then 1 else 0 end) as depreciation_companies,
            sum(case when has_payoff then 1 else 0 end) as payoff_companies,
            {% for concept in concepts %}
                {% if loop.index <= 2 and role == "'sector'" %}
                    sum(case when has_cash then {{ concept }}_ttm_usd end) as {{ concept }}_ttm_usd,
                {% else %}
                    sum({{ concept }}_ttm_usd) as {{ concept }}_ttm_usd,
                {% endif %}
            {% endfor %}
            sum(case when has_cash then capex_ttm_usd end) as cash_capex_usd,
            sum(case when has_cash then operating_cash_flow_ttm_usd end) as cash_flow_usd,
            sum(case when has_margin then capex_ttm_usd end) as margin_capex_usd,
            sum(case when has_margin then operating_cash_flow_ttm_usd end) as margin_cash_flow_usd,
            sum(case when has_margin then revenue_ttm_usd end) as margin_revenue_usd,
            sum(case when has_margin and had_margin then operating_cash_flow_ttm_usd - capex_ttm_usd end) as both_free_cash_flow_usd,
            sum(case when has_margin and had_margin then revenue_ttm_usd end) as both_revenue_usd,
            sum(case when has_margin and had_margin then operating_cash_flow_ttm_2y_ago_usd - capex_ttm_2y_ago_usd end)
                as both_free_cash_flow_2y_ago_usd,
            sum(case when has_margin and had_margin then revenue_ttm_2y_ago_usd end) as both_revenue_2y_ago_usd,
            sum(case when has_burden then depreciation_ttm_usd end) as burden_depreciation_usd,
            sum(case when has_burden then revenue_ttm_usd end) as burden_revenue_usd,
            sum(case when has_depreciation_growth then depreciation_ttm_usd end) as grown_depreciation_usd,
            sum(case when has_depreciation_growth then depreciation_ttm_1y_ago_usd end) as depreciation_1y_ago_usd,
            sum(case when has_revenue_growth then revenue_ttm_usd end) as grown_revenue_usd,
            sum(case when has_revenue_growth then revenue_ttm_1y_ago_usd end) as revenue_1y_ago_usd,
            sum(case when has_payoff then revenue_ttm_usd - revenue_ttm_1y_ago_usd end) as added_revenue_usd,
            sum(case when has_payoff then capex_ttm_1y_ago_usd end) as lagged_capex_usd,
            max(known_at) as known_at
        from legs
        where {{ where }}
        group by {% if loop.first %}subject, role, {% endif %}calendar_quarter
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

expected as (
    select count(*) as companies_expected
    from companies
    where role = 'hyperscaler'
),

counted as (
    select
        g.*,
        case when g.role = 'sector' then e.companies_expected else 1 end as companies_expected
    from grouped as g
    cross join expected as e
),

{% set ratios = {
    'capex_to_operating_cash_flow_ratio': ('companies', 'g.cash_capex_usd / nullif(greatest(g.cash_flow_usd, 0), 0)'),
    'capex_to_revenue_pct': ('margin_companies', '100.0 * g.margin_capex_usd / nullif(greatest(g.margin_revenue_usd, 0), 0)'),
    'operating_cash_flow_to_revenue_pct': (
        'margin_companies', '100.0 * g.margin_cash_flow_usd / nullif(greatest(g.margin_revenue_usd, 0), 0)'
    ),
    'free_cash_flow_margin_change_2y_pp': (
        'margin_change_companies',
        '100.0 * g.both_free_cash_flow_usd / nullif(greatest(g.both_revenue_usd, 0), 0)'
        ~ ' - 100.0 * g.both_free_cash_flow_2y_ago_usd / nullif(greatest(g.both_revenue_2y_ago_usd, 0), 0)'
    ),
    'depreciation_to_revenue_pct': (
        'depreciation_companies', '100.0 * g.burden_depreciation_usd / nullif(greatest(g.burden_revenue_usd, 0), 0)'
    ),
    'depreciation_yoy_pct': (
        'depreciation_growth_companies', '100.0 * (g.grown_depreciation_usd / nullif(greatest(g.depreciation_1y_ago_usd, 0), 0) - 1)'
    ),
    'revenue_yoy_pct': (
        'revenue_growth_companies', '100.0 * (g.grown_revenue_usd / nullif(greatest(g.revenue_1y_ago_usd, 0), 0) - 1)'
    ),
    'added_revenue_per_lagged_capex_ratio': ('payoff_companies', 'g.added_revenue_usd / nullif(greatest(g.lagged_capex_usd, 0), 0)'),
} %}
measured as (
    select
        g.*,
        {% for ratio, (having_it, formula) in ratios.items() %}
            case when {{ is_of_the_group('g.' ~ having_it, 'g.companies_expected') }} then {{ formula }} end as {{ ratio }},
        {% endfor %}
        p.yoy_pct as productivity_yoy_pct,
        p.growth_2y_annualised_pct as productivity_2y_annualised_pct,
        p.trend_pct as productivity_trend_pct,
        p.gap_pp as productivity_gap_pp,
        {{ latest_of(['g.known_at', 'p.known_at']) }} as row_known_at
    from counted as g
    left join {{ ref('int_productivity__trend') }} as p on g.calendar_quarter = p.quarter
)

select
    subject,
    role,
    calendar_quarter,
    quarter_end,
    cast(fiscal_year as integer) as fiscal_year,
    cast(fiscal_quarter as integer) as fiscal_quarter,
    cast(companies as integer) as companies,
    cast(companies_expected as integer) as companies_expected,
    cast(cast(companies as double) / companies_expected as double) as coverage_ratio,
    {% for concept in concepts %}
        cast({{ concept }}_ttm_usd as double) as {{ concept }}_ttm_usd,
    {% endfor %}
    cast(capex_to_operating_cash_flow_ratio as double) as capex_to_operating_cash_flow_ratio,
    cast(capex_to_revenue_pct as double) as capex_to_revenue_pct,
    cast(operating_cash_flow_to_revenue_pct as double) as operating_cash_flow_to_revenue_pct,
    cast(operating_cash_flow_to_revenue_pct - capex_to_revenue_pct as double) as free_cash_flow_margin_pct,
    cast(free_cash_flow_margin_change_2y_pp as double) as free_cash_flow_margin_change_2y_pp,
    margin_members,
    cast(margin_change_companies as integer) as margin_change_companies,
    cast(depreciation_to_revenue_pct as double) as depreciation_to_revenue_pct,
    cast(depreciation_companies as integer) as depreciation_companies,
    cast(depreciation_yoy_pct as double) as depreciation_yoy_pct,
    cast(revenue_yoy_pct as double) as revenue_yoy_pct,
    cast(added_revenue_per_lagged_capex_ratio as double) as added_revenue_per_lagged_capex_ratio,
    cast(payoff_companies as integer) as payoff_companies,
    cast(productivity_yoy_pct as double) as productivity_yoy_pct,
    cast(productivity_2y_annualised_pct as double) as productivity_2y_annualised_pct,
    cast(productivity_trend_pct as double) as productivity_trend_pct,
    cast(productivity_gap_pp as double) as productivity_gap_pp,
    case
        when capex_to_operating_cash_flow_ratio is not null then null
        when role = 'sector' and not {{ is_of_the_group('companies', 'companies_expected') }}
            then
                'only ' || cast(companies as varchar) || ' of ' || cast(companies_expected as varchar)
                || ' companies have twelve known months of both capex and operating cash flow'
        when capex_ttm_usd is null and operating_cash_flow_ttm_usd is null
            then 'twelve months are not known of capex and of operating cash flow'
        when capex_ttm_usd is null then 'twelve months are not known of capex' || coalesce(': ' || capex_gap_reason, '')
        when operating_cash_flow_ttm_usd is null
            then 'twelve months are not known of operating cash flow' || coalesce(': ' || operating_cash_flow_gap_reason, '')
        else 'operating cash flow is not positive'
    end as gap_reason,
    accession_numbers,
    cast(row_known_at as timestamp) as known_at
from measured
