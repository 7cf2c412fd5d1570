-- The verdicts on the user's own claims at every month end, by the same macros as today's on all claims.
with {{ verdicts_of(ref('int_own_claims__evidence'), ['as_of', 'claim_id']) }}

select * from verdicts_given
