{#- A row has a figure or says why not, and never both. -#}
{% test figure_or_reason(model, figure, reason) %}
select {{ figure }} as figure, {{ reason }} as reason, * from {{ model }}
where ({{ figure }} is null) = ({{ reason }} is null)
{% endtest %}
