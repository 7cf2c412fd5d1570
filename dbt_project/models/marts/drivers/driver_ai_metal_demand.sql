-- From capital expenditure to metal, one link a column:
--   capex x share that is data centres x share that lives long (buildings, power, cooling) / cost of a megawatt = megawatts
--   megawatts x tonnes per megawatt = tonnes a year; over the world's yearly use = the share that moves a market
--   tonnes less those of a year before, over a year's growth of the world's use = the share of what the market has to add
-- The cost of a megawatt is without servers, so it divides only the part of capex that is not servers.
-- The parameters describe the build-out of accelerators, so no quarter before it is estimated with them; nor one that ends
-- more than three years after a figure became known, by when sites are built another way.
{% set first_quarter = "date '2023-01-01'" %}
{% set parameter_limit_months = 36 %}
{% set world_use_limit_years = 3 %}
{% set usable_to = dbt.dateadd('month', parameter_limit_months, 'a.known_on') %}
{% set lapsed = 'the referenced figure has lapsed, ' ~ parameter_limit_months ~ ' months after it became known: ' %}
with metals as (
    select metal_id from (values ('copper'), ('aluminium')) as m (metal_id)
),

scenarios as (
    select scenario from (values ('low'), ('base'), ('high')) as s (scenario)
),

quarters as (
    select
        *,
        {{ period_end('calendar_quarter', "'quarterly'") }} as quarter_end
    from {{ ref('driver_ai_capex_aggregate') }}
    where calendar_quarter >= {{ first_quarter }}
),

world_use as (
    -- The newest year that had ended by the quarter's end.
    select
        q.calendar_quarter,
        u.metal_id,
        u.year,
        u.tonnes,
        u.measure,
        u.source_name,
        u.known_at,
        u.growth_tonnes,
        u.growth_source_name,
        u.growth_known_at
    from quarters as q
    inner join {{ ref('int_world_metal_use') }} as u
        on
            make_date(u.year + 1, 1, 1) <= q.quarter_end + interval 1 day
            and u.year >= extract(year from q.quarter_end) - {{ world_use_limit_years }}
    qualify row_number() over (partition by q.calendar_quarter, u.metal_id order by u.year desc) = 1
),

{% for link, unit in [
    ('data_centre_share', 'pct'), ('long_lived_share', 'pct'), ('usd_per_mw', 'usd_per_mw'), ('tonnes_per_mw', 't_per_mw')
] %}
    {{ link }} as (
        select
            q.calendar_quarter,
            a.scenario,
            a.metal_id,
            case when q.quarter_end < {{ usable_to }} then a.value end as value,
            case when q.quarter_end < {{ usable_to }} then a.publication end as publication,
            case when q.quarter_end < {{ usable_to }} then a.known_on end as known_on,
            case when q.quarter_end < {{ usable_to }} then 'no referenced figure: ' else '{{ lapsed }}' end as missing
        from {{ ref('int_metal_demand__assumptions') }} as a
        cross join quarters as q
        where a.link = '{{ link }}' and a.unit = '{{ unit }}'
    ),
{% endfor %}

