"""The OpenAPI document of what this server serves."""
def document() -> dict[str, object]:
    return {}
