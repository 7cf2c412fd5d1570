{#- dbt's steps for tables that are read while they are built are left out: only the pipeline reads the build file. -#}

{#- In place and in one transaction, so that a model that fails leaves the rows it had. A Python model writes over another
connection: its rows go to a second table first. There are no indexes and no grants. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set aside = make_intermediate_relation(target) -%}
    {{ run_hooks(pre_hooks) }}
    {{ drop_relation_if_exists(load_cached_relation(aside)) }}
    {% if model['language'] == 'python' %}
        {% call statement('main', language='python') -%}
            {{ create_table_as(False, aside, compiled_code, 'python') }}
        {%- endcall %}
    {% endif %}
    {% do adapter.ensure_transaction() %}
    {{ drop_relation_if_exists(existing) }}
    {% if model['language'] == 'python' %}
        {{ adapter.rename_relation(aside, target) }}
    {% else %}
        {% call statement('main') -%}
            {{ create_table_as(False, target, compiled_code) }}
        {%- endcall %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- All comments in one statement and without a query for the columns: a described column that does not exist is an error. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {%- set comments -%}
        {%- if for_relation and config.persist_relation_docs() and model.description -%}
            {{ alter_relation_comment(relation, model.description) }}
        {%- endif -%}
        {%- if for_columns and config.persist_column_docs() -%}
            {%- for name, column in model.columns.items() if column['description'] %}
                comment on column {{ relation }}.{{ adapter.quote(name) }} is {{ duckdb_escape_comment(column['description']) }};
            {%- endfor -%}
        {%- endif -%}
    {%- endset -%}
    {% if comments | trim %}{% do run_query(comments) %}{% endif %}
{% endmacro %}