chain as (
    select
        q.calendar_quarter,
        m.metal_id,
        s.scenario,
        q.capex_ttm_usd,
        q.capex_ttm_companies,
        q.capex_ttm_members,
        q.capex_ttm_carried,
        q.companies_expected,
        q.capex_ttm_coverage_ratio,
        d.value as data_centre_share_pct,
        l.value as long_lived_share_pct,
        c.value as capex_usd_per_mw,
        q.capex_ttm_usd * (d.value / 100) * (l.value / 100) / c.value as implied_mw,
        t.value as tonnes_per_mw,
        u.tonnes as world_use_tonnes,
        u.year as world_use_year,
        u.measure as world_use_measure,
        u.source_name as world_use_source,
        u.growth_tonnes as world_use_growth_tonnes,
        u.growth_source_name as world_use_growth_source,
        d.publication as data_centre_share_publication,
        l.publication as long_lived_share_publication,
        c.publication as capex_usd_per_mw_publication,
        t.publication as tonnes_per_mw_publication,
        coalesce(d.missing, 'no referenced figure: ') as data_centre_share_missing,
        coalesce(l.missing, 'no referenced figure: ') as long_lived_share_missing,
        coalesce(c.missing, 'no referenced figure: ') as capex_usd_per_mw_missing,
        coalesce(t.missing, 'no referenced figure: ') as tonnes_per_mw_missing,
        greatest(d.known_on, l.known_on, c.known_on, t.known_on) as parameters_known_on,
        {{ latest_of([
            'q.known_at', 'cast(d.known_on as timestamp)', 'cast(l.known_on as timestamp)', 'cast(c.known_on as timestamp)',
            'cast(t.known_on as timestamp)', 'u.known_at', 'u.growth_known_at'
        ]) }} as known_at
    from quarters as q
    cross join metals as m
    cross join scenarios as s
    left join data_centre_share as d on q.calendar_quarter = d.calendar_quarter and s.scenario = d.scenario
    left join long_lived_share as l on q.calendar_quarter = l.calendar_quarter and s.scenario = l.scenario
    left join usd_per_mw as c on q.calendar_quarter = c.calendar_quarter and s.scenario = c.scenario
    left join tonnes_per_mw as t
        on q.calendar_quarter = t.calendar_quarter and s.scenario = t.scenario and m.metal_id = t.metal_id
    left join world_use as u on q.calendar_quarter = u.calendar_quarter and m.metal_id = u.metal_id
),

year_before as (
    select
        *,
        {{ months_earlier('capex_ttm_members', 12, 'calendar_quarter', 'metal_id, scenario') }} as members_year_before,
        {{ months_earlier('implied_mw * tonnes_per_mw', 12, 'calendar_quarter', 'metal_id, scenario') }} as tonnes_year_before
    from chain
),

-- A company more or less in the sum is no growth of what the others buy.
increases as (
    select
        *,
        case when capex_ttm_members = members_year_before then implied_mw * tonnes_per_mw - tonnes_year_before end
            as implied_increase_tonnes
    from year_before
)

select
    calendar_quarter,
    metal_id,
    scenario,
    cast(capex_ttm_usd as double) as capex_ttm_usd,
    cast(capex_ttm_companies as integer) as capex_ttm_companies,
    capex_ttm_members,
    capex_ttm_carried,
    cast(companies_expected as integer) as companies_expected,
    cast(capex_ttm_coverage_ratio as double) as capex_ttm_coverage_ratio,
    cast(data_centre_share_pct as double) as data_centre_share_pct,
    cast(long_lived_share_pct as double) as long_lived_share_pct,
    cast(capex_usd_per_mw as double) as capex_usd_per_mw,
    cast(implied_mw as double) as implied_mw,
    cast(tonnes_per_mw as double) as tonnes_per_mw,
    cast(implied_mw * tonnes_per_mw as double) as implied_tonnes_per_year,
    cast(world_use_tonnes as double) as world_use_tonnes,
    cast(world_use_year as integer) as world_use_year,
    world_use_measure,
    cast(100.0 * implied_mw * tonnes_per_mw / world_use_tonnes as double) as implied_pct_of_world_use,
    cast(implied_increase_tonnes as double) as implied_increase_tonnes,
    cast(world_use_growth_tonnes as double) as world_use_growth_tonnes,
    cast(case when world_use_growth_tonnes > 0 then 100 * implied_increase_tonnes / world_use_growth_tonnes end as double)
        as implied_increase_pct_of_use_growth,
    capex_ttm_companies < companies_expected as is_lower_bound,
    case
        when capex_ttm_usd is null then 'fewer than three in five companies have twelve known months to the quarter'
        when data_centre_share_pct is null then data_centre_share_missing || 'share of capex that is data centres'
        when long_lived_share_pct is null then long_lived_share_missing || 'share of capex that lives long'
        when capex_usd_per_mw is null then capex_usd_per_mw_missing || 'cost of a megawatt'
        when tonnes_per_mw is null then tonnes_per_mw_missing || 'tonnes of ' || metal_id || ' per megawatt'
        when world_use_tonnes is null then 'no figure of world use of a year that had ended'
    end as gap_reason,
    data_centre_share_publication,
    long_lived_share_publication,
    capex_usd_per_mw_publication,
    tonnes_per_mw_publication,
    world_use_source,
    world_use_growth_source,
    parameters_known_on,
    cast(known_at as timestamp) as known_at
from increases
