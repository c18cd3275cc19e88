"""The real web SDK in a real browser, three ways to the fake: plain HTTP, HTTPS, and a `domain` of one's own."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from mparticle_fake_server import FakeServer
from tests.browser.conftest import KEY, OpenPage, Site, Visit, more_options, snippet, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WAYS: Final = ("plain", "https", "domain")

EVENTS: Final = Counter(
    {
        ("session_start", None): 1,
        ("application_state_transition", "application_initialized"): 1,
        ("screen_view", "Home"): 1,
        ("custom_event", "Play song"): 1,
        ("custom_event", "Without a type"): 1,
        ("crash_report", "a caught error"): 1,
        ("user_identity_change", "customer_id"): 1,
        ("user_identity_change", "email"): 2,
        ("user_identity_change", "other_id_2"): 1,
        ("user_attribute_change", "plan"): 2,
        ("user_attribute_change", "age"): 2,
        ("user_attribute_change", "genres"): 1,
        ("commerce_event", "add_to_cart"): 1,
        ("commerce_event", "purchase"): 1,
        ("commerce_event", "view"): 1,
        ("commerce_event", "click"): 1,
        ("commerce_event", "Suggestions"): 1,
        ("custom_event", "After logout"): 1,
    }
)
"""What the journey sends: event types, and what tells one event from another of its type."""


def subject(event: dict[str, Any]) -> str | None:
    data = event["data"]
    kind = event["event_type"]
    if kind == "user_identity_change":
        return str(data["new"]["identity_type"])
    if kind == "commerce_event":
        action = data.get("product_action") or data.get("promotion_action")
        return str(action["action"] if action else data["product_impressions"][0]["product_impression_list"])
    if kind == "crash_report":
        return str(data["custom_attributes"]["m"])
    names = ("event_name", "screen_name", "user_attribute_name", "application_transition_type")
    return next((str(data[name]) for name in names if name in data), None)


def make_page(way: str, fake: FakeServer, site: Site, certificates: Path, **options: Any) -> None:
    """Point the page at the fake, one of the three ways."""
    if way == "plain":
        before, after = snippet(fake)
        # The SDK asks for aliases over HTTPS in any case.
        secure = fake.open_tls(certificates).tls_url.removeprefix("https://")
        site.page(before + more_options(aliasUrl=f"{secure}/v1/identity/", **options), after)
        return
    fake.open_tls(certificates)
    before, after = snippet(fake)
    if way == "domain":
        before = "window.mParticle = { config: { isDevelopmentMode: true } };"
        options["domain"] = fake.tls_url.removeprefix("https://")
    site.page(before + more_options(**options), after)


def ask(fake: FakeServer, path: str) -> Any:
    answer = requests.get(f"{fake.url}/_fake/{path}", timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait(fake: FakeServer, count: int) -> None:
    """Until that many events have arrived."""
    ask(fake, f"wait?count={count}&timeout=10")


@dataclass
class Journey:
    """What the page was told, what its console complained about, and what the fake has of it."""

    way: str
    told: dict[str, Any]
    complaints: list[str]
    requests: list[dict[str, Any]]
    batches: list[dict[str, Any]]
    profile: dict[str, Any]

    def data(self, subject_of_it: str) -> dict[str, Any]:
        """The data of the only event of this subject."""
        (found,) = [event["data"] for event in self.events if subject(event) == subject_of_it]
        return dict(found)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for item in self.batches for event in item["batch"]["events"]]

    def asked(self, method: str, path: str) -> list[dict[str, Any]]:
        return [item for item in self.requests if item["method"] == method and item["path"] == path]


@pytest.fixture(scope="module", params=WAYS)
def journey(request: pytest.FixtureRequest, browser: "Browser", certificates: Path) -> Iterator[Journey]:
    """A visitor's whole journey, once for each way."""
    # Of a page over HTTPS, a browser lets nothing go over HTTP.
    its_own = certificates if request.param == "https" else None
    with FakeServer(credentials=[(KEY, "secret", "shop")], unknown_keys=False) as fake, Site.of_the_sdk(its_own) as site:
        make_page(request.param, fake, site, certificates)
        with visiting(browser, site.url) as visit:
            told = visit.page.evaluate("journey", KEY)
            wait(fake, EVENTS.total())
        (profile,) = ask(fake, "profiles?identity=customer_id:c-1042")["items"]
        yield Journey(
            request.param,
            told,
            visit.complaints,
            ask(fake, "requests?limit=1000")["items"],
            ask(fake, "batches?limit=1000")["items"],
            profile,
        )


