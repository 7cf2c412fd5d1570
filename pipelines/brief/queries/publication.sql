-- The as-of day of this publication.
select max(as_of) as as_of
from raw.build
