-- Which past months resemble today most, are they in the 1970s, and what did metals return in the next three years?
select
    month, round(distance, 3) as distance, is_1970s, common_dimensions,
    round(base_metals_real_return_36m_pct, 1) as base_metals_real_return_36m_pct,
    round(gold_real_return_36m_pct, 1) as gold_real_return_36m_pct
from analog_1970s
where is_independent_window
order by distance
