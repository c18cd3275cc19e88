"""EventsApi: what a call sends, returns and raises, against the fake and against scripted answers."""

import gzip
import os
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import mparticle_sdk as mparticle
from mparticle_sdk import codec, limits
from tests.hosts import Fake, server_host
from tests.sdk.client_servers import Reply, answering, scripted

KEY, SECRET = "an-input-key", "a-secret-of-the-usual-length"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with server_host(credentials=[(KEY, SECRET, "default")], unknown_keys=False) as opened:
        yield opened


@pytest.fixture
def api(fake: Fake) -> Iterator[mparticle.EventsApi]:
    with mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=fake.url)) as opened:
        yield opened


def batch(name: str = "Play", **members: Any) -> mparticle.Batch:
    made = mparticle.Batch(environment="development", **members)
    made.add_event(mparticle.AppEvent(name, "other"))
    return made


def numbered(count: int) -> list[mparticle.Batch]:
    return [batch(source_request_id=f"b{number}") for number in range(count)]


def of_size(size: int) -> mparticle.Batch:
    """A batch of so many bytes of JSON: attributes of 1000 characters, and one that fills up."""
    made = mparticle.Batch(environment="development", user_attributes={})
    attributes = made.user_attributes = {}
    while size - len(made.to_json()) > 2_000:
        attributes[f"a{len(attributes)}"] = "x" * 1_000
    attributes["last"] = ""
    attributes["last"] = "x" * (size - len(made.to_json()))
    assert len(made.to_json()) == size
    return made


def received(fake: Fake) -> list[str]:
    return [item["batch"]["source_request_id"] for item in fake.items("batches?limit=1000")]


def api_of(url: str, **settings: Any) -> mparticle.EventsApi:
    return mparticle.EventsApi(mparticle.Configuration(KEY, SECRET, host=url, **settings))


# -- one batch ---------------------------------------------------------------------------------------------------------------


def test_an_upload_returns_no_data_the_status_and_the_headers(api: mparticle.EventsApi) -> None:
    data, status, headers = api.upload_events(batch())

    assert (data, status) == (None, 202)
    assert headers["X-MP-Rate-Limit-Percentage-Used"] == headers["x-mp-rate-limit-percentage-used"]


def test_an_upload_with_http_info_returns_the_same(api: mparticle.EventsApi) -> None:
    _, status, _ = api.upload_events_with_http_info(batch())

    assert status == 202


def test_an_upload_for_its_data_only_returns_none(api: mparticle.EventsApi) -> None:
    assert api.upload_events(batch(), _return_http_data_only=True) is None


def test_the_body_may_be_given_by_name(api: mparticle.EventsApi, fake: Fake) -> None:
    api.upload_events(body=batch(source_request_id="by-name"))

    assert received(fake) == ["by-name"]


def test_the_fake_receives_what_the_batch_says(api: mparticle.EventsApi, fake: Fake) -> None:
    sent = batch(mpid=2**63 - 1, user_attributes={"name": "Zoë 🎉"})

    api.upload_events(sent)

    (item,) = fake.items("batches")
    assert (
        item["batch"] == sent.to_dict() | {"events": item["batch"]["events"]} or mparticle.Batch.from_dict(item["batch"]) == sent
    )
    assert mparticle.Batch.from_dict(item["batch"]) == sent
    assert item["findings"] == []


def test_a_dictionary_may_stand_for_a_batch(api: mparticle.EventsApi, fake: Fake) -> None:
    api.upload_events({"environment": "development", "source_request_id": "dict", "a_new_member": [1]})

    (item,) = fake.items("batches")
    assert item["batch"] == {"environment": "development", "source_request_id": "dict", "a_new_member": [1]}


def test_the_request_names_the_sdk_and_json() -> None:
    with scripted() as server, api_of(server.url) as api:
        api.upload_events(batch())

    (seen,) = server.seen
    assert seen.path == "/v2/events"
    assert seen.headers["content-type"] == seen.headers["accept"] == "application/json"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"].startswith("mparticle-testkit Python client/")


