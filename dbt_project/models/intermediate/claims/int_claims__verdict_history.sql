-- Verdicts of past month ends: those that were computed by running the models for each day, and those on the user's own claims, whose
-- model holds every day. A view, because the former are computed after the models.
{{ config(materialized='view') }}
{% set columns = 'as_of, claim_id, verdict, because, decisive_indicators, decisive_supporting, decisive_contradicting, '
    ~ 'decisive_missing_or_stale, decisive_ageing, decidable_until, known_at' %}
select {{ columns }} from {{ ref('stg_pipeline__claim_verdicts') }}
union all
select {{ columns }} from {{ ref('int_own_claims__verdicts') }}
where as_of = {{ month_end(month_of('as_of')) }}
