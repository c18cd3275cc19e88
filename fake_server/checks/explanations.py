"""What there is to say of a code beside the table of them: how to mend what it tells, and what its source rests on.

For `mparticle-fake explain`, `docs/render.py` and reports of `validate`; nothing here is needed to check.
"""

import re
from typing import Final

EFFECTS: Final = {"refuse": "refuses the request", "drop": "drops the batch", "alter": "alters it", "none": "nothing"}
"""What mParticle does, by the effect of a code."""

_HTTP: Final = "mParticle's documentation: Events API, HTTP"
_JSON: Final = "mParticle's documentation: Events API, JSON Reference"
_LIMITS: Final = "mParticle's documentation: Default Service Limits"
_IDSYNC: Final = "mParticle's documentation: IDSync, HTTP API"
_SCHEMA: Final = f"{_JSON}; mParticle's published JSON Schema and SDKs, where they say more"
_CLIENTS: Final = "the code of mParticle's web, Android and Apple SDKs, and what they send"
_SDKS: Final = "the code of mParticle's official SDKs, and what they send"

SOURCES: Final = {
    # The notes that CODES names are ours; this is what they rest on.
    "--max-body": "the server's option --max-body",
    "HTTP": "RFC 9112",
    "PUT /_fake/faults": "whoever called PUT /_fake/faults, or `fail_next`, `fail_always` or `delay` in pytest",
    "batch-schema.md §0": _SDKS,
    "batch-schema.md §2.1": f"{_JSON}; {_IDSYNC}",
    "batch-schema.md": _SCHEMA,
    "events-api.md §5": f"{_LIMITS}; Events API, HTTP",
    "events-api.md §10": _SDKS,
    "events-api.md": _HTTP,
    "identity.md": _IDSYNC,
    "client-sdks.md": _CLIENTS,
    "mparticle-fake serve --credential": "the server's option --credential",
}
"""By the longest beginning of a source; a source without an entry is understood by everybody."""

