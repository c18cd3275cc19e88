"""The stock. It is handed the session that it sends with, as everything that it needs."""

import requests

from shop.settings import Settings


class Stock:
    """Counts what is there, and tells mParticle when something has run out."""

    def __init__(self, settings: Settings, session: requests.Session) -> None:
        self._url = f"{settings.mparticle_url}/v2/events"
        self._session = session
        self._session.auth = (settings.mparticle_key, settings.mparticle_secret)
        self._pieces: dict[str, int] = {}

    def put(self, sku: str, pieces: int) -> None:
        """Put pieces on the shelf."""
        self._pieces[sku] = self._pieces.get(sku, 0) + pieces

    def take(self, sku: str, customer_id: str) -> bool:
        """Take a piece off the shelf; whether there was one."""
        left = self._pieces.get(sku, 0)
        if not left:
            self._tell(sku, customer_id)
            return False
        self._pieces[sku] = left - 1
        return True

    def _tell(self, sku: str, customer_id: str) -> None:
        event = {"event_name": "out of stock", "custom_event_type": "other", "custom_attributes": {"sku": sku}}
        batch = {
            "environment": "production",
            "user_identities": {"customer_id": customer_id},
            "events": [{"event_type": "custom_event", "data": event}],
        }
        self._session.post(self._url, json=batch, timeout=5).raise_for_status()