@pytest.mark.parametrize("call", ["upload_events", "bulk_upload_events", "upload_events_with_http_info"])
def test_no_body_is_a_value_error_as_officially(api: mparticle.EventsApi, call: str) -> None:
    with pytest.raises(ValueError, match="got None"):
        getattr(api, call)(None)


@pytest.mark.parametrize("call", ["upload_events", "bulk_upload_events", "bulk_upload_events_with_http_info"])
def test_an_unexpected_keyword_is_a_type_error_as_officially(api: mparticle.EventsApi, call: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        getattr(api, call)([], colour="red")


def test_several_batches_for_a_single_upload_are_told_the_way(api: mparticle.EventsApi, fake: Fake) -> None:
    with pytest.raises(mparticle.ValidationError, match="body: expected a Batch, got list; use bulk_upload_events"):
        api.upload_events([batch()])  # type: ignore[call-overload]

    assert fake.items("requests") == []


# -- before sending ----------------------------------------------------------------------------------------------------------


def test_a_wrong_value_is_found_before_anything_is_sent(api: mparticle.EventsApi, fake: Fake) -> None:
    wrong = batch()
    wrong.environment = "prod"  # type: ignore[assignment]

    with pytest.raises(mparticle.ValidationError) as caught:
        api.upload_events(wrong)

    (problem,) = caught.value.problems
    assert problem.path == "environment"
    assert "did you mean 'production'?" in str(caught.value)
    assert caught.value.undelivered == [wrong]
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, mparticle.ApiException)
    assert fake.items("requests") == []


def test_every_problem_of_a_bulk_upload_is_told_at_once_with_its_path(api: mparticle.EventsApi, fake: Fake) -> None:
    bodies: list[Any] = numbered(5)
    bodies[1].environment = "prod"
    bodies[3].events[0].data.custom_event_type = "surfing"
    bodies[4] = "a batch"

    with pytest.raises(mparticle.ValidationError) as caught:
        api.bulk_upload_events(bodies)

    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["body[1].environment", "body[3].events[0].custom_event_type", "body[4]"]
    assert all(path in str(caught.value) for path in paths)
    assert caught.value.undelivered == bodies
    assert fake.items("requests") == []


@pytest.mark.parametrize("wrong", [float("nan"), b"bytes", "\ud800", object()], ids=["nan", "bytes", "surrogate", "object"])
def test_what_json_cannot_carry_is_a_validation_error(api: mparticle.EventsApi, fake: Fake, wrong: object) -> None:
    with pytest.raises(mparticle.ValidationError, match="user_attributes"):
        api.upload_events(mparticle.Batch(user_attributes={"x": wrong}))

    assert fake.items("requests") == []


