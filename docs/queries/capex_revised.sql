-- Which quarters of which company's capital expenditure were revised, from what to what, when, and by which filing?
select
    company_id, fiscal_year, fiscal_quarter, vintage_number, round(capex_before_usd / 1e6) as capex_before_usd_mn,
    round(capex_usd / 1e6) as capex_usd_mn, round(revision_pct, 2) as revision_pct, known_at, accession_numbers
from capex_vintages
where is_revised
order by known_at desc, company_id, fiscal_year desc, fiscal_quarter desc
