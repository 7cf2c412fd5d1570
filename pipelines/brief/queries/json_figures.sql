-- The newest headline figure of each kind, when it became known, and where the warehouse has it.
with {% include '_figures.sql' %}


select figure, value, unit, frequency, period, known_at, table_name, column_name
from figures
where value is not null
qualify row_number() over (partition by place order by period desc) = 1
order by place