def test_a_value_that_turns_wrong_after_it_was_found_right_is_a_validation_error(
    api: mparticle.EventsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [batch(), batch(user_attributes={"a": object()})]
    monkeypatch.setattr(codec, "problems", lambda *_: [])

    with pytest.raises(mparticle.ValidationError, match=r"body\[1\]: cannot be written as JSON: .*object") as caught:
        api.bulk_upload_events(sent)

    assert caught.value.undelivered == sent


def test_one_batch_in_place_of_a_list_is_told_the_way(api: mparticle.EventsApi) -> None:
    with pytest.raises(mparticle.ValidationError, match="expected a list of Batches, got Batch; put one batch into a list"):
        api.bulk_upload_events(batch())  # type: ignore[call-overload]


# -- bulk --------------------------------------------------------------------------------------------------------------------


def test_a_bulk_upload_within_the_limits_is_one_request(api: mparticle.EventsApi, fake: Fake) -> None:
    answers, status, headers = api.bulk_upload_events(numbered(limits.BATCHES_PER_REQUEST))

    (request,) = fake.items("requests")
    assert request["path"] == "/v2/bulkevents"
    assert [answer.status for answer in answers] == [status] == [202]
    assert headers == answers[-1].headers


def test_any_number_of_batches_is_split_and_keeps_its_order(api: mparticle.EventsApi, fake: Fake) -> None:
    batches = numbered(250)

    answers = api.bulk_upload_events((one for one in batches), _return_http_data_only=True)

    assert len(answers) == len(fake.items("requests")) == 3
    assert received(fake) == [one.source_request_id for one in batches]
    assert [len(request["batches"]) for request in fake.items("requests")] == [100, 100, 50]


def test_large_batches_are_split_by_the_size_of_a_request(api: mparticle.EventsApi, fake: Fake) -> None:
    # Two and a comma fill a request to the last byte; one byte more and the second has to wait.
    half = (limits.REQUEST_SIZE - 3) // 2
    fitting = [of_size(half), of_size(limits.REQUEST_SIZE - 3 - half)]
    one_more = [of_size(half), of_size(limits.REQUEST_SIZE - 2 - half)]

    api.bulk_upload_events(fitting)
    api.bulk_upload_events(one_more)

    sizes = [fake.ask(f"requests/{request['id']}")["body_bytes"] for request in fake.items("requests")]
    assert sizes[0] == limits.REQUEST_SIZE
    assert len(sizes) == 3


@pytest.mark.parametrize("bulk", [False, True])
def test_a_batch_of_the_size_of_a_request_goes_and_one_byte_more_does_not(
    api: mparticle.EventsApi, fake: Fake, bulk: bool
) -> None:
    room = limits.REQUEST_SIZE - (2 if bulk else 0)
    small, largest, too_large = of_size(100), of_size(room), of_size(room + 1)

    if bulk:
        api.bulk_upload_events([small, largest])
        with pytest.raises(mparticle.ValidationError) as caught:
            api.bulk_upload_events([small, too_large])
        assert caught.value.problems[0].path == "body[1]"
    else:
        api.upload_events(largest)
        with pytest.raises(mparticle.ValidationError) as caught:
            api.upload_events(too_large)

    assert f"{room + 1:,} bytes" in str(caught.value)
    assert len(fake.items("batches")) == (2 if bulk else 1)


def test_a_bulk_upload_of_nothing_makes_no_request(api: mparticle.EventsApi, fake: Fake) -> None:
    assert api.bulk_upload_events([]) == ([], 0, {})
    assert fake.items("requests") == []


def test_the_first_part_that_fails_ends_the_upload_and_tells_what_was_not_delivered() -> None:
    batches = numbered(350)
    with (
        scripted(answering(Reply(), Reply(), Reply(503, body=b"busy"))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.ServerError) as caught,
    ):
        api.bulk_upload_events(batches)

    assert len(server.seen) == 3
    assert [answer.status for answer in caught.value.delivered] == [202, 202]
    assert caught.value.undelivered == batches[200:]
    assert caught.value.undelivered[0] is batches[200]
    assert "batches not delivered: 150" in str(caught.value)


# -- a snapshot --------------------------------------------------------------------------------------------------------------


def test_events_that_come_while_a_bulk_upload_is_under_way_are_not_sent(fake: Fake) -> None:
    batches = numbered(201)

    def meddle(_: Any) -> Reply:
        batches[200].add_event(mparticle.AppEvent("late", "other"))
        batches[150].user_attributes = {"late": True}
        batches.append(batch("later still"))
        return Reply()

    with scripted(meddle) as server, api_of(server.url) as api:
        answers, _, _ = api.bulk_upload_events(batches)

    assert len(answers) == 3
    assert not [seen for seen in server.seen if b"late" in seen.body]


def test_what_a_callback_upload_sends_is_what_the_batch_was_at_the_call(api: mparticle.EventsApi, fake: Fake) -> None:
    sent = batch("early")

    thread = api.upload_events(sent, callback=lambda _: None)
    sent.events = [mparticle.AppEvent("late", "other")]
    thread.join()

    (event,) = fake.items("events")
    assert event["event"]["data"]["event_name"] == "early"


def test_an_object_that_two_batches_share_is_sent_with_both(api: mparticle.EventsApi, fake: Fake) -> None:
    identities = mparticle.UserIdentities(customerid="shared")
    first, second = batch(user_identities=identities), batch(user_identities=identities)

    api.bulk_upload_events([first, second])
    identities.customerid = "changed"
    api.upload_events(second)

    recorded = [item["batch"]["user_identities"]["customer_id"] for item in fake.items("batches")]
    assert recorded == ["shared", "shared", "changed"]


# -- callbacks ---------------------------------------------------------------------------------------------------------------


def test_a_callback_gets_what_the_call_would_have_returned(api: mparticle.EventsApi) -> None:
    results: list[Any] = []

    thread = api.upload_events(batch(), callback=results.append)

    assert isinstance(thread, threading.Thread)
    thread.join()
    ((data, status, headers),) = results
    assert (data, status) == (None, 202)
    assert "date" in headers


def test_a_callback_for_the_data_only_gets_the_data(api: mparticle.EventsApi) -> None:
    results: list[Any] = []

    api.upload_events_with_http_info(batch(), callback=results.append, _return_http_data_only=True).join()
    api.bulk_upload_events(numbered(101), callback=results.append, _return_http_data_only=True).join()

    assert results[0] is None
    assert [answer.status for answer in results[1]] == [202, 202]


def test_a_callback_is_told_of_a_failure_by_exactly_the_official_class(fake: Fake) -> None:
    results: list[Any] = []
    sent = batch()
    with mparticle.EventsApi(mparticle.Configuration(KEY, "not the secret", host=fake.url)) as api:
        api.upload_events(sent, callback=results.append).join()

    (error,) = results
    assert type(error) is mparticle.ApiException
    assert isinstance(error.__cause__, mparticle.ForbiddenError)
    assert (error.status, error.errors[0].code, error.undelivered) == (403, "FORBIDDEN", [sent])


def test_a_callback_is_told_of_a_connection_that_failed() -> None:
    results: list[Any] = []

    api_of("http://127.0.0.1:9").upload_events(batch(), callback=results.append).join()

    assert [type(result) for result in results] == [mparticle.ApiException]
    assert isinstance(results[0].__cause__, mparticle.ConnectionFailedError)


@pytest.mark.parametrize("upload", ["upload_events", "bulk_upload_events"])
def test_what_cannot_be_called_back_is_told_before_anything_is_sent(upload: str) -> None:
    with scripted() as server, api_of(server.url) as api, pytest.raises(TypeError, match="callback is of type str; expected a"):
        getattr(api, upload)([batch()] if "bulk" in upload else batch(), callback="done")

    assert server.seen == []


def test_an_invalid_batch_is_raised_before_the_thread_starts(api: mparticle.EventsApi) -> None:
    results: list[Any] = []

    with pytest.raises(mparticle.ValidationError):
        api.upload_events(mparticle.Batch(environment="prod"), callback=results.append)  # type: ignore[arg-type]

    assert results == []


# -- answers that are no success ---------------------------------------------------------------------------------------------

ERROR_BODY = b'{"errors":[{"code":"BAD_REQUEST","message":"Required event field \\"event_type\\" is missing or empty."}]}'


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, mparticle.BadRequestError),
        (401, mparticle.UnauthorizedError),
        (403, mparticle.ForbiddenError),
        (404, mparticle.ApiException),
        (413, mparticle.TooLargeError),
        (429, mparticle.TooManyRequestsError),
        (500, mparticle.ServerError),
        (503, mparticle.ServerError),
        (599, mparticle.ServerError),
    ],
)
def test_a_status_has_its_exception(status: int, kind: type[mparticle.ApiException]) -> None:
    with (
        scripted(answering(Reply(status, {"X-Told": "yes"}, ERROR_BODY))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.ApiException) as caught,
    ):
        api.upload_events(batch())

    error = caught.value
    assert type(error) is kind
    assert (error.status, error.body) == (status, ERROR_BODY.decode())
    assert error.headers is not None
    assert error.headers["x-told"] == "yes"
    assert error.errors == [mparticle.ApiResponseErrors("BAD_REQUEST", 'Required event field "event_type" is missing or empty.')]
    assert str(error).startswith(f"({status}) ")
    assert "BAD_REQUEST: Required event field" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"[1]",
        b'{"errors":null}',
        b'{"errors":{"code":1}}',
        b'{"errors":["x",7]}',
        b"\xff\xfe",
        b"{",
    ],
)
def test_an_error_body_of_another_form_leaves_no_errors_and_is_kept(body: bytes) -> None:
    with (
        scripted(answering(Reply(502, body=body))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.ServerError) as caught,
    ):
        api.upload_events(batch())

    assert caught.value.errors == []
    assert caught.value.body == body.decode(errors="replace")
    assert str(caught.value).startswith("(502) Bad Gateway")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"one\r\n\x1b[2Jtwo\x07", "(400) Bad Request: one\n\\x1b[2Jtwo\\x07"),
        (
            b'{"errors":[{"code":"\\u001b[31m","message":"\\u202eabc\\u0085"}]}',
            "(400) Bad Request: \\x1b[31m: \\u202eabc\\x85",
        ),
    ],
)
def test_the_text_of_an_exception_steers_no_terminal(body: bytes, shown: str) -> None:
    with (
        scripted(answering(Reply(400, body=body))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.BadRequestError) as caught,
    ):
        api.upload_events(batch())

    assert str(caught.value) == shown
    assert caught.value.body == body.decode()


