"""Orders. Host, key and secret are settings."""

import uuid
from dataclasses import dataclass

import mparticle
from mparticle.rest import ApiException

from shop.settings import Settings


@dataclass(frozen=True)
class Item:
    """A line of an order; the price is that of one piece, in euro."""

    sku: str
    name: str
    price: float
    quantity: int = 1


class Checkout:
    """Takes orders, and tells mParticle of each."""

    def __init__(self, settings: Settings) -> None:
        configuration = mparticle.Configuration()
        configuration.host = f"{settings.mparticle_url}/v2"
        configuration.api_key = settings.mparticle_key
        configuration.api_secret = settings.mparticle_secret
        self._api = mparticle.EventsApi(configuration)
        self.unsent = []

    def login(self, customer_id: str) -> None:
        """The customer has come in."""
        self._send(customer_id, mparticle.AppEvent("login", "navigation"))

    def order(self, customer_id: str, items: list[Item]) -> str:
        """Place an order; returns its number. An order is an order, whether mParticle hears of it or not."""
        number = f"order-{uuid.uuid4().hex[:8]}"
        action = mparticle.ProductAction("purchase")
        action.transaction_id = number
        action.total_amount = round(sum(item.price * item.quantity for item in items), 2)
        action.products = [_product(item) for item in items]
        event = mparticle.CommerceEvent(action)
        event.currency_code = "EUR"
        try:
            self._send(customer_id, event)
        except ApiException:
            self.unsent.append((customer_id, event))
        return number

    def send_again(self) -> None:
        """Send what could not be sent."""
        unsent, self.unsent = self.unsent, []
        for customer_id, event in unsent:
            self._send(customer_id, event)

    def _send(self, customer_id: str, *events: mparticle.EventBase) -> None:
        batch = mparticle.Batch()
        batch.environment = "production"
        batch.user_identities = mparticle.UserIdentities(customerid=customer_id)
        batch.events = list(events)
        self._api.upload_events(batch)


def _product(item: Item) -> mparticle.Product:
    product = mparticle.Product()
    product.id = item.sku
    product.name = item.name
    product.price = item.price
    product.quantity = item.quantity
    product.total_product_amount = round(item.price * item.quantity, 2)
    return product
