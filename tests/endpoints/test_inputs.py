"""`DELETE /_fake/workspaces/{name}/inputs/{key}`: an input is taken away, and what it sent stays."""

from tests.hosts import Fake, batch


def test_an_input_that_was_taken_away_is_refused_and_what_it_sent_stays(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "key"}, {"key": "other"}]}')
    fake.upload(batch())

    reply = fake.request("DELETE", "/_fake/workspaces/shop/inputs/key")

    assert (reply.status, reply.json["inputs"]) == (200, [{"key": "other", "any_secret": True}])
    assert len(fake.items("batches?workspace=shop")) == 1
    assert fake.upload(batch()).status == 202
    assert len(fake.items("batches?workspace=default")) == 1


def test_a_key_that_was_taken_away_may_go_to_another_workspace(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "key"}]}')
    fake.request("DELETE", "/_fake/workspaces/shop/inputs/key")

    reply = fake.request("POST", "/_fake/workspaces", b'{"name": "app", "inputs": [{"key": "key"}]}')

    assert reply.status == 201


def test_an_unknown_workspace_or_key_is_404(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "key"}]}')

    replies = [fake.request("DELETE", f"/_fake/workspaces/{place}") for place in ("shop/inputs/other", "app/inputs/key")]

    assert [reply.status for reply in replies] == [404, 404]
    assert replies[0].messages == ["There is no workspace 'shop' with an input of the key 'other'."]