def test_the_text_of_a_validation_error_steers_no_terminal() -> None:
    with pytest.raises(mparticle.ValidationError, match=r"device_info.\\x1b\[2J: nan is no number"):
        mparticle.Batch(device_info={"\x1b[2J": float("nan")}).validate()  # type: ignore[arg-type]


def test_of_many_errors_the_text_of_an_exception_shows_the_first() -> None:
    entry = b'{"code":"BAD_REQUEST","message":"%s"}' % (b"x" * 100)
    with (
        scripted(answering(Reply(400, body=b'{"errors":[%s]}' % b",".join([entry] * 1000)))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.BadRequestError) as caught,
    ):
        api.upload_events(batch())

    assert len(caught.value.errors) == 1000
    assert 5000 < len(str(caught.value)) < 5100


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_of_an_answer_that_is_too_long_only_the_beginning_is_read(encoding: str | None) -> None:
    body = b"x" * 3_000_000
    headers = {"Content-Encoding": encoding} if encoding else {}
    reply = Reply(502, headers, gzip.compress(body) if encoding else body)
    with scripted(answering(reply)) as server, api_of(server.url) as api:
        with pytest.raises(mparticle.ServerError) as caught:
            api.upload_events(batch())
        _, status, _ = api.upload_events(batch())

    assert caught.value.body == "x" * 1_000_000
    assert status == 202


