-- The newest figures of each kind and the two dozen before them, with the change on the one before and the age.
with {% include '_figures.sql' %},

ranked as (
    select
        *,
        row_number() over (partition by place order by period desc) as recency,
        lead(value) over (partition by place order by period desc) as value_before,
        -- A sum over other companies is no change of spending.
        basis is not distinct from lead(basis) over (partition by place order by period desc) as is_comparable
    from figures
    where value is not null
)

select
    place,
    first_value(figure) over (partition by place order by recency) as figure,
    value,
    unit,
    frequency,
    period,
    case
        when not is_comparable then null
        when change_unit = 'pp' then value - value_before
        else 100 * (value / value_before - 1)
    end as change,
    change_unit,
    date_diff(
        'day',
        case frequency
            when 'monthly' then last_day(period)
            when 'quarterly' then last_day(period + interval 2 month)
            else period
        end,
        (select max(as_of) from raw.build)
    ) as age_days,
    recency
from ranked
where recency <= 25
order by place, recency
