-- Monthly changes of the drivers: the right-hand side of the attribution. The seed attribution_regressors says what each driver is,
-- when its change enters and why. A month without a change has no row: nothing is filled in.
with regressors as (
    select * from {{ ref('attribution_regressors') }}
),

monthly as (
    {% for column in ['real_10y_yield_pct', 'breakeven_10y_pct', 'broad_dollar_index'] %}
        select
            'driver_monetary' as source_table,
            '{{ column }}' as source_column,
            month,
            {{ column }} as value,
            '' as definition,
            known_at
        from {{ ref('driver_monetary') }}
        union all
    {% endfor %}
    select
        'driver_china_cycle' as source_table,
        'm1_m2_gap_pp' as source_column,
        month,
        m1_m2_gap_pp as value,
        m1_definition as definition,
        known_at
    from {{ ref('driver_china_cycle') }}
    union all
    select
        'driver_china_cycle' as source_table,
        'exports_yoy_3m_mean_pct' as source_column,
        month,
        exports_yoy_3m_mean_pct as value,
        '' as definition,
        known_at
    from {{ ref('driver_china_cycle') }}
    {% for column in ['tpu_index', 'gpr_index'] %}
        union all
        select
            'driver_geopolitics' as source_table,
            '{{ column }}' as source_column,
            month,
            {{ column }} as value,
            '' as definition,
            known_at
        from {{ ref('driver_geopolitics') }}
    {% endfor %}
),

monthly_changes as (
    select
        r.regressor_id,
        cast({{ dbt.dateadd('month', 'r.lag_months', 'm.month') }} as date) as month,
        case r.change
            when 'log'
                then
                    100 * (
                        ln(nullif(m.value, 0))
                        - ln(nullif({{ months_earlier('m.value', 1, 'm.month', 'r.regressor_id, m.definition') }}, 0))
                    )
            else m.value - {{ months_earlier('m.value', 1, 'm.month', 'r.regressor_id, m.definition') }}
        end as change,
        m.month as value_period,
        max(m.known_at) over (
            partition by r.regressor_id order by m.month rows between unbounded preceding and current row
        ) as known_at
    from monthly as m
    inner join regressors as r on m.source_table = r.source_table and m.source_column = r.source_column
),

quarters as (
    select
        calendar_quarter,
        like_for_like_yoy_pct as value,
        known_at
    from {{ ref('driver_ai_capex_aggregate') }}
),

quarterly_changes as (
    select
        calendar_quarter,
        value - {{ months_earlier('value', 3, 'calendar_quarter') }} as change,
        max(known_at) over (order by calendar_quarter rows between unbounded preceding and current row) as known_at
    from quarters
),

-- The quarter's last month is its third, so the report enters `lag_months` after that; the next two months bring no report.
quarterly_news as (
    select
        r.regressor_id,
        cast({{ dbt.dateadd('month', '2 + r.lag_months + w.wait_months', 'q.calendar_quarter') }} as date) as month,
        case when w.wait_months = 0 then q.change else 0 end as change,
        q.calendar_quarter as value_period,
        q.known_at
    from quarterly_changes as q
    inner join regressors as r on r.source_table = 'driver_ai_capex_aggregate'
    cross join (values (0), (1), (2)) as w (wait_months)
    where q.change is not null
),

together as (
    select * from monthly_changes
    union all
    select * from quarterly_news
)

select
    t.regressor_id,
    r.regressor_group,
    t.month,
    t.change,
    r.unit,
    t.value_period,
    t.known_at
from together as t
inner join regressors as r on t.regressor_id = r.regressor_id
where t.change is not null and t.month <= {{ last_complete_month() }}