# -- in the browser ----------------------------------------------------------------------------------------------------------


def test_the_browser_has_nothing_to_complain_of(journey: Journey) -> None:
    assert journey.complaints == []


def test_the_visitor_gets_an_mpid_before_signing_in(journey: Journey) -> None:
    assert int(journey.told["anonymous"]) != 0


def test_login_modify_search_alias_and_logout_succeed(journey: Journey) -> None:
    told = journey.told

    assert [told["login"]["status"], told["modify"], told["search"]["status"], told["logout"]["status"]] == [200] * 4
    assert told["alias"]["httpCode"] == 202


def test_who_signs_out_is_somebody_else_until_signing_in_again(journey: Journey) -> None:
    told = journey.told

    assert told["known"] == told["login"]["mpid"] == told["search"]["mpid"] == told["again"]["mpid"]
    assert told["logout"]["mpid"] != told["known"]


# -- in the fake -------------------------------------------------------------------------------------------------------------


def test_every_event_is_there_once(journey: Journey) -> None:
    assert Counter((event["event_type"], subject(event)) for event in journey.events) == EVENTS


def test_nothing_but_notes_is_found_in_what_the_sdk_sends(journey: Journey) -> None:
    found = [finding for item in (*journey.requests, *journey.batches) for finding in item["findings"]]

    assert [finding for finding in found if finding["severity"] != "note"] == []
    assert {item["verdict"] for item in journey.batches} == {"accepted"}


def test_batches_are_canonical(journey: Journey) -> None:
    mpids = {item["batch"]["mpid"] for item in journey.batches}

    assert mpids == {int(journey.told["known"]), int(journey.told["logout"]["mpid"])} | {int(journey.told["anonymous"])}
    assert {item["source"] for item in journey.batches} == {"web"}
    assert {item["workspace"] for item in journey.batches} == {"shop"}
    assert {item["batch"]["environment"] for item in journey.batches} == {"development"}


def test_a_purchase_arrives_with_its_products(journey: Journey) -> None:
    purchase = journey.data("purchase")

    action = purchase["product_action"]
    assert (action["transaction_id"], action["total_amount"], action["tax_amount"], action["shipping_amount"]) == (
        "t-17",
        21.49,
        0.99,
        1.5,
    )
    (product,) = action["products"]
    assert (product["id"], product["price"], product["quantity"], product["custom_attributes"]) == (
        "sku-1",
        9.5,
        2,
        {"size": "M"},
    )
    assert purchase["custom_attributes"] == {"gift": "no"}
    assert purchase["custom_flags"] == {"source": "test"}


@pytest.mark.parametrize("action", ["view", "click"])
def test_a_promotion_has_the_name_of_its_action_and_not_its_number(journey: Journey, action: str) -> None:
    promotion = journey.data(action)["promotion_action"]

    assert promotion == {
        "action": action,
        "promotions": [{"id": "p-1", "name": "Winter", "creative": "banner", "position": 4}],
    }


def test_attributes_keep_their_types(journey: Journey) -> None:
    assert journey.data("Play song")["custom_attributes"] == {"genre": "jazz", "seconds": 12, "live": True, "none": None}


def test_the_person_has_identities_attributes_and_consent(journey: Journey) -> None:
    profile = journey.profile

    assert profile["mpid"] == journey.told["known"]
    assert profile["identities"] == {"customer_id": "c-1042", "email": "ada@lovelace.example", "other_id_2": "o2"}
    assert profile["user_attributes"] == {"plan": "max", "genres": ["jazz", "dub"], "early": None}
    assert profile["consent_state"]["gdpr"]["analytics"]["consented"] is True
    assert profile["consent_state"]["ccpa"]["data_sale_opt_out"]["consented"] is False


PATHS: Final = {
    "plain": ("", "", ""),
    "https": ("", "", ""),
    "domain": ("/tags", "/webevents", "/identity"),
}


