"""Whom a batch gives away: e-mail addresses and payment card numbers where they do not belong."""

from typing import Any

import pytest

from mparticle_fake_server.checks.semantics import check_semantics
from tests.checks.meaning import CARD, NOW, check, only, typed
from tests.hosts import batch, event

Json = Any

BOUGHT = {"action": "purchase", "products": []}
PERSONAL: list[tuple[Json, str]] = [
    ({"user_attributes": {"contact": "ada@example.com"}}, "/user_attributes/contact"),
    ({"user_attributes": {"all": ["x", "ada@example.com"]}}, "/user_attributes/all/1"),
    ({"user_attributes": {"ada@example.com": 1}}, "/user_attributes/ada@example.com"),
    ({"events": [event("Mail to ada@example.com")]}, "/events/0/data/event_name"),
    ({"events": [typed("screen_view", screen_name=f"card {CARD}")]}, "/events/0/data/screen_name"),
    ({"events": [event("Pay", custom_attributes={"with": CARD})]}, "/events/0/data/custom_attributes/with"),
    ({"events": [event("Pay", custom_attributes={"with": int(CARD)})]}, "/events/0/data/custom_attributes/with"),
    ({"events": [event("Pay", custom_attributes={f"a/{CARD}": CARD})]}, f"/events/0/data/custom_attributes/a~1{CARD}"),
    (
        {"events": [typed("commerce_event", product_action={"products": [{"custom_attributes": {"for": "ada@example.com"}}]})]},
        "/events/0/data/product_action/products/0/custom_attributes/for",
    ),
    (
        {"events": [typed("commerce_event", product_action=BOUGHT, screen_name="ada@example.com")]},
        "/events/0/data/screen_name",
    ),
    (
        {"events": [typed("user_attribute_change", user_attribute_name="contact", new="ada@example.com", old=None)]},
        "/events/0/data/new",
    ),
]


@pytest.mark.parametrize(("members", "pointer"), PERSONAL)
def test_personal_data_in_names_and_attributes_is_noted(members: Json, pointer: str) -> None:
    (finding,) = check_semantics(batch(**members), NOW)

    assert (finding.code, finding.severity, finding.pointer) == ("personal_data", "note", pointer)


ELSEWHERE: list[Json] = [
    {"user_identities": {"email": "ada@example.com"}},
    {"user_attributes": {"$mobile": CARD, "$address": "c/o ada@example.com"}},
    {"partner_identities": {"a": "ada@example.com"}},
    {"events": [event("Play", custom_flags={"Facebook.Email": "ada@example.com"})]},
    {"events": [typed("network_performance", url="https://ada@example.com/", response_code=200)]},
    {"events": [typed("user_attribute_change", user_attribute_name="$mobile", new=CARD, old=None)]},
    {"events": [typed("commerce_event", product_action=BOUGHT | {"transaction_id": CARD})]},
]


@pytest.mark.parametrize("members", ELSEWHERE)
def test_personal_data_where_it_belongs_or_cannot_be_avoided_is_fine(members: Json) -> None:
    assert check_semantics(batch(**members), NOW) == []


CARDS = [
    "4222222222222",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "3782 822463 10005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
    "6240008631401148",
    "6759649826438453",
    "card:4111111111111111.",
    "card_4111111111111111_x",
    "4111 1111 1111 1111 12/25",
]


@pytest.mark.parametrize("text", CARDS)
def test_card_numbers_are_told_by_issuer_and_check_digit(text: str) -> None:
    assert only(event("Pay", custom_attributes={"a": text})).code == "personal_data"


NO_CARDS: list[Json] = [
    "4111111111111112",
    "1111111111111117",
    1_700_000_000_000,
    "1700000000000",
    "5239478523094875234",
    -4111111111111111,
    "0.4111111111111111",
    "a4111111111111111",
    "41111111111111111111111",
    "4111 1111 11111111",
    "41111111-1111-1111-1111-111111111111",
    "4006381333924",  # a bar code of a German product, whose digits would do for a card
    "4111111111111111a",
    4.111111111111111e15,
    True,
    10**4299,
]


@pytest.mark.parametrize("value", NO_CARDS)
def test_other_long_numbers_are_no_card_numbers(value: Json) -> None:
    assert check(event("Pay", custom_attributes={"a": value, "odd": "x@"})) == []


@pytest.mark.parametrize(
    "text", ["ada@example.com", "Ada <ada.l+x@mail.example.co.uk>", "é@exämple.de", "mailto:a@b.io?subject=x"]
)
def test_e_mail_addresses_are_found_in_text(text: str) -> None:
    assert only(event("Pay", custom_attributes={"a": text})).code == "personal_data"


@pytest.mark.parametrize("text", ["@ada", "me@home", "3 @ 4.50", "icon@2x.png", "a@b.c", "@@@@", "pinned@1.2.3"])
def test_not_every_at_sign_is_an_e_mail_address(text: str) -> None:
    assert check(event("Pay", custom_attributes={"a": text})) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"paid with {CARD}", "holds what looks like a payment card number (16 digits, ending in 1111)."),
        ("to ada@example.com", "holds what looks like an e-mail address (…@example.com)."),
        ("a@b.io", "holds what looks like an e-mail address (…@b.io)."),
    ],
)
def test_the_note_does_not_spread_what_it_found(text: str, said: str) -> None:
    finding = only(event("Pay", custom_attributes={"a": text}))

    assert finding.message == f"events[0].data.custom_attributes.a {said}"


REMOTES = [
    "git@github.com:org/repo.git",
    "git@github.com",
    "ssh://git@github.com/org/repo.git",
    "ada@build.example.co.uk:~/src",
    "git clone git@github.com:org/repo",
]


@pytest.mark.parametrize("text", REMOTES)
def test_a_user_at_a_host_is_no_e_mail_address(text: str) -> None:
    assert check(event("Deploy", custom_attributes={"from": text})) == []


@pytest.mark.parametrize(
    "text", ["legit@example.com", "git@github.com:org/repo by ada@example.com", "mail:ada@example.com:verified"]
)
def test_an_address_that_only_resembles_one_is_told(text: str) -> None:
    assert only(event("Deploy", custom_attributes={"from": text})).code == "personal_data"


def test_the_hint_leaves_room_for_an_address_that_is_no_users() -> None:
    finding = only(user_attributes={"support_contact": "help@shop.example"})

    assert finding.hint is not None
    assert "such as your support's, may stay" in finding.hint


def test_a_name_is_told_with_as_little_certainty() -> None:
    assert (
        " has what looks like an e-mail address (…@example.com) in its name;"
        in only(user_attributes={"ada@example.com": 1}).message
    )
