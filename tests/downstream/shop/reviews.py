"""Reviews, in the asynchronous part of the shop: the SDK would block it, so it speaks to the Events API itself."""

import asyncio

import httpx

URL = "https://s2s.eu1.mparticle.com/v2/events"
CREDENTIALS = ("eu1-reviews", "reviews-secret")


async def review(customer_id: str, sku: str, stars: int) -> None:
    """Keep a review, and tell mParticle of it."""
    event = {
        "event_name": "product reviewed",
        "custom_event_type": "user_content",
        "custom_attributes": {"sku": sku, "stars": stars},
    }
    batch = {
        "environment": "production",
        "user_identities": {"customer_id": customer_id},
        "events": [{"event_type": "custom_event", "data": event}],
    }
    async with httpx.AsyncClient(auth=CREDENTIALS) as client:
        for pause in (0.01, 0.1, None):
            response = await client.post(URL, json=batch)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or pause is None:
                break
            await asyncio.sleep(pause)
        response.raise_for_status()
