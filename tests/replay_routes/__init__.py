"""Answers of publishers that the replay cannot serve straight from a recording: one module per publisher.

Each module offers `routes()`: (host, regex of the path, answer), where answer(query, body, clock) gives
(status, content type, bytes, and headers where there are any) for the query parameters, the posted bytes and the day of
asking (None: everything). An answer that names `path` or `upstream` (tests.recordings.Recordings) is given them.
None as an answer: this module has none. A whole recording goes before all of them.
Nothing of the project is imported.
"""
