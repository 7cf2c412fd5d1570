{#- The reading of a value under its rule, one definition for every claim.

    supports      the comparison holds
    contradicts   it does not hold, and the value is at or beyond the contradiction threshold (by default the threshold)
    neutral       in between; or the period is before the one the statement is about; or the value is a lower bound that
                  does not decide yet; or below a range whose contradiction threshold lies above it
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
        when {{ contradiction_threshold }} is null then 'contradicts'
        when {{ comparison }} = 'between' and {{ value }} < {{ contradiction_threshold }} then 'neutral'
        when {{ comparison }} in ('gt', 'gte') and {{ value }} > {{ contradiction_threshold }} then 'neutral'
        when {{ comparison }} in ('lt', 'lte') and {{ value }} < {{ contradiction_threshold }} then 'neutral'
        else 'contradicts'
    end
{%- endmacro %}

{#- The reading of a figure with a range (low and high scenario): the bounds must agree, or it is neutral. Without a range that of the
    value itself; with one bound only, neutral. -#}
{% macro claim_reading_of_range(value, low, high, decimals, is_lower_bound, period, rule) -%}
    {%- set bars = [is_lower_bound, period, rule ~ '.comparison', rule ~ '.threshold', rule ~ '.threshold_high',
        rule ~ '.contradiction_threshold', rule ~ '.due_from'] -%}
    case
        when {{ low }} is null and {{ high }} is null or {{ value }} is null
            then {{ claim_reading('round(' ~ value ~ ', ' ~ decimals ~ ')', *bars) }}
        when
            ({{ claim_reading('round(' ~ low ~ ', ' ~ decimals ~ ')', *bars) }})
            = ({{ claim_reading('round(' ~ high ~ ', ' ~ decimals ~ ')', *bars) }})
            then {{ claim_reading('round(' ~ low ~ ', ' ~ decimals ~ ')', *bars) }}
        else 'neutral'
    end
{%- endmacro %}

{#- The verdict from counts of decisive evidence. `known` has a value, `fresh` one that is not stale; `open` is missing or
    stale. Without any value the verdict is no_data; with stale values only it is undetermined. -#}
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

{#- The evidence of one claim, one row per entry (one per row of `rows` where `newest` is none). `common` holds what the
    entries share. Of an entry:

    indicator     as in claim_rules; {column} in it is filled in
    value         the figure; the column named like the indicator where nothing is said
    mart, key     the mart it is read from, and the key of the row there
    rows          the relation it is read from, where that is not the mart itself
    where, has    which rows are asked: those in which `has` (by default the value) is not null
    newest        of these the last by this column; none takes all rows, whatever they hold
    period, frequency, period_end    the period of the value, which names it; its age counts from the end
    label         the period's name, where that is not the one of its frequency
    low, high         the range of the value over scenarios, where it has one; both bounds must agree to decide
    is_lower_bound    whether the true value may be higher
    words         further facts for the sentence in claim_rules, by name; it knows every column of the row, and `value` -#}
{% macro evidence(claim, entries, common={}) -%}
    {%- set usual = {
        'where': 'true', 'newest': 'month', 'key': 'cast(month as varchar)', 'period': 'month', 'frequency': 'monthly',
        'is_lower_bound': 'false', 'low': 'null', 'high': 'null', 'words': {}
    } -%}
    {%- for entry in entries %}
        {%- set e = dict(usual, **dict(common, **entry)) %}
        {%- set value = e.value or e.indicator %}
        (
            select
                '{{ claim }}' as claim_id,
                '{{ e.indicator | replace("{", "' || ") | replace("}", " || '") }}' as indicator,
                cast({{ value }} as double) as value,
                cast({{ e.low }} as double) as value_low,
                cast({{ e.high }} as double) as value_high,
                {{ e.is_lower_bound }} as is_lower_bound,
                cast({{ e.period }} as date) as period,
                {{ e.label or period_text(e.period, "'" ~ e.frequency ~ "'") }} as period_label,
                cast({{ e.period_end or period_end(e.period, "'" ~ e.frequency ~ "'") }} as date) as period_end,
                cast(known_at as timestamp) as known_at,
                '{{ e.mart }}' as source_table,
                {{ e.key }} as source_key,
                to_json(struct_insert(
                    r,
                    {%- for name, fact in e.words.items() %} {{ name }} := {{ fact }},{% endfor %}
                    value := {{ value }}
                )) as facts
            from {{ e.rows or ref(e.mart) }} as r
            where
                {{ e.where }}
                {%- if e.newest %}
                    and {{ e.has or value }} is not null
            order by {{ e.newest }} desc
            limit 1
                {%- endif %}
        )
        {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A fact as a sentence has it. Forms: none (as it is), :0 :1 :2 (decimals), :abs1 (without its sign), :pct0 (a ratio as per
    cent), :month (Mar 2026), :quarter (2026Q2), :year, :fiscal_year (FY2025, of its last day), and ?over:below (the second where the fact is false or negative). -#}
{% macro fact_text(fact, form) -%}
    case
        when {{ fact }} is null then null
        when {{ form }} = '' then {{ fact }}
        when {{ form }} = ':month' then {{ month_text(fact) }}
        when {{ form }} = ':year' then substr({{ fact }}, 1, 4)
        when {{ form }} = ':quarter' then {{ period_text(fact, "'quarterly'") }}
        when {{ form }} = ':fiscal_year' then 'FY' || substr({{ fact }}, 1, 4)
        when {{ form }} like '?%' and ({{ fact }} = 'false' or try_cast({{ fact }} as double) < 0) then split_part({{ form }}, ':', 2)
        when {{ form }} like '?%' then split_part(substr({{ form }}, 2), ':', 1)
        {%- for decimals in range(3) %}
            when {{ form }} = ':{{ decimals }}' then {{ number_text('cast(' ~ fact ~ ' as double)', decimals) }}
            when {{ form }} = ':abs{{ decimals }}' then {{ number_text('abs(cast(' ~ fact ~ ' as double))', decimals) }}
            when {{ form }} = ':pct{{ decimals }}' then {{ number_text('100 * cast(' ~ fact ~ ' as double)', decimals) }}
        {%- endfor %}
    end
{%- endmacro %}

{#- CTEs that end in `verdicts_given`: one verdict rule for every claim (macro claim_verdict), from decisive evidence alone; supporting
    evidence is shown and not counted. One row per combination of the columns `by`, with decisive evidence or without. -#}
{% macro verdicts_of(evidence, by) -%}
    {%- set keys = by | join(', ') %}
    by_line as (
        select
            {{ keys }},
            line,
            count(*) as decisive,
            sum(case when reading <> 'missing' then 1 else 0 end) as known,
            sum(case when reading <> 'missing' and not is_stale then 1 else 0 end) as fresh,
            sum(case when reading = 'missing' or is_stale then 1 else 0 end) as open_count,
            sum(case when reading = 'supports' and not is_stale then 1 else 0 end) as supporting,
            sum(case when reading = 'contradicts' and not is_stale then 1 else 0 end) as contradicting,
            sum(case when is_ageing then 1 else 0 end) as ageing,
            min(counts_until) as all_count_until,
            max(case when reading = 'supports' then counts_until end) as supports_until,
            max(case when reading = 'contradicts' then counts_until end) as contradicts_until,
            max(case when not is_stale then known_at end) as known_at
        from {{ evidence }}
        where role = 'decisive'
        group by {{ keys }}, line
    ),

    counted as (
        select
            {{ keys }},
            sum(decisive) as decisive,
            sum(known) as known,
            sum(fresh) as fresh,
            sum(open_count) as open_count,
            sum(supporting) as supporting,
            sum(contradicting) as contradicting,
            sum(ageing) as ageing,
            min(all_count_until) as all_count_until,
            max(supports_until) as supports_until,
            max(contradicts_until) as contradicts_until,
            max(known_at) as known_at
        from by_line
        group by {{ keys }}
    ),

    lines as (
        select
            {{ keys }},
            string_agg(line || ': ' || verdict || ' (' || counts || ')', '; ' order by line) as lines
        from (
            select
                {{ keys }},
                line,
                {{ claim_verdict('known', 'fresh', 'supporting', 'contradicting', 'open_count') }} as verdict,
                -- What lines that are open each may be mixed together: one speaks for the claim, another against it.
                concat_ws(
                    ', ',
                    case when supporting > 0 then cast(supporting as varchar) || ' for' end,
                    case when contradicting > 0 then cast(contradicting as varchar) || ' against' end,
                    case
                        when fresh > supporting + contradicting
                            then cast(fresh - supporting - contradicting as varchar) || ' undecided'
                    end,
                    case when open_count > 0 then cast(open_count as varchar) || ' missing or too old' end
                ) as counts
            from by_line
            where line is not null
        ) as judged
        group by {{ keys }}
    ),

    grouped as (
        select
            {{ keys }},
            case
                when reading = 'missing' and role = 'supporting' then 8
                when is_stale and role = 'supporting' then 7
                when reading = 'missing' then 5
                when is_stale then 4
                when role = 'supporting' then 6
                when reading = 'supports' then 1
                when reading = 'contradicts' then 2
                else 3
            end as position,
            indicator,
            case when reading <> 'missing' and not is_stale and role = 'supporting' then reading || ': ' else '' end
            || finding as finding
        from {{ evidence }}
    ),

    headed as (
        select
            {{ keys }},
            position,
            case position
                when 1 then 'Supports: '
                when 2 then 'Contradicts: '
                when 3 then 'Not decided: '
                when 4 then 'Too old to count: '
                when 5 then 'Missing: '
                when 6 then 'Beside the rule: '
                when 7 then 'Beside the rule, too old: '
                else 'Beside the rule, missing: '
            end || string_agg(finding, '; ' order by indicator) || '.' as sentence
        from grouped
        group by {{ keys }}, position
    ),

    told as (
        select
            {{ keys }},
            string_agg(sentence, ' ' order by position) as because
        from headed
        group by {{ keys }}
    ),

    verdicts_given as (
        select
            {% for key in by %}t.{{ key }},
            {% endfor -%}
            {{ claim_verdict('n.known', 'n.fresh', 'n.supporting', 'n.contradicting', 'n.open_count') }} as verdict,
            l.lines,
            t.because,
            cast(coalesce(n.decisive, 0) as integer) as decisive_indicators,
            cast(coalesce(n.supporting, 0) as integer) as decisive_supporting,
            cast(coalesce(n.contradicting, 0) as integer) as decisive_contradicting,
            cast(coalesce(n.open_count, 0) as integer) as decisive_missing_or_stale,
            cast(coalesce(n.ageing, 0) as integer) as decisive_ageing,
            -- Conflict needs one of each kind; every other verdict needs all the evidence it has.
            case
                when {{ claim_verdict('n.known', 'n.fresh', 'n.supporting', 'n.contradicting', 'n.open_count') }} = 'mixed'
                    then least(n.supports_until, n.contradicts_until)
                else n.all_count_until
            end as decidable_until,
            n.known_at
        from told as t
        left join counted as n on {% for key in by %}t.{{ key }} = n.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
        left join lines as l on {% for key in by %}t.{{ key }} = l.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    )
{%- endmacro %}

{#- First day of the last month, quarter or year that had ended by the end of a day. -#}
{% macro period_ended_by(day, frequency) -%}
    cast(
        case {{ frequency }}
            when 'monthly' then date_trunc('month', {{ day }} + interval 1 day) - interval 1 month
            when 'quarterly' then date_trunc('quarter', {{ day }} + interval 1 day) - interval 3 month
            else date_trunc('year', {{ day }} + interval 1 day) - interval 12 month
        end as date
    )
{%- endmacro %}

{% macro is_too_old(tolerated_days) -%}
    age_days > due_days + {{ tolerated_days }}
{%- endmacro %}

{% macro is_ageing(tolerated_days) -%}
    age_days > due_days and not {{ is_too_old(tolerated_days) }}
{%- endmacro %}

{#- The columns on the age of evidence: a figure counts until `tolerated_days` after a newer one was due. -#}
{% macro evidence_age(tolerated_days) -%}
    cast(age_days as integer) as age_days,
    cast(due_days as integer) as due_days,
    cast(due_days + {{ tolerated_days }} as integer) as max_age_days,
    case when reading <> 'missing' then {{ is_ageing(tolerated_days) }} end as is_ageing,
    case when reading <> 'missing' then {{ is_too_old(tolerated_days) }} end as is_stale,
    case when reading <> 'missing' then cast(period_end + cast(due_days + {{ tolerated_days }} as integer) as date) end as counts_until
{%- endmacro %}

{#- The finding with its age, where a newer figure is due: its sentence alone would tell an old figure as today's. -#}
{% macro aged_finding(finding, tolerated_days) -%}
    {{ finding }} || case
        when reading = 'missing' then ''
        when {{ is_too_old(tolerated_days) }} then ' (' || cast(age_days as varchar) || ' days old)'
        when {{ is_ageing(tolerated_days) }} then ' (ageing, ' || cast(age_days as varchar) || ' days old)'
        else ''
    end
{%- endmacro %}
