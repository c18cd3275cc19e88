"""Refunds, by a job that somebody wrote years ago: host and key are in the code, and the client is made on import."""

import mparticle

_configuration = mparticle.Configuration()
_configuration.api_key = "us1-refunds"
_configuration.api_secret = "refunds-secret"
_api = mparticle.EventsApi(_configuration)


def refund(customer_id: str, order: str, amount: float) -> None:
    """Give money back; the amount in euro."""
    action = mparticle.ProductAction("refund")
    action.transaction_id = order
    action.total_amount = amount
    event = mparticle.CommerceEvent(action)
    event.currency_code = "EUR"
    batch = mparticle.Batch()
    batch.environment = "production"
    batch.user_identities = mparticle.UserIdentities(customerid=customer_id)
    batch.events = [event]
    _api.bulk_upload_events([batch])
