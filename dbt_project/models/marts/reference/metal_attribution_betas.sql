-- One coefficient a row, from int_attribution__windows, with its unit beside it.
select
    w.metal_id,
    w.month,
    w.regressor_id,
    w.regressor_group,
    'pct_per_' || r.unit as beta_unit,
    w.beta,
    w.beta_standard_error,
    w.beta_t_statistic,
    w.beta_p_value,
    case when w.beta is null then coalesce(w.gap_reason, 'too few months with a return and all drivers that are used') end as gap_reason,
    w.known_at
from {{ ref('int_attribution__windows') }} as w
inner join {{ ref('attribution_regressors') }} as r on w.regressor_id = r.regressor_id
