{#- Prices over time: real prices and realised volatility. -#}

{#- Where the history of volatility begins, for every use. Before 1990 it holds years of administered prices: gold had its official
    price until 1968, base metals producers' prices for years at a time (the London Metal Exchange's contracts in aluminium
    and nickel are of 1978 and 1979), and a price that may not move has no volatility to compare with. -#}
{% macro volatility_history_from() -%} date '1990-01-01' {%- endmacro %}

{#- A price in dollars of 1982 to 1984, the base of the US consumer price index (CPI-U, all items, 1982-84 = 100). -#}
{% macro in_constant_dollars(price, cpi_index) -%}
    100 * {{ price }} / {{ cpi_index }}
{%- endmacro %}

{#- Sample standard deviation of the last `days` returns of a daily quotation as per cent a year: times the square root of 252
    sessions, the usual count of a year. Null unless all of them have a figure. -#}
{% macro realised_volatility_of_days(log_return, days, order_by, partition_by) -%}
    {%- set window -%}
        (partition by {{ partition_by }} order by {{ order_by }} rows between {{ days - 1 }} preceding and current row)
    {%- endset -%}
    case
        when count({{ log_return }}) over {{ window }} = {{ days }}
            then 100 * sqrt(252) * stddev_samp({{ log_return }}) over {{ window }}
    end
{%- endmacro %}
