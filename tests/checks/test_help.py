"""Whoever is shown a finding is shown where its code is explained; records do not have that."""

from typing import Any

import msgspec
from rich.console import Console

from mparticle_fake_server.checks.finding import CODES, Finding, help_of, make
from mparticle_fake_server.items import batch_items, request_item
from mparticle_fake_server.recording import BatchRecord, RequestRecord
from mparticle_fake_server.terminal import batch_lines, request_lines

FINDING = make("email_malformed", "No address.", pointer="/user_identities/email", hint="Send one.")


def record(findings: list[Finding], about: list[Finding]) -> RequestRecord:
    return RequestRecord(
        received_at_ms=0, workspace="default", key="k", source="events_api", dialect="standard", method="POST",
        path="/v2/events", query="", remote="", headers=b"", status=202, body=b'{"mpid":7}',
        findings=tuple(findings), batches=(BatchRecord("accepted", tuple(about)),),
    )  # fmt: skip


def shown(value: object) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return made


def test_a_finding_of_a_batch_item_names_where_its_code_is_explained() -> None:
    (item,) = batch_items(record([], [FINDING]))

    (finding,) = shown(item)["findings"]

    assert finding == {**shown(FINDING), "help": "docs/findings.md#email_malformed"}


def test_findings_of_a_request_item_and_of_its_batches_do_so() -> None:
    item = request_item(record([FINDING], [FINDING]))

    assert [shown(finding)["help"] for finding in [*item.findings, *item.batches[0].findings]] == [help_of(FINDING.code)] * 2


def test_it_is_not_recorded() -> None:
    recorded = record([FINDING], [FINDING])
    list(batch_items(recorded))

    assert b"docs/findings.md" not in msgspec.json.encode([recorded.findings, recorded.batches])


def test_what_is_shown_can_be_read_as_a_finding_again() -> None:
    (item,) = batch_items(record([], [FINDING]))

    assert msgspec.json.decode(msgspec.json.encode(item.findings), type=list[Finding]) == [FINDING]


def test_the_terminal_shows_it_behind_the_hint() -> None:
    (item,) = batch_items(record([], [FINDING]))
    console = Console(width=300)

    with console.capture() as printed:
        for line in [*batch_lines(shown(item)), *request_lines(shown(request_item(record([FINDING], []))))]:
            console.print(line)

    assert printed.get().count("No address. Send one. (docs/findings.md#email_malformed)\n") == 2


def test_each_code_has_its_place() -> None:
    assert {help_of(code).rpartition("#")[2] for code in CODES} == CODES.keys()
