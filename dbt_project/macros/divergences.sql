{#- When a gap counts as open. It opens at 1.5 standard deviations (of a normal variable one month in seven lies so far out)
    and closes below half of that, or when it changes sign: a gap that hovers about one line would open and close each month.
    Two steps, since a window cannot stand in a window: the event of each row, then the last event carried on. -#}
{% macro opens_at() -%} 1.5 {%- endmacro %}
{% macro closes_below() -%} 0.75 {%- endmacro %}

{#- 1 or -1: opens on that side; 0: closes; null: nothing happens. Rows without a z-score must be left out beforehand. -#}
{% macro gap_event(zscore, order_by, partition_by=none) -%}
    {%- set previous -%}
        lag({{ zscore }}) over ({% if partition_by %}partition by {{ partition_by }} {% endif %}order by {{ order_by }})
    {%- endset -%}
    case
        when {{ zscore }} >= {{ opens_at() }} then 1
        when {{ zscore }} <= -{{ opens_at() }} then -1
        when abs({{ zscore }}) < {{ closes_below() }} then 0
        when {{ zscore }} * {{ previous }} < 0 then 0
    end
{%- endmacro %}

{% macro is_open_after(event, order_by, partition_by=none) -%}
    coalesce(
        last_value({{ event }} ignore nulls) over (
            {%- if partition_by %}partition by {{ partition_by }} {% endif -%}
            order by {{ order_by }} rows between unbounded preceding and current row
        ),
        0
    ) <> 0
{%- endmacro %}
