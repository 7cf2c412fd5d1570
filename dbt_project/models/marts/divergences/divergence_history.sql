-- One state machine for every divergence; a new one is one more line here, its model, and its row in divergence_definitions.
--   opening   open, this or one of the two periods before was the first after a closed one, and the gap has widened ever since
--   closing   open while the gap has narrowed in this period and the one before; or the first closed period after an open one
--   open      open otherwise, also where the record begins with it
--   closed    otherwise
-- Wider is the way in which the gap means something, which each divergence states as its direction: up (1) where only a larger
-- gap is the strain, even while the gap is negative; away from where it opens (the sign of what opens it) where either side counts.
-- It is the gap itself that moves and not its z-score, whose mean and deviation move too. A gap that jumps from open on one side
-- to open on the other opens anew. Where the members of a group change, the step is theirs: it is marked, neither wider nor narrower.
-- Periods without a verdict on open or closed are left out; the next one is compared with the last that has it.
{% set divergences = [
    'money_ppi', 'price_driver', 'capacity_clearance', 'capex_payoff', 'coal_transition', 'trade_tightness'
] %}
with every_period as (
    {% for divergence in divergences %}
        select
            divergence_id,
            subject,
            cast(period as date) as period,
            period_label,
            cast(period_end as date) as period_end,
            left_label,
            cast(left_value as double) as left_value,
            right_label,
            cast(right_value as double) as right_value,
            cast(gap as double) as gap,
            cast(gap_zscore as double) as gap_zscore,
            cast(direction as integer) as direction,
            members,
            is_open,
            cast(known_at as timestamp) as known_at,
            source_table,
            source_key
        from {{ ref('int_divergence_' ~ divergence ~ '__states') }}
        where is_open is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

beside_previous as (
    select
        *,
        lag(is_open) over (partition by divergence_id, subject order by period) as previous_is_open,
        lag(direction) over (partition by divergence_id, subject order by period) as previous_direction,
        lag(gap) over (partition by divergence_id, subject order by period) as previous_gap,
        -- Of the first period of a group nothing is compared.
        coalesce(
            members is distinct from lag(members) over (partition by divergence_id, subject order by period)
            and row_number() over (partition by divergence_id, subject order by period) > 1,
            false
        ) as members_changed,
        lag(period_end) over (partition by divergence_id, subject order by period) as previous_period_end
    from every_period
),

moved as (
    select
        *,
        case when members_changed then 0 else sign(direction * (gap - previous_gap)) end as move,
        previous_is_open and (not is_open or direction = previous_direction) as was_open,
        -- The first day that no earlier period covers: periods may overlap (twelve months, given each quarter).
        greatest(period, cast(coalesce(previous_period_end + interval 1 day, period) as date)) as first_day
    from beside_previous
),

runs as (
    select
        *,
        lag(move) over (partition by divergence_id, subject order by period) as previous_move,
        sum(case when was_open is not distinct from is_open then 0 else 1 end) over (
            partition by divergence_id, subject order by period rows between unbounded preceding and current row
        ) as run
    from moved
),

within_runs as (
    select
        *,
        row_number() over (partition by divergence_id, subject, run order by period) as run_length,
        first_value(was_open is not null) over (
            partition by divergence_id, subject, run order by period rows between unbounded preceding and current row
        ) as opening_was_seen,
        min(case when was_open then move else 1 end) over (
            partition by divergence_id, subject, run order by period rows between unbounded preceding and current row
        ) as least_move
    from runs
),

stated as (
    select
        *,
        case
            when not is_open and was_open then 'closing'
            when not is_open then 'closed'
            when was_open and move < 0 and previous_move < 0 then 'closing'
            when opening_was_seen and run_length <= 3 and least_move > 0 then 'opening'
            else 'open'
        end as state
    from within_runs
),

changes as (
    select
        *,
        sum(case when state = previous_state then 0 else 1 end) over (
            partition by divergence_id, subject order by period rows between unbounded preceding and current row
        ) as state_run
    from (
        select
            *,
            lag(state) over (partition by divergence_id, subject order by period) as previous_state
        from stated
    ) as beside
)

select
    divergence_id,
    subject,
    period,
    period_label,
    period_end,
    state,
    min(first_day) over (partition by divergence_id, subject, state_run) as state_since,
    is_open,
    left_label,
    left_value,
    right_label,
    right_value,
    gap,
    gap_zscore,
    direction,
    members,
    members_changed,
    source_table,
    source_key,
    -- The state looks back on the periods before, so it is known when the last of their figures is.
    max(known_at) over (
        partition by divergence_id, subject order by period rows between unbounded preceding and current row
    ) as known_at
from changes
