-- What each catalogued tag says of each period, as it stood in each vintage.
with tagged_facts as (
    select
        t.company_id,
        t.concept,
        t.tag,
        t.tag_rank,
        f.period_start,
        f.period_end,
        f.duration_days,
        -- Years between the period's end and the filing: 0 original, 1 first comparative, and so on.
        cast(floor({{ dbt.datediff('f.period_end', 'f.filed', 'day') }} / 365.0) as integer) as vintage,
        f.is_recast,
        f.value_usd,
        f.accession,
        f.form,
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
)

select *
from tagged_facts
-- Within a vintage the latest filing stands: an amendment replaces what it amends.
qualify
    row_number() over (
        partition by company_id, concept, tag, period_start, period_end, vintage, is_recast
        order by filed desc, accession desc, known_at desc, payload_id desc
    ) = 1