def test_members_of_an_error_that_are_no_text_are_read_as_text() -> None:
    body = b'{"errors":[{"code":7,"message":null},{}]}'
    with (
        scripted(answering(Reply(400, body=body))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.BadRequestError) as caught,
    ):
        api.upload_events(batch())

    assert [error.to_dict() for error in caught.value.errors] == [
        {"code": "7", "message": None},
        {"code": None, "message": None},
    ]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2), (" 30 ", 30), ("0", 0), ("soon", None), ("-1", None), ("1.5", None), ("٣", None), (None, None)],
)
def test_retry_after_is_a_whole_number_of_seconds_or_none(header: str | None, seconds: int | None) -> None:
    error = mparticle.TooManyRequestsError(429, "Too Many Requests")
    error.headers = {} if header is None else {"Retry-After": header}

    assert error.retry_after == seconds


def test_a_429_holds_up_no_other_call() -> None:
    with scripted(answering(Reply(429, {"Retry-After": "60"}))) as server, api_of(server.url) as api:
        with pytest.raises(mparticle.TooManyRequestsError) as caught:
            api.upload_events(batch())
        _, status, _ = api.upload_events(batch())

    assert caught.value.retry_after == 60
    assert (status, len(server.seen)) == (202, 2)


def test_a_redirect_is_not_followed_with_the_credentials() -> None:
    with scripted() as elsewhere:
        moved = Reply(302, {"Location": f"{elsewhere.url}/v2/events"})
        with (
            scripted(answering(moved, moved)) as server,
            api_of(server.url) as api,
            pytest.raises(mparticle.ApiException) as caught,
        ):
            api.upload_events(batch())

    assert caught.value.status == 302
    assert elsewhere.seen == []


