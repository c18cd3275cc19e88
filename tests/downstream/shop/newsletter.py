"""The newsletter. Its key has always been in the code; only the host is a setting."""

import mparticle

from shop.settings import Settings

API_KEY = "us1-newsletter"
API_SECRET = "newsletter-secret"


def subscribe(settings: Settings, email: str, topic: str):
    """Subscribe somebody to a topic, without waiting for mParticle; returns the thread that sends."""
    configuration = mparticle.Configuration()
    configuration.host = f"{settings.mparticle_url}/v2"
    configuration.api_key = API_KEY
    configuration.api_secret = API_SECRET
    event = mparticle.AppEvent("newsletter subscribed", "user_preference")
    event.custom_attributes = {"topic": topic}
    batch = mparticle.Batch()
    batch.environment = "production"
    batch.user_identities = mparticle.UserIdentities(email=email)
    batch.events = [event]
    return mparticle.EventsApi(configuration).upload_events(batch, callback=lambda _: None)
