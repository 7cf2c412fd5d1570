-- Which figures arrived or were revised on the warehouse's day and the six before it, and what stood there before?
with vintages as (
    select
        o.series_id, o.period, o.value, greatest(o.known_at, p.retrieved_at) as arrived_at, o.known_at, o.known_at_basis,
        lag(o.value) over w as value_before, lag(o.known_at) over w as known_at_before
    from raw.observation as o
    inner join raw.payload as p using (payload_id)
    window w as (partition by o.series_id, o.period order by o.known_at)
)

select
    v.series_id, v.period, v.value_before, v.value, s.unit,
    case
        when v.known_at_before is null then 'new'
        when v.value is null then 'withdrawn'
        when v.known_at_basis = 'refined' then 'more digits'
        else 'revised'
    end as what, v.arrived_at
from vintages as v
inner join series as s using (series_id)
cross join (select max(as_of) as as_of from raw.build where succeeded) as b
where v.arrived_at::date between b.as_of - 6 and b.as_of
order by what = 'new', v.arrived_at desc, v.series_id, v.period desc
