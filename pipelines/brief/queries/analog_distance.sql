-- Distance of the newest macro state to each past month, in standard deviations; the nearest twentieth is marked.
select
    month,
    distance,
    case when is_nearest then distance end as nearest_distance,
    is_1970s
from analog_1970s
where true {{ and_not_own_use('analog_1970s', "month") }}
order by month desc
