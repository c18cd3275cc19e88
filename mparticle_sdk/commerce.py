"""What commerce events are about: products, promotions, and what was done with them."""

from collections.abc import Mapping
from typing import Final, Literal

from .codec import Model
from .values import Attributes, Milliseconds, Number

ProductActionName = Literal[
    "add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail", "purchase", "refund",
    "add_to_wishlist", "remove_from_wish_list", "unknown",
]  # fmt: skip
PromotionActionName = Literal["view", "click", "unknown"]

CURRENCY_DECIMALS: Final[Mapping[str, int]] = (
    dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0)
    | dict.fromkeys(("XAF", "XOF", "XPF"), 0)
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)
"""Decimals of the currencies that do not have two (ISO 4217)."""


class Product(Model):
    """One product; all amounts are in the event's currency (`batch-schema.md §4.1`)."""

    id: str | None = None
    """The SKU."""
    name: str | None = None
    """The name that customers see."""
    brand: str | None = None
    """The brand."""
    category: str | None = None
    """The category."""
    variant: str | None = None
    """The variant, such as a colour or a size."""
    position: int | None = None
    """The place in the list in which it was shown."""
    price: Number | None = None
    """The price of one."""
    quantity: Number | None = None
    """How many; fractions are allowed."""
    coupon_code: str | None = None
    """The coupon used for this product."""
    added_to_cart_time_ms: Milliseconds | None = None
    """When it was put into the cart, in ms since 1970."""
    total_product_amount: Number | None = None
    """Price times quantity, after discounts. mParticle does not work it out."""
    custom_attributes: Attributes | None = None
    """Your own names and values; mParticle's schema has text alone here."""


class ProductAction(Model):
    """What was done with products (`batch-schema.md §4.2`)."""

    class Action:
        """The values of `action`."""

        add_to_cart: Final = "add_to_cart"
        remove_from_cart: Final = "remove_from_cart"
        checkout: Final = "checkout"
        checkout_option: Final = "checkout_option"
        click: Final = "click"
        view_detail: Final = "view_detail"
        purchase: Final = "purchase"
        refund: Final = "refund"
        add_to_wishlist: Final = "add_to_wishlist"
        remove_from_wish_list: Final = "remove_from_wish_list"
        unknown: Final = "unknown"

    action: ProductActionName | None = None
    """What was done."""
    checkout_step: int | None = None
    """The step of the checkout, as you count them."""
    checkout_options: str | None = None
    """What was chosen in this step."""
    product_action_list: str | None = None
    """The list from which the products came."""
    product_list_source: str | None = None
    """Where that list was shown."""
    transaction_id: str | None = None
    """The id of the order; the same for a refund as for its purchase."""
    affiliation: str | None = None
    """The shop or partner through which it was sold."""
    total_amount: Number | None = None
    """The whole sum, tax and shipping included."""
    tax_amount: Number | None = None
    """The tax in it."""
    shipping_amount: Number | None = None
    """The shipping in it."""
    coupon_code: str | None = None
    """The coupon used for the whole order."""
    products: list[Product] | None = None
    """The products."""


class Promotion(Model):
    """One internal promotion, such as a banner (`batch-schema.md §4.3`)."""

    id: str | None = None
    """Its id."""
    name: str | None = None
    """Its name."""
    creative: str | None = None
    """The picture or text that was shown."""
    position: str | None = None
    """Where it was shown, as text."""


class PromotionAction(Model):
    """What was done with promotions (`batch-schema.md §4.4`)."""

    class Action:
        """The values of `action`."""

        view: Final = "view"
        click: Final = "click"
        unknown: Final = "unknown"

    action: PromotionActionName | None = None
    """What was done."""
    promotions: list[Promotion] | None = None
    """The promotions."""


class ProductImpression(Model):
    """Products that were seen in one list (`batch-schema.md §4.5`)."""

    product_impression_list: str | None = None
    """The name of the list. mParticle needs it."""
    products: list[Product] | None = None
    """The products seen."""


class ShoppingCart(Model):
    """What is in the cart (`batch-schema.md §4.6`)."""

    products: list[Product] | None = None
    """The products in it."""
