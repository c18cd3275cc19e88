"""The finding: one fact about a request or a batch. The table of all codes; every check makes its findings here."""

from typing import Final, Literal

import msgspec

Severity = Literal["error", "warning", "note"]
Effect = Literal["refuse", "drop", "alter", "none"]

SEVERITIES: Final[tuple[Severity, ...]] = ("note", "warning", "error")
"""From the least to the most severe."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One fact: what was got, where, what was expected, and how to mend it.

    `pointer` is a JSON pointer into the canonical batch, `raw_pointer` one into the body as sent, where such a place exists.
    `index` is the position of the batch in a bulk request.
    """

    code: str
    severity: Severity
    message: str
    pointer: str = ""
    raw_pointer: str | None = None
    index: int | None = None
    hint: str | None = None


class Code(msgspec.Struct, frozen=True):
    """What a code means.

    `effect` is what mParticle does: `refuse` the request with a 4xx, `drop` the batch after a 202, `alter` it (parts are lost),
    or `none`. `example` is what a client sends to get it. `source` is where the rule is documented.
    """

    severity: Severity
    effect: Effect
    explanation: str
    source: str
    example: str


CODES: Final[dict[str, Code]] = {
    # -- the request -----------------------------------------------------------------------------------------------------
    "path_unknown": Code("error", "refuse", "No mParticle endpoint has this path.", "events-api.md §2", "POST /v2/event"),
    "method_not_allowed": Code(
        "error", "refuse", "The endpoint exists, but not for this HTTP method.", "events-api.md §2", "GET /v2/events"
    ),
    "credentials_missing": Code(
        "error",
        "refuse",
        "The Authorization header is absent, or is not Basic authentication that can be read.",
        "events-api.md §3, §4",
        "POST /v2/events without an Authorization header",
    ),
    "credentials_wrong": Code(
        "error",
        "refuse",
        "The API key is unknown here, or the secret is not the one of this key.",
        "events-api.md §3, §4",
        "Authorization: Basic with a secret of another input",
    ),
    "body_too_large": Code(
        "error",
        "refuse",
        "The body is larger than the server takes, as sent or after decompression.",
        "--max-body",
        "a body of 3 MB",
    ),
    "http_broken": Code("error", "refuse", "What was received is not an HTTP request.", "RFC 9112", "POST /v2/events HTTP/9"),
    "server_error": Code(
        "error",
        "refuse",
        "This server failed on the request: a fault of the fake, not of the client.",
        "a bug of this server",
        "none is known",
    ),
    "body_incomplete": Code(
        "error",
        "refuse",
        "The client closed the connection before it had sent the whole body.",
        "HTTP",
        "Content-Length: 100, then 20 bytes and a closed connection",
    ),
    "fault_injected": Code(
        "note",
        "refuse",
        "A fault that a test set answered the request, whatever was sent; it says nothing about the client.",
        "PUT /_fake/faults",
        "PUT /_fake/faults with a status of 429, then any upload",
    ),
    "delay_injected": Code(
        "note",
        "none",
        "A fault that a test set held the answer back; the request was recorded when it came, and treated as always.",
        "PUT /_fake/faults",
        "PUT /_fake/faults with a delay of 0.5 and no status, then any upload",
    ),
    # -- decoding --------------------------------------------------------------------------------------------------------
    "content_encoding_unknown": Code(
        "error",
        "refuse",
        "Content-Encoding names a compression other than gzip or deflate.",
        "events-api.md §6",
        "Content-Encoding: br",
    ),
    "compression_broken": Code(
        "error",
        "refuse",
        "The body is not the compressed stream that Content-Encoding announces.",
        "events-api.md §6",
        "Content-Encoding: gzip before plain JSON",
    ),
    "charset_unknown": Code(
        "error",
        "refuse",
        "Content-Type names a charset that is not read here; JSON is UTF-8.",
        "events-api.md §6, RFC 8259 §8.1",
        "Content-Type: application/json; charset=klingon",
    ),
    "encoding_broken": Code(
        "error",
        "refuse",
        "The body has bytes that are not text in its charset.",
        "RFC 8259 §8.1",
        "the byte FF in a body of UTF-8",
    ),
    "json_broken": Code("error", "refuse", "The body is not JSON.", "events-api.md §4", '{"events": [}'),
    "json_too_deep": Code(
        "error",
        "refuse",
        "Arrays and objects are nested deeper than any batch needs.",
        "a limit of this server",
        "[[[[[[…]]]]]] of 1 000 levels",
    ),
    "number_out_of_range": Code(
        "error", "refuse", "A number is too large for any JSON reader to hold.", "RFC 8259 §6", '{"mpid": 1e999}'
    ),
    "integer_beyond_64_bits": Code(
        "error",
        "alter",
        "An integer does not fit into 64 bits, which is what mParticle's integers have.",
        "batch-schema.md §0",
        '{"mpid": 36893488147419103232}',
    ),
    "lone_surrogate": Code(
        "warning",
        "alter",
        "A string holds half of a surrogate pair, as when text with an emoji is cut; it becomes U+FFFD.",
        "RFC 8259 §8.2",
        '{"event_name": "\\ud83d"}',
    ),
    "duplicate_member": Code(
        "warning",
        "alter",
        "An object names a member twice; readers keep one of the two without a word, mostly the last, as this server does.",
        "RFC 8259 §4",
        '{"event_type": "screen_view", "event_type": "custom_event"}',
    ),
    # -- the shape of a request ------------------------------------------------------------------------------------------
    "wrong_top_level": Code(
        "error",
        "refuse",
        "/v2/events takes one JSON object, /v2/bulkevents an array of objects.",
        "events-api.md §2",
        "an array sent to /v2/events",
    ),
    "too_many_batches": Code(
        "error", "refuse", "A bulk request carries at most 100 batches.", "events-api.md §5", "101 batches sent to /v2/bulkevents"
    ),
    # -- the batch -------------------------------------------------------------------------------------------------------
    "event_type_missing": Code(
        "error",
        "refuse",
        "An event has no event_type; mParticle answers 400.",
        "events-api.md §4",
        '{"events": [{"data": {"event_name": "Play"}}]}',
    ),
    "duplicate_batch": Code(
        "warning",
        "drop",
        "This input has sent a batch with the same source_request_id before; mParticle answers 202 and drops the second.",
        "events-api.md §5",
        "the same source_request_id twice",
    ),
    "historical_without_events": Code(
        "warning",
        "drop",
        "The historical endpoint does not process a batch without events.",
        "events-api.md §7",
        '{"events": []}',
    ),
    "historical_without_timestamp": Code(
        "warning",
        "drop",
        "The historical endpoint does not process a batch in which an event lacks timestamp_unixtime_ms.",
        "events-api.md §7",
        '{"events": [{"event_type": "first_run", "data": {}}]}',
    ),
    "historical_too_recent": Code(
        "warning",
        "drop",
        "The historical endpoint does not process a batch with an event less than 72 hours old.",
        "events-api.md §7",
        "an event of an hour ago",
    ),
    # -- the batch against the schema ------------------------------------------------------------------------------------
    "required_missing": Code(
        "error",
        "alter",
        "A member without which the object means nothing is absent.",
        "batch-schema.md §2-4",
        '{"event_type": "custom_event", "data": {"custom_event_type": "other"}}',
    ),
    "wrong_type": Code(
        "error",
        "alter",
        "A value has another JSON type than the documented one.",
        "batch-schema.md §1-4",
        '{"events": {"event_type": "first_run"}}',
    ),
    "unknown_value": Code(
        "error",
        "alter",
        "A value is none of those that mParticle documents for the member.",
        "batch-schema.md §1-4",
        '{"product_action": {"action": "buy"}}',
    ),
    "malformed_value": Code(
        "error",
        "alter",
        "A text has not the documented form: a UUID, an IP address, a currency or country code.",
        "batch-schema.md §0-4",
        '{"ip": "localhost"}',
    ),
    "out_of_range": Code(
        "error",
        "alter",
        "A number is smaller or larger than the member can mean.",
        "batch-schema.md §2-4",
        '{"location": {"latitude": 180, "longitude": 0}}',
    ),
    "event_type_unknown": Code(
        "error",
        "alter",
        "The event_type is none that mParticle documents; the event is not processed.",
        "batch-schema.md §3.1",
        '{"event_type": "page_view", "data": {}}',
    ),
    "attribute_nested": Code(
        "error",
        "alter",
        "An attribute's value is an object or a list where mParticle takes only text, numbers and booleans.",
        "batch-schema.md §2.2, §3.2",
        '{"custom_attributes": {"address": {"city": "Bern"}}}',
    ),
    "unknown_member": Code(
        "warning",
        "alter",
        "No document of mParticle has a member of this name here; it is ignored.",
        "batch-schema.md §1-4",
        '{"customAttributes": {"plan": "pro"}}',
    ),
    "misplaced_member": Code(
        "warning",
        "alter",
        "mParticle knows the member, but in another object or event type; here it is ignored.",
        "batch-schema.md §1-4",
        '{"event_type": "screen_view", "data": {"event_name": "Home"}}',
    ),
    "recommended_missing": Code(
        "warning",
        "none",
        "mParticle's schema requires the member, its reference calls it optional; without it the object says little.",
        "batch-schema.md §3",
        '{"event_type": "screen_view", "data": {}}',
    ),
    "environment_missing": Code(
        "note",
        "none",
        "The batch does not say its environment; mParticle takes it for production.",
        "batch-schema.md §1",
        '{"events": []}',
    ),
    "number_as_string": Code(
        "warning",
        "none",
        "A number is sent as text, as the official Python SDK does with Decimal; aggregations may not add it up.",
        "events-api.md §10",
        '{"price": "9.99"}',
    ),
    "mpid_as_string": Code(
        "note",
        "none",
        "An mpid is sent as text, as the web SDK does; the documented type is a 64-bit integer.",
        "events-api.md §10",
        '{"mpid": "-1234567890123456789"}',
    ),
    # -- limits ----------------------------------------------------------------------------------------------------------
    "event_name_too_long": Code(
        "warning",
        "alter",
        "An event or screen name has more than 256 characters; mParticle cuts it.",
        "events-api.md §5",
        '{"event_name": "xxx… 257 characters"}',
    ),
    "name_blank": Code(
        "warning",
        "none",
        "An event or screen name is empty or consists of blanks; nobody will find the event by it.",
        "batch-schema.md §3.3, §3.6",
        '{"event_name": " "}',
    ),
    "too_many_attributes": Code(
        "warning",
        "alter",
        "An event has more than 100 attributes; mParticle's client SDKs upload it without any.",
        "events-api.md §5",
        "an event with 101 custom attributes",
    ),
    "attribute_name_too_long": Code(
        "warning",
        "alter",
        "An event attribute's name has more than 256 characters; mParticle cuts it.",
        "events-api.md §5",
        '{"custom_attributes": {"xxx… 257 characters": 1}}',
    ),
    "attribute_value_too_long": Code(
        "warning",
        "alter",
        "An event attribute's value has more than 4096 characters; mParticle's client SDKs do not set it.",
        "events-api.md §5",
        '{"custom_attributes": {"story": "xxx… 4097 characters"}}',
    ),
    "too_many_user_attributes": Code(
        "warning",
        "alter",
        "A batch has more than 100 user attributes.",
        "events-api.md §5",
        "a batch with 101 user attributes",
    ),
    "user_attribute_name_too_long": Code(
        "warning",
        "alter",
        "A user attribute's name has more than 256 characters.",
        "events-api.md §5",
        '{"user_attributes": {"xxx… 257 characters": 1}}',
    ),
    "user_attribute_value_too_long": Code(
        "warning",
        "alter",
        "A user attribute's value has more than 4096 characters.",
        "events-api.md §5",
        '{"user_attributes": {"bio": "xxx… 4097 characters"}}',
    ),
    "user_attribute_list_too_long": Code(
        "warning",
        "alter",
        "A user attribute is a list of more than 1000 entries.",
        "events-api.md §5",
        '{"user_attributes": {"seen": ["… 1001 entries"]}}',
    ),
    "user_attribute_entry_too_long": Code(
        "warning",
        "alter",
        "An entry of a user attribute list has more than 512 characters.",
        "events-api.md §5",
        '{"user_attributes": {"seen": ["xxx… 513 characters"]}}',
    ),
    "action_identifier_too_long": Code(
        "warning",
        "alter",
        "The action_identifier of a push message has more than 100 characters.",
        "events-api.md §5",
        '{"action_identifier": "xxx… 101 characters"}',
    ),
    "too_many_consent_purposes": Code(
        "warning",
        "alter",
        "A regulation has more than 100 consent purposes.",
        "events-api.md §5",
        "a consent_state with 101 GDPR purposes",
    ),
    "batch_too_large": Code(
        "error",
        "none",
        "A batch has more than 128 KB; mParticle may refuse or lose it.",
        "events-api.md §5",
        "a batch of 130 KB",
    ),
    "request_too_large": Code(
        "error",
        "none",
        "A request has more than 256 KB; mParticle may refuse it.",
        "events-api.md §5",
        "100 batches of 3 KB in one request",
    ),
    "too_many_event_names": Code(
        "warning",
        "alter",
        "The workspace has 1000 event and screen names already; mParticle drops events with further ones.",
        "events-api.md §5",
        "the 1001st event_name in a workspace",
    ),
    # -- what a batch means ----------------------------------------------------------------------------------------------
    "commerce_without_action": Code(
        "error",
        "alter",
        "A commerce event has no product_action, promotion_action or product_impressions.",
        "batch-schema.md §3.16",
        '{"event_type": "commerce_event", "data": {"currency_code": "EUR"}}',
    ),
    "commerce_with_several_actions": Code(
        "error",
        "alter",
        "A commerce event has more than one of product_action, promotion_action and product_impressions.",
        "batch-schema.md §3.16",
        '{"product_action": {"action": "purchase"}, "promotion_action": {"action": "view"}}',
    ),
    "crash_report_as_commerce": Code(
        "warning",
        "alter",
        "A crash report is labelled commerce_event, as the official Python and Ruby SDKs do: it has class_name, stack_trace, "
        "or two other members of one.",
        "events-api.md §10",
        '{"event_type": "commerce_event", "data": {"class_name": "ValueError"}}',
    ),
    "attribution_incomplete": Code(
        "warning",
        "none",
        "An attribution event named attribution, which tells of an install, lacks the attribute publisher or campaign; one that "
        "takes an attribution back has the attribute action with the value delete instead.",
        "batch-schema.md §3.3",
        '{"event_type": "custom_event", "data": {"event_name": "attribution", "custom_event_type": "attribution"}}',
    ),
    "crash_report_empty": Code(
        "warning",
        "none",
        "A crash report has no class name, message, stack trace or PLCrashReporter file: nobody can tell what went wrong.",
        "batch-schema.md §3.7",
        '{"event_type": "crash_report", "data": {"severity": "fatal"}}',
    ),
    "session_without_id": Code(
        "note",
        "none",
        "A session starts without an id, so that nobody can tell which end goes with it. mParticle's schema requires an "
        "id, its reference does not; most client SDKs send a session_uuid.",
        "batch-schema.md §3.2, §3.4",
        '{"event_type": "session_start", "data": {}}',
    ),
    "session_end_without_start": Code(
        "warning",
        "none",
        "A session ends that this workspace has not seen start; not told of a server that goes on with a store of older records.",
        "batch-schema.md §3.4, §3.5",
        '{"event_type": "session_end", "data": {"session_uuid": "…"}}',
    ),
    "session_id_differs": Code(
        "warning",
        "none",
        "A session ends with another id than the one that started in the same batch, and has not started in an earlier one.",
        "batch-schema.md §3.4, §3.5",
        "session_start with session_id 1, then session_end with session_id 2",
    ),
    "session_duration_contradicts": Code(
        "warning",
        "none",
        "A session's duration is not the time between the timestamps of its start and its end.",
        "batch-schema.md §3.5",
        "a session of one hour by its timestamps with session_duration_ms 60",
    ),
    "timestamp_not_milliseconds": Code(
        "error",
        "alter",
        "A timestamp is in seconds, microseconds or nanoseconds; mParticle reads milliseconds since 1970.",
        "batch-schema.md §3.2",
        '{"timestamp_unixtime_ms": 1700000000}',
    ),
    "timestamp_in_future": Code(
        "warning",
        "none",
        "A timestamp lies in the future.",
        "batch-schema.md §3.2",
        "an event of tomorrow",
    ),
    "timestamp_too_old": Code(
        "warning",
        "none",
        "An event is older than 30 days, which belongs to /v2/bulkevents/historical; or its time looks unset, such as 0.",
        "events-api.md §2",
        "an event of last year sent to /v2/events",
    ),
    "identity_missing": Code(
        "warning",
        "none",
        "The batch names nobody: no mpid, no user identity and no device id.",
        "identity.md",
        '{"events": [{"event_type": "first_run", "data": {}}]}',
    ),
    "identity_placeholder": Code(
        "warning",
        "none",
        "An identity is a placeholder, so unrelated users become one.",
        "identity.md",
        '{"user_identities": {"customer_id": "undefined"}}',
    ),
    "email_malformed": Code(
        "warning",
        "none",
        "The identity email is not an e-mail address.",
        "batch-schema.md §2.1",
        '{"user_identities": {"email": "ada at example.com"}}',
    ),
    "customer_id_is_email": Code(
        "warning",
        "none",
        "A customer_id looks like an e-mail address, which changes, and is personal data.",
        "batch-schema.md §2.1",
        '{"user_identities": {"customer_id": "ada@example.com"}}',
    ),
    "reserved_attribute_misused": Code(
        "warning",
        "none",
        "A user attribute whose name begins with $ is none that mParticle reserves, or has no value it can mean.",
        "batch-schema.md §2.2",
        '{"user_attributes": {"$FirstName": "Ada"}}',
    ),
    "attribute_kind_changed": Code(
        "warning",
        "none",
        "A user attribute was a list before, of any user of the workspace, and is a single value now, or the other way round.",
        "batch-schema.md §2.2",
        '{"user_attributes": {"sizes": "M"}} after {"user_attributes": {"sizes": ["M"]}}',
    ),
    "product_total_contradicts": Code(
        "warning",
        "none",
        "A product's total_product_amount is not its price times its quantity; not told where a coupon may have reduced it.",
        "batch-schema.md §4.1",
        '{"price": 9.99, "quantity": 2, "total_product_amount": 9.99}',
    ),
    "personal_data": Code(
        "note",
        "none",
        "An event name or attribute holds what looks like an e-mail address or a payment card number.",
        "privacy law and PCI DSS",
        '{"custom_attributes": {"contact": "ada@example.com"}}',
    ),
    # -- quirks of clients -----------------------------------------------------------------------------------------------
    "customerid_spelling": Code(
        "note",
        "none",
        "user_identities has customerid, as the Python, Node and Ruby SDKs write it; the documented name is customer_id.",
        "events-api.md §10",
        '{"user_identities": {"customerid": "c1"}}',
    ),
    "upper_case_enum": Code(
        "note",
        "none",
        "Enumerated values are upper-case constants, as the Java SDK writes them; read as the documented values.",
        "batch-schema.md §0",
        '{"environment": "DEVELOPMENT"}',
    ),
    # What the dialects of the web and native SDKs note.
    "promotion_action_number": Code(
        "note",
        "none",
        "A promotion action is a number, as the web SDK writes it: 1 was read as view, 2 as click.",
        "client-sdks.md §2.3",
        '{"promotion_action": {"action": 1}}',
    ),
    "native_key_unknown": Code(
        "note",
        "none",
        "A native SDK's upload has a key, or an identity of a type, that is not known there; it is kept as it came.",
        "client-sdks.md §5",
        '{"dt": "e", "n": "Play", "zz": 1}',
    ),
    # -- the web and native SDKs' endpoints ----------------------------------------------------------------------------------
    "signature_missing": Code(
        "error",
        "refuse",
        "A request of a native SDK has no x-mp-signature, or no Date, which is part of what is signed.",
        "client-sdks.md §3.2, §4.2, identity.md §2",
        "POST /v2/KEY/events without x-mp-signature",
    ),
    "signature_wrong": Code(
        "error",
        "refuse",
        "The x-mp-signature of a native SDK's request is not the one that the secret of its API key gives.",
        "client-sdks.md §3.2, §4.2, identity.md §2",
        "POST /v2/KEY/events signed with the secret of another input",
    ),
    "signature_unchecked": Code(
        "note",
        "none",
        "The API key has no secret here, so that the signature of a native SDK's request is not checked.",
        "mparticle-fake serve --credential",
        "POST /v2/KEY/events with a key that the server was not told a secret of",
    ),
    "alias_wrong": Code(
        "error",
        "refuse",
        "An alias request lacks a profile, names one profile twice, or has a time range that ends before it begins.",
        "identity.md §8",
        '{"request_type": "alias", "data": {"source_mpid": "1", "destination_mpid": "1"}}',
    ),
    "audience_wrong": Code(
        "error",
        "refuse",
        "A question for the audiences of a user does not name one: mpid is absent, or is no 64-bit integer.",
        "client-sdks.md §2.4",
        "GET /v1/KEY/audience",
    ),
    # -- identity requests ---------------------------------------------------------------------------------------------------
    "identity_member_missing": Code(
        "error",
        "refuse",
        "An identity request lacks what mParticle requires: environment, an identity in known_identities, identity_changes, or a "
        "member of a change.",
        "identity.md §3, §7",
        '{"environment": "development", "known_identities": {}}',
    ),
    "identity_member_wrong": Code(
        "error",
        "refuse",
        "A member of an identity request has another JSON type than the documented one, or none of its documented values.",
        "identity.md §3, §7",
        '{"environment": "dev", "known_identities": {"customerid": 5}}',
    ),
    "identity_type_unknown": Code(
        "error",
        "refuse",
        "An identity request names an identity type that this API does not have; some have another name in the Events API.",
        "identity.md §4",
        '{"known_identities": {"customer_id": "c1"}}',
    ),
    "mpid_out_of_range": Code(
        "error",
        "refuse",
        "An mpid in an identity request, or in its path, is not a signed 64-bit integer.",
        "identity.md §3, §5",
        "POST /v1/9223372036854775808/modify",
    ),
    "profile_not_found": Code(
        "note",
        "refuse",
        "A search matched no profile; it is answered 404, and makes none.",
        "identity.md §6",
        "POST /v1/search before anybody was identified",
    ),
    "profile_unknown": Code(
        "warning",
        "none",
        "A modify request is for an mpid that no profile of the workspace has; nothing was changed.",
        "identity.md §7",
        "POST /v1/1/modify, before any profile has the mpid 1",
    ),
    "identity_kept": Code(
        "note",
        "none",
        "A profile keeps the identity that it has of a type: identify, login and logout add identities, modify changes them.",
        "identity.md §7, §10",
        '{"known_identities": {"customerid": "c1", "email": "new@example.com"}}',
    ),
    "identity_change_mismatch": Code(
        "warning",
        "none",
        "A modify request changes an identity from another value than the one the profile has; the new value holds.",
        "identity.md §7",
        '{"old_value": "a@example.com", "new_value": null, "identity_type": "email"}',
    ),
    "identity_matches_nobody": Code(
        "note",
        "none",
        "No type in known_identities is in the identity priority of the workspace, so that each request makes a profile.",
        "identity.md §10",
        '{"known_identities": {"push_token": "p1"}}',
    ),
    "identity_member_ignored": Code(
        "warning",
        "none",
        "A member of an identity request is unknown, or has a value that mParticle does not document; it is passed over.",
        "identity.md §3, §7",
        '{"request_timestamp_unixtime_ms": 1700000000000}',
    ),
    "identity_value_absent": Code(
        "note",
        "none",
        "An identity is null or an empty text, as the web SDK sends what an app does not know; it was read as absent.",
        "identity.md §3",
        '{"known_identities": {"customerid": "c1", "email": null}}',
    ),
    "previous_mpid_as_number": Code(
        "note",
        "none",
        "previous_mpid is a number, as the Android SDK writes it; the documented type is text.",
        "identity.md §3",
        '{"previous_mpid": 143639790194017899}',
    ),
}


def make(
    code: str,
    message: str,
    *,
    pointer: str = "",
    raw_pointer: str | None = None,
    index: int | None = None,
    hint: str | None = None,
) -> Finding:
    """A finding of a code of the table, with the table's severity."""
    return Finding(code, CODES[code].severity, message, pointer, raw_pointer, index, hint)


def help_of(code: str) -> str:
    """Where a code is explained: a place in this project's documentation, and what `mparticle-fake explain` takes."""
    return f"docs/findings.md#{code}"


def worst(findings: list[Finding]) -> Severity | None:
    """The highest severity among `findings`, or None if there are none."""
    return max((finding.severity for finding in findings), key=SEVERITIES.index, default=None)
