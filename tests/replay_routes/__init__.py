"""Answers of publishers that the replay cannot serve straight from a recording: one module per publisher.

Each module offers `routes()`: (host, regex of the path, answer), where answer(query, body, clock) gives
(status, content type, bytes, and headers where there are any) for the query parameters, the posted bytes and the day of
asking (None: everything). An answer function with a parameter `path` or `upstream` (tests.recordings.Recordings) is
given it. A return value of None means no response. A complete recording takes precedence.
Imports nothing of the project.
"""
