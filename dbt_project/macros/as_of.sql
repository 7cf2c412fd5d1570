{#- The one place where "what was known on D" is decided: D counts to its end, in UTC.
    The pipeline always passes `as_of`; without it (a trial by hand) it is today. -#}

{% macro as_of_date() -%}
    cast('{{ var("as_of", run_started_at.strftime("%Y-%m-%d")) }}' as date)
{%- endmacro %}

{% macro known_by_as_of(known_at) -%}
    {{ known_at }} < {{ as_of_date() }} + interval 1 day
{%- endmacro %}
