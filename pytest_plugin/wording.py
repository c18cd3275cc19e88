"""What a test's own values are called in a report, whatever their classes do."""


def safe_repr(value: object) -> str:
    """The repr of a value, or that it has none: a report is not to fail for that."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # of a test's own class
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