def test_a_cookie_of_the_server_is_not_sent_back() -> None:
    with scripted(answering(Reply(202, {"Set-Cookie": "a=b"}))) as server, api_of(server.url) as api:
        api.upload_events(batch())
        api.upload_events(batch())

    assert "cookie" not in server.seen[1].headers


def test_the_official_constructor_of_the_exception_works() -> None:
    class Official:
        status, reason, data = 400, "Bad Request", "{}"

        def getheaders(self) -> dict[str, str]:
            return {"a": "b"}

    nothing, told, response = (
        mparticle.ApiException(),
        mparticle.ApiException(500, "no"),
        mparticle.ApiException(http_resp=Official()),
    )

    assert (nothing.status, nothing.reason, nothing.body, nothing.headers) == (None, None, None, None)
    assert (told.status, told.reason) == (500, "no")
    assert (response.status, response.reason, response.body, response.headers) == (400, "Bad Request", "{}", {"a": "b"})


def test_exceptions_survive_another_process() -> None:
    batches = numbered(101)
    with (
        scripted(answering(Reply(), Reply(429, {"Retry-After": "7"}))) as server,
        api_of(server.url) as api,
        pytest.raises(mparticle.TooManyRequestsError) as caught,
    ):
        api.bulk_upload_events(batches)
    invalid = mparticle.ValidationError([mparticle.Problem("a", "b")])

    copy, invalid_copy = pickle.loads(pickle.dumps(caught.value)), pickle.loads(pickle.dumps(invalid))

    assert (type(copy), copy.retry_after, copy.undelivered) == (mparticle.TooManyRequestsError, 7, batches[100:])
    assert str(copy) == str(caught.value)
    assert (str(invalid_copy), invalid_copy.problems) == (str(invalid), invalid.problems)


# -- connections and threads ---------------------------------------------------------------------------------------------------


def test_uploads_one_after_the_other_share_a_connection() -> None:
    with scripted(answering(Reply(), Reply(500))) as server, api_of(server.url) as api:
        for number in range(20):
            try:
                api.upload_events(batch(str(number)))
            except mparticle.ServerError:
                assert number == 1

    assert (len(server.seen), len(server.connections)) == (20, 1)


def test_callback_uploads_one_after_the_other_share_a_connection_too() -> None:
    with scripted() as server, api_of(server.url) as api:
        for _ in range(5):
            api.upload_events(batch(), callback=lambda _: None).join()

    assert (len(server.seen), len(server.connections)) == (5, 1)


