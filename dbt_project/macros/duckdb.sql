{#- What dbt does for tables that others read while they are made is left out: only the pipeline reads the build file. -#}

{#- In place and in one transaction, so that a model that fails leaves the rows it had. A Python model writes over another
connection: its rows are made beside the table and then named after it. Indexes and grants there are none of. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {% if model['language'] == 'python' %}
        {%- set made = make_intermediate_relation(target) -%}
        {{ drop_relation_if_exists(load_cached_relation(made)) }}
        {% call statement('main', language='python') -%}
            {{ create_table_as(False, made, compiled_code, 'python') }}
        {%- endcall %}
        {{ drop_relation_if_exists(existing) }}
        {{ adapter.rename_relation(made, target) }}
    {% else %}
        {% call statement('main') -%}
            {% if existing is not none %}drop {{ existing.type }} if exists {{ existing }} cascade;{% endif %}
            {{ create_table_as(False, target, compiled_code) }}
        {%- endcall %}
    {% endif %}
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
