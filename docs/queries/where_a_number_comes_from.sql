-- Which payloads and filings are behind Microsoft's capital expenditure in the fourth quarter of fiscal 2026?
select l.input_id, l.first_period, l.last_period, p.publisher, p.url, p.retrieved_at, l.payload_id
from lineage as l
inner join raw.payload as p using (payload_id)
where l.table_name = 'driver_ai_capex' and l.row_key = 'MSFT|2026|4' and l.feeds = 'capex'
order by l.input_id