def test_threads_share_an_api_and_every_batch_arrives_once(api: mparticle.EventsApi, fake: Fake) -> None:
    failures: list[BaseException] = []

    def upload(worker: int) -> None:
        try:
            for number in range(25):
                api.upload_events(batch(source_request_id=f"{worker}-{number}"))
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test tells
            failures.append(error)

    threads = [threading.Thread(target=upload, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(received(fake)) == sorted(f"{worker}-{number}" for worker in range(8) for number in range(25))


def test_threads_have_a_connection_each() -> None:
    together = threading.Barrier(4, timeout=20)

    def meet(_: Any) -> Reply:
        together.wait()
        return Reply()

    with scripted(meet) as server, api_of(server.url) as api:
        threads = [api.upload_events(batch(), callback=lambda _: None) for _ in range(4)]
        for thread in threads:
            thread.join()
        threads = [api.upload_events(batch(), callback=lambda _: None) for _ in range(4)]
        for thread in threads:
            thread.join()

    assert (len(server.seen), len(server.connections)) == (8, 4)


def test_after_close_a_call_opens_a_new_connection() -> None:
    with scripted() as server:
        with api_of(server.url) as api:
            api.upload_events(batch())
        api.close()
        api.upload_events(batch())
        api.close()

    assert len(server.connections) == 2


def test_two_apis_of_one_configuration_share_its_client(fake: Fake) -> None:
    configuration = mparticle.Configuration(KEY, SECRET, host=fake.url)

    with mparticle.EventsApi(configuration) as one, mparticle.EventsApi(configuration) as other:
        assert one.api_client is other.api_client is configuration.api_client


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_process_does_not_write_to_its_parents_connection() -> None:
    with scripted() as server, api_of(server.url) as api:
        api.upload_events(batch("before"))
        child = os.fork()
        if child == 0:
            try:
                api.upload_events(batch("child"))
                os._exit(0)
            except BaseException:  # noqa: BLE001
                os._exit(1)
        _, status = os.waitpid(child, 0)
        api.upload_events(batch("after"))

    assert os.waitstatus_to_exitcode(status) == 0
    assert (len(server.seen), len(server.connections)) == (3, 2)


# -- ApiClient ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [SECRET, {"api_key": KEY, "api_secret": SECRET}], ids=["text", "dictionary"])
def test_an_api_client_of_anything_but_a_configuration_is_told_the_way(given: Any) -> None:
    with pytest.raises(TypeError, match=r"ApiClient\(.*\) got a value of type (str|dict); expected a Configuration") as raised:
        mparticle.ApiClient(configuration=given)

    assert SECRET not in str(raised.value)
    with pytest.raises(TypeError, match=r"EventsApi got a value of type (str|dict); expected a Configuration"):
        mparticle.EventsApi(given)


def test_an_api_client_has_a_host_a_header_and_a_cookie_of_its_own() -> None:
    with scripted() as server:
        configuration = mparticle.Configuration(KEY, SECRET)
        client = mparticle.ApiClient(server.url, "X-Team", "growth", "a=b", configuration)
        configuration.api_client = client
        client.user_agent = "shop/1.0"
        with mparticle.EventsApi(configuration) as api:
            api.upload_events(batch())
            client.set_default_header("X-Team", "data")
            api.upload_events(batch())

    first, second = (seen.headers for seen in server.seen)
    assert (first["x-team"], first["cookie"], first["user-agent"]) == ("growth", "a=b", "shop/1.0")
    assert second["x-team"] == "data"


def test_credentials_and_host_may_change_between_uploads(fake: Fake) -> None:
    with scripted() as server:
        configuration = mparticle.Configuration("", "", host=server.url)
        with mparticle.EventsApi(configuration) as api:
            api.upload_events(batch())
            configuration.api_key, configuration.api_secret = KEY, SECRET
            api.api_client.host = f"{fake.url}"
            _, status, _ = api.upload_events(batch())

    assert status == 202
    assert len(server.seen) == 1


def test_the_api_client_tells_what_would_be_sent() -> None:
    sent = batch(user_identities=mparticle.UserIdentities(customerid="c1"))

    assert mparticle.ApiClient.sanitize_for_serialization([sent])[0]["user_identities"] == {"customer_id": "c1"}
