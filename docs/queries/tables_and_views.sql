-- Which tables and views are there for use, how many columns has each, and what is one row of it?
select t.table_name, lower(t.table_type) as kind, count(*) as columns, any_value(coalesce(d.comment, v.comment)) as description
from information_schema.tables as t
inner join information_schema.columns as c using (table_schema, table_name)
left join duckdb_tables() as d on t.table_schema = d.schema_name and t.table_name = d.table_name
left join duckdb_views() as v on t.table_schema = v.schema_name and t.table_name = v.view_name
where t.table_schema = 'main'
group by all
order by t.table_name
