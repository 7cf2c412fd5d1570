{#- What dbt does for tables that others read while they are made is left out: only the pipeline reads the build file. -#}

{#- In one transaction in place: no table beside it, no renaming, no look at indexes and grants that there are none of. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {{ drop_relation_if_exists(load_cached_relation(this)) }}
    {% call statement('main', language=model['language']) -%}
        {{ create_table_as(False, target, compiled_code, model['language']) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- All of a table's comments at once. A column that is described and does not exist is an error, not passed over. -#}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
    {%- for name, column in column_dict.items() if column['description'] %}
        comment on column {{ relation }}.{{ adapter.quote(name) }} is {{ duckdb_escape_comment(column['description']) }};
    {%- endfor %}
{% endmacro %}
