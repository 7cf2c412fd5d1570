-- Duties in force are kept apart from proposals, and refined metal from its products: the duty of 50 % on copper of August 2025 does not
-- touch a cathode, so the barrier on refined copper is nil while a duty on it is proposed.
with standing as (
    select * from {{ ref('int_trade_policy__standing') }}
),

-- One row per event: a duty of general scope counts for a metal only where it covers one of its groups of products.
events as (
    select
        metal_id,
        month,
        status_on,
        event_id,
        standing,
        stands,
        is_of_general_scope,
        rate_pct,
        effective_on,
        known_on,
        coalesce(bool_or(is_general), false) as is_general,
        coalesce(bool_or(is_covered), false) as covers_any,
        bool_or(is_covered) filter (where product_group = 'refined') as covers_refined
    from standing
    group by all
),

duties as (
    select
        *,
        standing = 'duty' and stands and (not is_of_general_scope or covers_any) as counts,
        standing = 'duty' and stands and coalesce(covers_refined, false) as counts_for_refined,
        standing in ('proposal', 'investigation', 'list_proposal') and stands as is_pending,
        -- Neither read as covered nor as exempt, or covered at a rate that was not read.
        standing = 'duty' and stands and is_general and (covers_refined is null or (covers_refined and rate_pct is null)) as is_unread
    from events
),

policy as (
    select
        metal_id,
        month,
        status_on,
        count(*) filter (where counts) as measures_in_force,
        string_agg(event_id, ', ' order by event_id) filter (where counts) as measures_in_force_ids,
        count(*) filter (where standing = 'exclusion' and stands and not is_of_general_scope) as exemptions_in_force,
        max(rate_pct) filter (where counts) as highest_rate_pct,
        max(rate_pct) filter (where counts_for_refined) as refined_rate_any_origin_pct,
        max(rate_pct) filter (where counts_for_refined and is_general) as refined_rate_read_pct,
        count(*) filter (where is_unread) as refined_measures_unread,
        string_agg(event_id, ', ' order by event_id) filter (where is_unread) as refined_measures_unread_ids,
        count(*) filter (where standing = 'proposal' and stands) as proposals_pending,
        count(*) filter (where standing = 'investigation' and stands) as investigations_open,
        string_agg(event_id, ', ' order by event_id) filter (where is_pending) as pending_ids,
        max(rate_pct) filter (where standing = 'proposal' and stands and covers_refined) as refined_rate_proposed_pct,
        min(effective_on) filter (where standing = 'proposal' and stands and covers_refined) as refined_rate_proposed_from,
        max(known_on) as events_known_on
    from duties
    group by metal_id, month, status_on
),

-- The list in force that day, whether or not the metal stands on it.
lists as (
    select
        list_id,
        published_on,
        valid_from,
        max(valid_to) as valid_to
    from {{ ref('critical_minerals_lists') }}
    where {{ known_by_as_of('published_on') }}
    group by list_id, published_on, valid_from
),

listed as (
    select
        p.metal_id,
        p.month,
        l.list_id,
        l.published_on,
        coalesce(bool_or(s.stands), false) as is_critical_mineral
    from policy as p
    left join lists as l
        on
            p.status_on >= l.published_on
            and p.status_on >= l.valid_from
            and coalesce(p.status_on < l.valid_to, true)
    left join standing as s
        on p.metal_id = s.metal_id and p.month = s.month and s.standing = 'listed' and l.list_id = s.event_id
    group by p.metal_id, p.month, l.list_id, l.published_on
),

-- Of each catalogued group of imports: whether a duty on imports from all (or nearly all) origins covers it.
groups as (
    select
        s.metal_id,
        s.month,
        g.product_group,
        coalesce(bool_or(s.is_covered) filter (where s.product_group = g.product_group and s.is_general), false) as is_covered,
        count(*) filter (where s.product_group = g.product_group and s.is_general and s.is_covered is null) as unread
    from standing as s
    inner join {{ ref('import_products') }} as g on s.metal_id = g.metal_id
    where s.standing = 'duty' and s.stands
    group by s.metal_id, s.month, g.product_group
),

imports as (
    select
        i.metal_id,
        i.month,
        {{ exact_sum('i.imports_12m_usd') }} as imports_12m_usd,
        {{ exact_sum('case when coalesce(g.is_covered, false) then i.imports_12m_usd else 0 end') }} as covered_12m_usd,
        count(*) filter (where i.imports_12m_usd is null) as groups_without_value,
        count(*) filter (where not coalesce(g.is_covered, false) and coalesce(g.unread, 0) > 0) as groups_unread,
        count(*) as groups_known,
        max(i.known_at) as known_at
    from {{ ref('int_trade_imports__monthly') }} as i
    left join groups as g on i.metal_id = g.metal_id and i.month = g.month and i.product_group = g.product_group
    group by i.metal_id, i.month
),

