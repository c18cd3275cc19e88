"""The endpoint tables, a module a family of endpoints: `endpoints(…) -> list[Endpoint]`; `answers.py` has what they share."""