MENDING: Final = {
    "path_unknown": "Send to /v2/events or /v2/bulkevents; check that the host in the SDK's configuration ends with /v2.",
    "method_not_allowed": "Upload with POST.",
    "credentials_missing": "Configure key and secret in the SDK; by hand, send `Authorization: Basic` and base64 of KEY:SECRET.",
    "credentials_wrong": "Take key and secret of the same input; `GET /_fake/workspaces` lists the keys that the fake knows.",
    "body_too_large": "Split the request: mParticle takes 256 KB.",
    "http_broken": "Let an HTTP client write the request.",
    "server_error": "Report it, with the request.",
    "body_incomplete": "Give the client a longer timeout, and let Content-Length be the number of bytes.",
    "fault_injected": "Nothing needs mending: see that the client does what it should, such as to send again after Retry-After.",
    "delay_injected": "Nothing needs mending: see that the client waits, or gives up in time and sends again.",
    "content_encoding_unknown": "Compress with gzip, or not at all.",
    "compression_broken": "Compress the whole body once, or leave Content-Encoding out.",
    "charset_unknown": "Send UTF-8; `Content-Type: application/json` needs no charset.",
    "encoding_broken": "Encode the body as UTF-8.",
    "json_broken": "Let a JSON library write the body. An empty body is what the Python SDK sends for an empty batch.",
    "json_too_deep": "Look for an object that holds itself, and flatten attributes.",
    "number_out_of_range": "Send an id as text; check the computation of an amount.",
    "integer_beyond_64_bits": "Send an id of this size as text.",
    "lone_surrogate": "Cut text between characters, not between UTF-16 units: in JavaScript `[...text].slice(0, n).join('')`.",
    "duplicate_member": "Keep one of the two; look for code that puts JSON together as text, or writes a member twice.",
    "wrong_top_level": "Send one batch to /v2/events, or an array of batches to /v2/bulkevents.",
    "too_many_batches": "Split the request; the SDK's `bulk_upload_events` does.",
    "event_type_missing": 'Wrap the data: `{"event_type": "custom_event", "data": {…}}`.',
    "duplicate_batch": "Give each batch a `source_request_id` of its own; keep it only when you send the same batch again.",
    "historical_without_events": "Send updates of profiles to /v2/events.",
    "historical_without_timestamp": "Give every event its `timestamp_unixtime_ms`.",
    "historical_too_recent": "Send what is less than 72 hours old to /v2/events or /v2/bulkevents.",
    "required_missing": "Add the member; the message says which, and whether another looks like a misspelling of it.",
    "wrong_type": 'Send the documented JSON type: 5 is not "5", true is not "true", one item is not a list of one.',
    "unknown_value": "Take one of the values that the message lists. Case counts.",
    "malformed_value": "Bring the text into the form that the message describes.",
    "out_of_range": "Check the unit: hours and not minutes, degrees and not radians, latitude before longitude.",
    "event_type_unknown": "Take a documented type; what has none is a `custom_event` with an `event_name`.",
    "attribute_nested": "Flatten it (`address_city`), or send it as JSON text. Lists are for user attributes only.",
    "unknown_member": "Correct the name; data of your own belongs in `custom_attributes` or `user_attributes`.",
    "misplaced_member": "Move the member to where the message says that it belongs.",
    "recommended_missing": "Add the member.",
    "environment_missing": 'Say `"environment": "development"` in tests and `"production"` otherwise.',
    "number_as_string": "Send a JSON number. In Python convert `Decimal` to `float`; this SDK does.",
    "mpid_as_string": "Send an integer, where the language can hold 64 bits; JavaScript cannot, so there text is right.",
    "event_name_too_long": "Shorten the name; what varies belongs in attributes.",
    "name_blank": "Give it a name that says what happened; look for a variable that is empty.",
    "too_many_attributes": "Send fewer attributes, or several events.",
    "attribute_name_too_long": "Shorten the name; what varies belongs in the value.",
    "attribute_value_too_long": "Shorten the value, or store it elsewhere and send a reference.",
    "too_many_user_attributes": "Spread the attributes over several batches, or send only those that changed.",
    "user_attribute_name_too_long": "Shorten the name; what varies belongs in the value.",
    "user_attribute_value_too_long": "Shorten the value, or store it elsewhere and send a reference.",
    "user_attribute_list_too_long": "Keep the latest 1000 entries, or send events instead.",
    "user_attribute_entry_too_long": "Shorten the entry.",
    "action_identifier_too_long": "Shorten it to 100 characters.",
    "too_many_consent_purposes": "Group purposes: a regulation has at most 100.",
    "batch_too_large": "Spread the events over several batches.",
    "request_too_large": "Send fewer batches in a request; the SDK's `bulk_upload_events` splits by size.",
    "too_many_event_names": "Put ids, dates and numbers into attributes and not into names.",
    "commerce_without_action": "Set one of `product_action`, `promotion_action` and `product_impressions`.",
    "commerce_with_several_actions": "Send an event for each.",
    "crash_report_as_commerce": "Use an SDK that labels it `crash_report`, as this one does.",
    "attribution_incomplete": "Send publisher and campaign as custom attributes; give an event of another meaning another name.",
    "crash_report_empty": "Send the class and message of the error, and where it happened.",
    "session_without_id": "Make a UUID when the session begins, and give each of its events that `session_uuid`.",
    "session_end_without_start": "Send a `session_start` with the same `session_uuid` first.",
    "session_id_differs": "Give all events of a session one `session_uuid`.",
    "session_duration_contradicts": "Compute the duration in milliseconds, end minus start.",
    "timestamp_not_milliseconds": "Multiply seconds by 1000: in Python `int(time.time() * 1000)`.",
    "timestamp_in_future": "Set the clock, and send UTC: a local time taken for UTC is hours off.",
    "timestamp_too_old": "Send it to /v2/bulkevents/historical; look for a time that is not set, or a clock that was.",
    "identity_missing": "Set `user_identities`, `mpid` or a device id.",
    "identity_placeholder": "Leave an identity out if there is none; look for text made of null or undefined.",
    "email_malformed": "Send one address, or leave it out.",
    "customer_id_is_email": "Send the address as `email`, and an id that never changes as `customer_id`.",
    "reserved_attribute_misused": "Take a reserved name exactly as listed, or a name without $.",
    "attribute_kind_changed": "Use another name for the list, or delete the attribute first, with `deleted_user_attributes`.",
    "product_total_contradicts": "Let the total be price times quantity, or leave it out.",
    "personal_data": "Send a user's address as identity, a card number never. The address of your support may stay.",
    "customerid_spelling": "Nothing needs mending where an SDK writes it; by hand, write `customer_id`.",
    "upper_case_enum": "Nothing needs mending where the Java SDK writes it; by hand, write the documented value.",
    "promotion_action_number": "Nothing needs mending where the web SDK writes it; by hand, write `view` or `click`.",
    "native_key_unknown": "Nothing is lost. By hand, use the native SDKs' keys, or send the documented form to /v2/events.",
    "signature_missing": "Let the SDK sign; by hand, send Date and x-mp-signature.",
    "signature_wrong": "Compare the string in the finding with what the client signs; if they are the same, the secrets differ.",
    "signature_unchecked": "Name the secret: `serve --credential KEY:SECRET`.",
    "alias_wrong": "Name two profiles, and a range that ends after it begins.",
    "audience_wrong": "Send `?mpid=` of the user.",
    "identity_member_missing": "Send `environment` and at least one identity; a change has all three members.",
    "identity_member_wrong": "Send identities as text, and `production` or `development`.",
    "identity_type_unknown": "Use the Identity API's names: `customerid`, `other2`, `device_application_stamp`.",
    "mpid_out_of_range": "Keep mpids as text.",
    "profile_not_found": "Identify first, or search by a login ID.",
    "profile_unknown": "Identify again; a memory store forgets everybody at a restart.",
    "identity_kept": "Call modify to change an identity.",
    "identity_change_mismatch": "Take the old value from the profile as it is now.",
    "identity_matches_nobody": "Send an identity of the priority list too.",
    "identity_member_ignored": "Leave it out, or write it as documented.",
    "identity_value_absent": "Leave out what is not known.",
    "previous_mpid_as_number": "Nothing needs mending where the Android SDK writes it.",
}
"""How to mend what a code tells."""


def source(sources: str) -> str:
    """What the sources of a code (`Code.source`) rest on, each once: documents that everybody can read."""
    known = sorted(SOURCES, key=len, reverse=True)
    parts = re.sub(r", §", " and §", sources).split(", ")
    named = [next((SOURCES[beginning] for beginning in known if _begins(part, beginning)), part) for part in parts]
    return "; ".join(dict.fromkeys(named))


def _begins(source: str, beginning: str) -> bool:
    return source == beginning or (beginning.endswith(".md") and source.startswith(beginning))
