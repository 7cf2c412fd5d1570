{#- How a value reads against its rule. One definition for every claim.

    supports      the comparison holds
    contradicts   it does not hold, and the value is at or beyond the contradiction threshold (by default the threshold)
    neutral       in between; or the statement does not speak of so early a period; or the value is only a lower bound
                  that has not yet decided the matter
    missing       there is no value
-#}
{% macro claim_reading(value, is_lower_bound, period, comparison, threshold, threshold_high, contradiction_threshold, due_from) -%}
    case
        when {{ value }} is null then 'missing'
        when {{ is_lower_bound }} then
            case
                when {{ comparison }} in ('gt', 'gte') and {{ value }} > {{ threshold }} then 'supports'
                when {{ comparison }} in ('lt', 'lte') and {{ value }} > {{ threshold }} then 'contradicts'
                when {{ comparison }} = 'between' and {{ value }} > {{ threshold_high }} then 'contradicts'
                else 'neutral'
            end
        when
            ({{ comparison }} = 'gt' and {{ value }} > {{ threshold }})
            or ({{ comparison }} = 'gte' and {{ value }} >= {{ threshold }})
            or ({{ comparison }} = 'lt' and {{ value }} < {{ threshold }})
            or ({{ comparison }} = 'lte' and {{ value }} <= {{ threshold }})
            or ({{ comparison }} = 'between' and {{ value }} >= {{ threshold }} and {{ value }} <= {{ threshold_high }})
            then 'supports'
        when {{ due_from }} is not null and {{ period }} < {{ due_from }} then 'neutral'
        when {{ contradiction_threshold }} is null or {{ comparison }} = 'between' then 'contradicts'
        when {{ comparison }} in ('gt', 'gte') and {{ value }} > {{ contradiction_threshold }} then 'neutral'
        when {{ comparison }} in ('lt', 'lte') and {{ value }} < {{ contradiction_threshold }} then 'neutral'
        else 'contradicts'
    end
{%- endmacro %}

{#- The verdict from counts of decisive evidence. `known` has a value, `fresh` one that is not stale; `open` is missing or
    stale. No value at all is no_data; values too old to count leave the matter undetermined. -#}
{% macro claim_verdict(known, fresh, supporting, contradicting, open) -%}
    case
        when coalesce({{ known }}, 0) = 0 then 'no_data'
        when {{ fresh }} = 0 then 'undetermined'
        when {{ supporting }} > 0 and {{ contradicting }} > 0 then 'mixed'
        when {{ open }} > 0 then 'undetermined'
        when {{ supporting }} = {{ fresh }} then 'supported'
        when {{ contradicting }} = {{ fresh }} then 'contradicted'
        else 'undetermined'
    end
{%- endmacro %}
