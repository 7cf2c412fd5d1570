-- Coal's share of electricity in emerging Asia and its largest countries, by year.
select
    year,
    name,
    coal_share_pct,
    coal_twh,
    coal_share_slope_pp_per_year,
    coal_share_slope_before_pp_per_year,
    phase_out_slows,
    countries_with_slopes,
    countries_slowing
from divergence_coal_transition
where
    subject in ('emerging_asia', 'CN', 'IN', 'ID', 'VN')
    and coal_share_pct is not null
    and year >= 2000
    {{ and_not_own_use('divergence_coal_transition', "subject || '|' || year") }}
order by year desc, subject <> 'emerging_asia', subject