expected_groups as (
    select
        metal_id,
        count(*) as groups_expected
    from {{ ref('import_products') }}
    group by metal_id
),

-- A month without a document is a zero only where the search reaches: from a topic's first document to the newest of any.
documents as (
    select
        topic,
        {{ month_of('publication_date') }} as month,
        count(distinct document_number) as documents,
        max(known_at) as known_at
    from {{ ref('stg_federal_register__documents') }}
    group by topic, {{ month_of('publication_date') }}
),

reach as (
    select
        topic,
        min(month) as first_month,
        max(max(month)) over () as last_month
    from documents
    group by topic
),

months as (
    select distinct month
    from policy
    where month <= {{ last_complete_month() }}
),

document_counts as (
    select
        m.month,
        {% for topic in ['tariff_metals', 'section_232', 'section_301', 'critical_minerals'] -%}
            max(case when r.topic = '{{ topic }}' then coalesce(d.documents, 0) end) as {{ topic }},
        {% endfor -%}
        max(d.known_at) as known_at
    from months as m
    inner join reach as r on m.month >= r.first_month and m.month <= r.last_month
    left join documents as d on r.topic = d.topic and m.month = d.month
    group by m.month
),

uncertainty as (
    select
        period as month,
        value,
        {{ expanding_zscore('value', 'period') }} as zscore,
        max(known_at) over (order by period rows between unbounded preceding and current row) as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'trade_policy_uncertainty_index'
)

select
    p.metal_id,
    p.month,
    p.status_on,
    least(c.checked_to, p.status_on) as checked_to,
    p.month <= {{ last_complete_month() }} as is_complete_month,
    cast(p.measures_in_force as integer) as measures_in_force,
    p.measures_in_force_ids,
    cast(p.exemptions_in_force as integer) as exemptions_in_force,
    p.highest_rate_pct,
    coalesce(p.refined_rate_any_origin_pct, 0) >= p.highest_rate_pct as highest_rate_covers_refined,
    coalesce(p.refined_rate_read_pct, 0) as refined_rate_pct,
    coalesce(p.refined_rate_any_origin_pct, 0) as refined_rate_any_origin_pct,
    cast(p.refined_measures_unread as integer) as refined_measures_unread,
    p.refined_measures_unread_ids,
    cast(p.proposals_pending as integer) as proposals_pending,
    cast(p.investigations_open as integer) as investigations_open,
    p.pending_ids,
    p.refined_rate_proposed_pct,
    p.refined_rate_proposed_from,
    case when l.list_id is not null then l.is_critical_mineral end as is_critical_mineral,
    l.list_id as critical_minerals_list_id,
    l.published_on as critical_minerals_list_published_on,
    i.imports_12m_usd,
    case
        when i.groups_known = e.groups_expected and i.groups_without_value = 0 and i.groups_unread = 0
            then 100 * i.covered_12m_usd / nullif(i.imports_12m_usd, 0)
    end as imports_covered_pct,
    case
        when e.groups_expected is null then 'no import series of this metal in the catalogue'
        when i.metal_id is null or i.groups_known < e.groups_expected or i.groups_without_value > 0
            then 'import values of the twelve months are not published'
        when i.groups_unread > 0 then 'whether a measure covers one of the groups was not read'
        when i.imports_12m_usd = 0 then 'no imports'
    end as imports_covered_reason,
    cast(d.tariff_metals as integer) as documents_tariff_metals,
    cast(d.section_232 as integer) as documents_section_232,
    cast(d.section_301 as integer) as documents_section_301,
    cast(d.critical_minerals as integer) as documents_critical_minerals,
    u.value as trade_policy_uncertainty_index,
    u.zscore as trade_policy_uncertainty_zscore_expanding,
    greatest(
        cast(coalesce(p.events_known_on, l.published_on) as timestamp),
        cast(coalesce(l.published_on, p.events_known_on) as timestamp),
        coalesce(i.known_at, timestamp '1900-01-01'),
        coalesce(d.known_at, timestamp '1900-01-01'),
        coalesce(u.known_at, timestamp '1900-01-01')
    ) as known_at
from policy as p
inner join listed as l on p.metal_id = l.metal_id and p.month = l.month
cross join {{ ref('policy_events_checked') }} as c
left join expected_groups as e on p.metal_id = e.metal_id
left join imports as i on p.metal_id = i.metal_id and p.month = i.month
left join document_counts as d on p.month = d.month
left join uncertainty as u on p.month = u.month
