-- What importing a metal into China earns: Shanghai before value added tax less the world price. Licensed for personal use.
select
    m.name as metal,
    i.trading_day,
    i.shanghai_price_before_vat_usd_per_tonne,
    i.world_price_usd_per_tonne,
    i.import_margin_usd_per_tonne,
    i.import_margin_pct as margin_return_pct
from import_margin as i
inner join metals as m using (metal_id)
where
    i.import_margin_usd_per_tonne is not null
    {{ and_not_own_use('import_margin', "i.metal_id || '|' || i.trading_day") }}
qualify i.trading_day = max(i.trading_day) over (partition by i.metal_id)
order by m.name
