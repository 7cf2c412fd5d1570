-- Trailing twelve months at the end of each fiscal quarter: the sum of four quarters of one definition and basis, or a figure
-- that was filed for the twelve months as such (fiscal years, and the trailing years that some companies tag).
{% set part = ['company_id', 'concept', 'definition_rank', 'is_recast', 'basis'] %}
with quarters as (
    select
        *,
        case
            when subtracted_accession is null or subtracted_accession = accession then accession
            else accession || '; ' || subtracted_accession
        end as accession_numbers
    from {{ ref('int_filing_quarters__by_basis') }}
),

summed as (
    select
        {% for column in part %}
            newest.{{ column }},
        {% endfor %}
        newest.quarter_index,
        min(q.period_start) as period_start,
        newest.period_end,
        sum(q.value_usd) as value_ttm_usd,
        max(q.report_year) as report_year,
        {{ dbt.listagg("q.accession_numbers", "'; '", "order by q.quarter_index") }} as accession_numbers,
        max(q.known_at) as known_at
    from quarters as newest
    inner join quarters as q
        on
            q.quarter_index between newest.quarter_index - 3 and newest.quarter_index
            {% for column in part %}
                and newest.{{ column }} = q.{{ column }}
            {% endfor %}
    group by
        {% for column in part %}
            newest.{{ column }},
        {% endfor %}
        newest.quarter_index, newest.period_end
    having count(*) = 4
),

{% set filed_columns = [
    's.company_id', 's.concept', 's.definition_rank', 's.is_recast', 's.period_start', 's.period_end', 's.value_usd',
    's.report_year', 's.accession', 's.filed', 's.known_at', 'c.quarter_index'
] %}
filed_of_basis as (
    {% for basis in ['basis', 'first_filed_basis'] %}
        select
            {{ filed_columns | join(',\n            ') }},
            {% if basis == 'basis' %}s.basis{% else %}s.first_filed_basis as basis{% endif %}
        from {{ ref('int_filing_periods__selected') }} as s
        inner join {{ ref('int_filing_calendar__quarters') }} as c
            on s.company_id = c.company_id and {{ is_near('s.period_end', 'c.quarter_end') }}
        -- A year of 52 or 53 weeks has 364 or 371 days.
        where s.duration_days between 357 and 378 and s.{{ basis }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

filed as (
    select *
    from filed_of_basis
    qualify
        row_number() over (
            partition by {{ part | join(', ') }}, quarter_index
            order by report_year desc, filed desc, period_start asc, period_end asc
        ) = 1
),

either as (
    select
        {{ part | join(',\n        ') }},
        quarter_index,
        period_start,
        period_end,
        value_ttm_usd,
        'four quarters' as method,
        report_year,
        accession_numbers,
        known_at
    from summed
    union all
    select
        {{ part | join(',\n        ') }},
        quarter_index,
        period_start,
        period_end,
        value_usd as value_ttm_usd,
        'filed twelve months' as method,
        report_year,
        accession as accession_numbers,
        known_at
    from filed
),

of_basis as (
    select
        *,
        max(report_year) over (partition by company_id, concept, definition_rank, is_recast, quarter_index) as newest_report_year
    from either
    qualify
        row_number() over (partition by {{ part | join(', ') }}, quarter_index order by method desc) = 1
),

compared as (
    -- The same twelve months one and two years before, of the same definition and basis.
    select
        n.*,
        before.value_ttm_usd as value_ttm_1y_ago_usd,
        earlier.value_ttm_usd as value_ttm_2y_ago_usd,
        {{ latest_of(['n.known_at', 'before.known_at', 'earlier.known_at']) }} as compared_known_at
    from of_basis as n
    {% for alias, quarters in [('before', 4), ('earlier', 8)] %}
        left join of_basis as {{ alias }}
            on
                n.quarter_index - {{ quarters }} = {{ alias }}.quarter_index
                {% for column in part %}
                    and n.{{ column }} = {{ alias }}.{{ column }}
                {% endfor %}
    {% endfor %}
),

chosen as (
    -- As for quarters: the newest reports, the preferred definition, the basis restated last; as first filed only where no
    -- other basis is whole.
    select *
    from compared
    qualify
        row_number() over (
            partition by company_id, concept, quarter_index
            order by
                is_recast asc,
                case when basis >= 0 then 0 else 1 end,
                newest_report_year desc,
                definition_rank asc,
                basis desc
        ) = 1
)

select
    t.company_id,
    t.concept,
    c.fiscal_year,
    c.fiscal_quarter,
    t.quarter_index,
    t.period_start,
    t.period_end,
    c.calendar_quarter,
    t.value_ttm_usd,
    t.method,
    t.definition_rank,
    t.basis,
    t.basis < 0 as is_as_first_filed,
    t.value_ttm_1y_ago_usd,
    t.value_ttm_2y_ago_usd,
    t.accession_numbers,
    t.known_at,
    t.compared_known_at
from chosen as t
inner join {{ ref('int_filing_calendar__quarters') }} as c on t.company_id = c.company_id and t.quarter_index = c.quarter_index