def test_each_way_has_its_own_paths(journey: Journey) -> None:
    config, events, identity = PATHS[journey.way]

    assert len(journey.asked("GET", f"{config}/JS/v2/{KEY}/config")) == (0 if journey.way == "plain" else 1)
    assert len(journey.asked("POST", f"{events}/v3/JS/{KEY}/events")) == len(journey.batches)
    assert len(journey.asked("POST", f"{events}/v1/identity/{KEY}/Alias")) == 1
    assert len(journey.asked("POST", f"{identity}/v1/identify")) == 1
    assert len(journey.asked("POST", f"{identity}/v1/login")) == 2
    assert len(journey.asked("POST", f"{identity}/v1/search")) == 1


# -- leaving -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_what_is_pending_when_the_page_is_left_comes_by_beacon(
    fake: FakeServer, site: Site, open_page: OpenPage, certificates: Path, way: str
) -> None:
    flags = {"eventBatchingIntervalMillis": "60000"}
    requests.put(f"{fake.url}/_fake/workspaces/shop", json={"config": {"flags": flags}}, timeout=10).raise_for_status()
    make_page(way, fake, site, certificates, flags=flags)
    visit = open_page(site.url)
    identified(visit)
    visit.page.evaluate("mParticle.logEvent('Last before leaving')")

    visit.page.goto("about:blank")

    wait(fake, 3)
    (item,) = ask(fake, "batches")["items"]
    assert [subject(event) for event in item["batch"]["events"]][-1] == "Last before leaving"
    headers = dict(ask(fake, f"requests/{item['request_id']}")["headers"])
    assert (headers["sec-fetch-mode"], headers["content-type"]) == ("no-cors", "text/plain;charset=utf-8")
    assert visit.complaints == []


def identified(visit: Visit) -> None:
    visit.page.wait_for_function("mParticle.Identity.getCurrentUser()")


# -- what goes wrong ---------------------------------------------------------------------------------------------------------


def test_an_event_that_met_an_outage_comes_again(fake: FakeServer, site: Site, open_page: OpenPage, certificates: Path) -> None:
    make_page("plain", fake, site, certificates, flags={"eventBatchingIntervalMillis": "600"})
    visit = open_page(site.url)
    wait(fake, 2)
    fault = {"status": 503, "times": 1}
    requests.put(f"{fake.url}/_fake/faults?workspace=shop", json={"items": [fault]}, timeout=10).raise_for_status()

    visit.page.evaluate("mParticle.logEvent('In the outage')")

    ask(fake, "wait?event_name=In the outage&timeout=10")
    sent = [item["status"] for item in ask(fake, "requests")["items"] if item["path"].endswith("/events")]
    assert sent[-2:] == [503, 202]
    (item,) = ask(fake, "batches?event_name=In the outage&verdict=accepted")["items"]
    assert item["findings"][0]["severity"] == "note"


def test_an_unknown_key_gets_no_user_and_says_so_in_the_console(
    fake: FakeServer, site: Site, open_page: OpenPage, certificates: Path
) -> None:
    fake.open_tls(certificates)
    before, after = snippet(fake)
    site.page(before, after.replace(KEY, "another-key"))

    visit = open_page(site.url)
    with visit.page.expect_console_message(lambda told: "401" in told.text or "403" in told.text):
        visit.page.reload()

    assert visit.page.evaluate("mParticle.Identity.getCurrentUser()") is None


def test_a_search_for_nobody_is_told_to_the_page(fake: FakeServer, site: Site, open_page: OpenPage, certificates: Path) -> None:
    make_page("https", fake, site, certificates)
    visit = open_page(site.url)
    identified(visit)
    search = "key => new Promise(done => mParticle.Identity.search(key, {customerid: 'nobody'}, done))"

    found = visit.page.evaluate(search, KEY)

    assert found["httpCode"] == 404


def test_the_page_can_ask_for_audiences(fake: FakeServer, site: Site, open_page: OpenPage, certificates: Path) -> None:
    make_page("https", fake, site, certificates)
    visit = open_page(site.url)
    identified(visit)

    told = visit.page.evaluate("new Promise(done => mParticle.Identity.getCurrentUser().getUserAudiences(done))")

    assert told == {"currentAudienceMemberships": []}
    assert visit.complaints == []
