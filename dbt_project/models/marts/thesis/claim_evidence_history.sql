-- A view, as claim_verdict_history.
{{ config(materialized='view') }}
{% set columns = 'as_of, claim_id, indicator, role, value, unit, period, known_at, reading, is_stale, is_ageing, finding' %}
select {{ columns }} from {{ ref('stg_pipeline__claim_evidence') }}
where as_of <= {{ as_of_date() }}
union all
select {{ columns }} from {{ ref('int_own_claims__evidence') }}
where as_of = {{ month_end(month_of('as_of')) }}
