"""Strict by default: a test fails for what it sent, unless that is allowed; warnings, the section in the report."""

import re

import pytest

from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]


def test_a_flawless_batch_passes(suite: Suite) -> None:
    suite.write("""
        def test_good(fake_mparticle):
            assert send(fake_mparticle, GOOD) == 202
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_an_error_finding_fails_the_test_that_sent_it_and_no_other(suite: Suite) -> None:
    suite.write("""
        def test_bad(fake_mparticle):
            assert send(fake_mparticle, BAD) == 202

        def test_good(fake_mparticle):
            assert send(fake_mparticle, GOOD) == 202
    """)

    result = suite.run()

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ test_bad _*",
            "required_missing: production would not take what this test sent.",
            "",
            "  batch 1.0 (POST /v2/events, answered 202), altered",
            "    error required_missing at /events/0/data: events[[]0].data has no custom_event_type, *",
            "",
            'If it is meant to: @pytest.mark.mparticle(allow_invalid=[[]"required_missing"]); for all tests: mparticle_allow.',
            "*- mParticle -*",
            "FAILED test_it.py::test_bad - Failed: required_missing: production would*",
        ]
    )


def test_a_test_that_fails_by_itself_fails_once(suite: Suite) -> None:
    suite.write("""
        def test_bad(fake_mparticle):
            send(fake_mparticle, BAD)
            assert "itself" == ""
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*production would not take*")
    result.stdout.fnmatch_lines(["*assert 'itself' == ''*", "*- mParticle -*", "*error required_missing at *"])


def test_a_dropped_batch_fails_although_its_finding_is_a_warning(suite: Suite) -> None:
    suite.write("""
        def test_twice(fake_mparticle):
            assert [send(fake_mparticle, batch(event(), source_request_id="r1")) for _ in range(2)] == [202, 202]
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  batch 2.0 (*), dropped", "    warning duplicate_batch at /source_request_id: *"])


def test_a_refused_request_fails_although_it_has_no_batch(suite: Suite) -> None:
    suite.write("""
        def test_broken(fake_mparticle):
            assert send(fake_mparticle, b"{") == 400
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  request 1 (POST /v2/events, answered 400)", "    error json_broken*"])


def test_a_wrong_secret_for_the_key_of_the_test_fails_it(suite: Suite) -> None:
    suite.write("""
        def test_wrong(fake_mparticle):
            assert send(fake_mparticle, secret="wrong") == 403
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["    error credentials_wrong*"])


def test_what_a_fault_of_the_test_refused_does_not_fail_it(suite: Suite) -> None:
    suite.write("""
        def test_retry(fake_mparticle):
            fake_mparticle.fail_next(status=503)
            assert [send(fake_mparticle) for _ in range(2)] == [503, 202]
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_what_a_fixture_sends_in_its_teardown_is_judged_too(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture
        def client(fake_mparticle):
            yield
            send(fake_mparticle, BAD)

        def test_flush(client):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_flush*", "required_missing: *", "*- mParticle -*", "*required_missing*"]
    )


def test_what_was_judged_after_the_test_is_not_judged_again_in_teardown(suite: Suite) -> None:
    suite.write("""
        def test_bad(fake_mparticle):
            send(fake_mparticle, BAD)
    """)

    result = suite.run()

    result.assert_outcomes(failed=1, errors=0)


def test_an_expected_failure_may_be_one_of_what_was_sent(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.xfail(strict=True, reason="the shop forgets the type")
        def test_bad(fake_mparticle):
            send(fake_mparticle, BAD)
    """)

    result = suite.run()

    result.assert_outcomes(xfailed=1)


BREAKING_OFF = {
    "skip": ("", "pytest.skip('no tea today')", {"skipped": 1}),
    "importorskip": ("", "pytest.importorskip('no_such_module')", {"skipped": 1}),
    "xfail": ("", "pytest.xfail('the shop forgets')", {"xfailed": 1}),
    "marked xfail": ("@pytest.mark.xfail(strict=True)", "assert False", {"xfailed": 1}),
}


@pytest.mark.parametrize(("mark", "end", "outcome"), BREAKING_OFF.values(), ids=BREAKING_OFF)
@pytest.mark.parametrize(
    "before",
    ["send(fake_mparticle, BAD)", "send(fake_mparticle, b'{')", "fake_mparticle.fail_next()", "fake_mparticle.expect('x')"],
)
def test_a_test_that_breaks_off_is_not_made_red_by_what_it_did_before(
    suite: Suite, mark: str, end: str, outcome: dict[str, int], before: str
) -> None:
    suite.ini("filterwarnings = error")
    suite.write(f"""
        {mark}
        def test_breaks_off(fake_mparticle):
            {before}
            {end}
    """)

    result = suite.run()

    result.assert_outcomes(**outcome)
    assert result.ret == pytest.ExitCode.OK


def test_a_skipped_test_is_not_made_red_by_a_refusal_that_its_code_swallowed(suite: Suite) -> None:
    suite.write("""
        import contextlib, requests

        @pytest.mark.mparticle(intercept=True)
        def test_skipped():
            with contextlib.suppress(Exception):
                requests.post("https://s2s.mparticle.com/v3/events", timeout=5)
            pytest.skip("no tea today")
    """)

    suite.run().assert_outcomes(skipped=1)


def test_a_fixture_may_skip_the_test_after_it_sent(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture
        def shop(fake_mparticle):
            send(fake_mparticle, BAD)
            pytest.skip("no tea today")

        def test_skipped(shop):
            pass
    """)

    suite.run().assert_outcomes(skipped=1)


def test_a_subtest_that_is_skipped_does_not_excuse_its_test(suite: Suite) -> None:
    suite.write("""
        def test_bad(fake_mparticle, subtests):
            with subtests.test("tea"):
                pytest.skip("no tea today")
            send(fake_mparticle, BAD)
    """)

    result = suite.run()

    assert result.parseoutcomes()["failed"] == 1


def test_what_the_teardown_of_a_test_after_a_skipped_subtest_sends_is_judged(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture
        def shop(fake_mparticle):
            yield
            send(fake_mparticle, BAD)

        def test_flush(shop, subtests):
            with subtests.test("tea"):
                pytest.skip("no tea today")
    """)

    result = suite.run()

    assert result.parseoutcomes()["errors"] == 1


def test_a_test_case_of_unittest_is_judged(suite: Suite) -> None:
    suite.write("""
        import unittest

        class TestShop(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _fake(self, fake_mparticle):
                self.fake = fake_mparticle

            def test_good(self):
                send(self.fake, GOOD)

            def test_bad(self):
                send(self.fake, BAD)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, failed=1)


# -- allowed ---------------------------------------------------------------------------------------------------------------


def test_everything_can_be_allowed(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=True)
        def test_all(fake_mparticle):
            assert [send(fake_mparticle, body) for body in (BAD, b"{", WARNED)] == [202, 400, 202]
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=0)


def test_a_code_can_be_allowed_and_others_still_fail(suite: Suite) -> None:
    suite.write("""
        pytestmark = pytest.mark.mparticle(allow_invalid=["required_missing"])

        def test_allowed(fake_mparticle):
            send(fake_mparticle, BAD)

        def test_another(fake_mparticle):
            send(fake_mparticle, BAD)
            send(fake_mparticle, b"{")
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["json_broken: production would not take *"])


def test_the_marker_that_a_verdict_advises_allows_what_was_allowed_before_too(suite: Suite) -> None:
    suite.ini("mparticle_allow = timestamp_too_old")
    text = """
        @pytest.mark.mparticle(allow_invalid={})
        def test_both(fake_mparticle):
            send(fake_mparticle, batch(event(custom_event_type="unheard"), {{"event_type": "custom_event", "data": {{}}}}))
    """
    suite.write(text.format('["unknown_value"]'))
    # Where CI is set, pytest's summary has it once more.
    advised, *_ = re.findall(r"meant to: @pytest.mark.mparticle\(allow_invalid=(.+?)\);", suite.run().stdout.str())
    suite.write(text.format(advised))

    result = suite.run()

    result.assert_outcomes(passed=1)
    assert advised == '["required_missing", "unknown_value"]'


def test_the_headline_of_a_verdict_counts_codes(suite: Suite) -> None:
    suite.write("""
        def test_one(fake_mparticle):
            send(fake_mparticle, batch({"event_type": "custom_event", "data": {}}))

        def test_two(fake_mparticle):
            send(fake_mparticle, batch({"event_type": "custom_event", "data": {"custom_event_type": "unheard"}}))
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(["required_missing: production *"])
    result.stdout.fnmatch_lines(["required_missing and 1 other code: production *"])


def test_a_mistake_in_a_test_does_not_hide_the_verdict_on_what_it_sent_in_its_teardown(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture
        def sending(fake_mparticle):
            yield
            send(fake_mparticle, BAD)

        def test_it(fake_mparticle, sending):
            fake_mparticle.expect("purchase")
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['<expect(event "purchase")> expected nothing: *', "", "required_missing: production *"])


def test_the_reason_for_which_a_batch_was_dropped_can_be_allowed(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=["duplicate_batch"])
        def test_twice(fake_mparticle):
            for _ in range(2):
                send(fake_mparticle, batch(event(), source_request_id="r1"))
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=0)


def test_the_nearest_marker_counts_and_false_takes_everything_back(suite: Suite) -> None:
    suite.ini("mparticle_allow = required_missing")
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=True)
        class TestShop:
            def test_allowed(self, fake_mparticle):
                send(fake_mparticle, BAD)

            @pytest.mark.mparticle(allow_invalid=False)
            def test_not_allowed(self, fake_mparticle):
                send(fake_mparticle, BAD)
    """)

    result = suite.run("-rA")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["PASSED *::test_allowed", "FAILED *::test_not_allowed*"])


@pytest.mark.parametrize("allowed", ["required_missing", "all", "required_missing json_broken"])
def test_the_ini_file_allows_for_all_tests(suite: Suite, allowed: str) -> None:
    suite.ini(f"mparticle_allow = {allowed}")
    suite.write("""
        def test_bad(fake_mparticle):
            send(fake_mparticle, BAD)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_an_error_inside_the_server_reaches_the_test_that_caused_it_also_if_it_allows_everything(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=True)
        def test_crash(fake_mparticle, monkeypatch):
            def check(*_, **__):
                raise ZeroDivisionError("a bug of the fake")

            monkeypatch.setattr("mparticle_fake_server.intake.check", check)
            assert send(fake_mparticle) == 500

        def test_other(fake_mparticle):
            assert send(fake_mparticle) == 202
    """)

    result = suite.run()

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["  request 1 (POST /v2/events, answered 500)", "*server_error: *ZeroDivisionError: a bug of the fake*"]
    )
    result.stdout.no_fnmatch_line("If it is meant to*")


# -- warnings --------------------------------------------------------------------------------------------------------------


def test_a_warning_finding_becomes_a_warning_of_the_test(suite: Suite) -> None:
    suite.write("""
        def test_warned(fake_mparticle):
            send(fake_mparticle, WARNED)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["test_it.py::test_warned", "  *test_it.py:5: MParticleWarning: The batch has no mpid, *identity_missing]*"]
    )


def test_many_findings_of_a_code_are_one_warning(suite: Suite) -> None:
    suite.write("""
        def test_warned(fake_mparticle):
            for _ in range(5):
                send(fake_mparticle, WARNED)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*(And 4 more of this kind.)"])


def test_a_note_is_no_warning(suite: Suite) -> None:
    suite.write("""
        def test_noted(fake_mparticle):
            body = {name: value for name, value in GOOD.items() if name != "environment"}
            send(fake_mparticle, body)
            assert [finding.severity for finding in fake_mparticle.all_batches()[0].findings] == ["note"]
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=0)


def test_warnings_can_be_turned_into_failures_by_their_category(suite: Suite) -> None:
    suite.ini("filterwarnings = error::mparticle_pytest_plugin.MParticleWarning")
    suite.write("""
        def test_warned(fake_mparticle):
            send(fake_mparticle, WARNED)
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_warned - *The batch has no mpid*"])


def test_the_warning_of_an_allowed_code_is_silent(suite: Suite) -> None:
    suite.ini("mparticle_allow = identity_missing")
    suite.write("""
        def test_warned(fake_mparticle):
            send(fake_mparticle, WARNED)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=0)


# -- the section in the report -----------------------------------------------------------------------------------------------


def test_the_report_of_a_failed_test_lists_what_it_sent(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            send(fake_mparticle, [batch(event("login")), WARNED], path="/v2/bulkevents")
            send(fake_mparticle, b"{")
            assert False
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(
        [
            "*- mParticle -*",
            "+* ms  POST /v2/bulkevents, answered 202",
            "  batch 1.0, accepted, customer_id 'c1'",
            "    custom_event 'login'",
            "  batch 1.1, accepted",
            "    custom_event 'purchase'",
            "    warning identity_missing*",
            "+* ms  POST /v2/events, answered 400",
            "    error json_broken: *",
        ],
        consecutive=True,
    )


def test_the_section_says_that_nothing_was_sent_and_lists_what_belongs_to_nobody(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            send(fake_mparticle, key="key-of-production")
            assert False
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(
        [
            "Nothing was sent with this test's key.",
            "Unclaimed, *",
            "  POST /v2/events, answered 403, key 'key-of-production': credentials_wrong",
        ],
        consecutive=True,
    )


def test_the_section_of_a_test_that_sent_nothing_names_interception(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            assert False
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(
        ["Nothing was sent with this test's key.", "What code sends to *own hosts*fake_mparticle.intercept()."]
    )


def test_the_section_of_a_test_that_intercepts_does_not_advise_it(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(intercept=True)
        def test_fails(fake_mparticle):
            assert False
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(["Nothing was sent with this test's key.", "intercept() met nothing for *aiohttp, http.client,*"])
    result.stdout.no_fnmatch_line("*only comes here with*")


@pytest.mark.parametrize(("excepted", "told"), [("", True), ("example.com", True), ("localhost,127.0.0.1", False)])
def test_the_section_of_a_test_that_sent_nothing_names_a_proxy_in_the_way(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, excepted: str, told: bool
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", excepted)
    suite.write("""
        def test_fails(fake_mparticle):
            assert False
    """)

    result = suite.run()

    assert ("Set NO_PROXY=127.0.0.1,localhost." in result.stdout.str()) is told


def test_the_section_tells_a_fault_in_few_words(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            fake_mparticle.fail_next()
            send(fake_mparticle)
            assert False
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(["    fault_injected: the test asked for it, with fail_next or fail_always"])


def test_the_section_is_bounded(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            for number in range(40):
                send(fake_mparticle, batch(*[event(f"event {number}")] * 3))
            assert False
    """)

    result = suite.run()

    shown = [line for line in result.outlines if "custom_event" in line]
    assert 10 < len(shown) < 40
    result.stdout.fnmatch_lines(["… and 161 more lines. --mparticle-dump DIR writes all batches."])


def test_a_test_that_passes_has_no_section(suite: Suite) -> None:
    suite.write("""
        def test_good(fake_mparticle):
            send(fake_mparticle)
    """)

    result = suite.run("-rA")

    result.stdout.no_fnmatch_line("*- mParticle -*")


def test_a_verdict_in_strict_mode_names_the_same_findings(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(mode="strict")
        def test_bad(fake_mparticle):
            assert send(fake_mparticle, BAD) == 400
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  batch 1.0 (POST /v2/events, answered 400), rejected", "    error required_missing*"])


def test_what_was_sent_cannot_command_the_terminal(suite: Suite) -> None:
    suite.write(r"""
        import warnings

        BELL = {"event_type": "bell\x1b[1m", "data": {"x\x1b[2m": 1, "custom_attributes": {"y\x1b[3m": {"z": 1}}}}
        SENT = batch(event("name\x1b[4m", **{"no\x1b[5m": 1}), BELL, user_identities={"kind\x1b[6m": "c1"})

        def test_bad(fake_mparticle):
            warnings.simplefilter("always")
            send(fake_mparticle, SENT)
            assert send(fake_mparticle, SENT, path="/v2/events%1B[7m") == 404

        def test_late(fake_mparticle):
            global late
            late = fake_mparticle

        def test_then(fake_mparticle):
            send(late, SENT)
    """)

    result = suite.run()

    text = result.stdout.str()
    assert "\x1b" not in text
    assert "bell\\x1b[1m" in text
    assert "kind\\x1b[6m" in text


# -- credentials of no test ------------------------------------------------------------------------------------------------


def test_a_test_that_passes_although_all_it_sent_was_refused_as_of_no_test_is_warned(suite: Suite) -> None:
    suite.write("""
        def test_wrong_key(fake_mparticle):
            assert [send(fake_mparticle, key="typo") for _ in range(2)] == [403, 403]
            fake_mparticle.assert_not_received("purchase")

        def test_next(fake_mparticle):
            fake_mparticle.assert_not_received("purchase")
    """)

    result = suite.run()

    result.assert_outcomes(passed=2, warnings=1)
    last = "POST /v2/events, answered 403, key 'typo'"
    advice = "fake_mparticle.claim('typo') receives what is sent with this one. If it is meant to: "
    advice += (
        '@pytest.mark.mparticle(allow_invalid=[[]"credentials_wrong"]); for all tests: mparticle_allow. [[]credentials_wrong]'
    )
    result.stdout.fnmatch_lines(
        [f"*MParticleWarning: Nothing came with this test's key, but 2 requests * did, the last: {last}. *; {advice}"]
    )


def test_uploads_without_credentials_are_warned_of_too(suite: Suite) -> None:
    suite.write("""
        import urllib.error
        import urllib.request

        def test_no_credentials(fake_mparticle):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(fake_mparticle.url + "/v2/events", b"{}")
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*MParticleWarning: *but 1 request with credentials of no test did: POST /v2/events, answered 401. *"]
    )


def test_a_wrong_key_is_not_warned_of_where_it_is_meant_or_the_key_of_the_test_is_in_use(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=["credentials_wrong"])
        def test_meant(fake_mparticle):
            assert send(fake_mparticle, key="typo") == 403

        def test_in_use(fake_mparticle):
            send(fake_mparticle)
            assert send(fake_mparticle, key="typo") == 403
    """)

    suite.run().assert_outcomes(passed=2, warnings=0)


def test_a_key_that_a_former_test_has_claimed_is_not_warned_of(suite: Suite) -> None:
    suite.ini("filterwarnings = error::mparticle_pytest_plugin.MParticleWarning")
    suite.write("""
        def test_claims(fake_mparticle):
            fake_mparticle.claim("fixed")
            assert send(fake_mparticle, key="fixed") == 202

        def test_of_something_else(fake_mparticle):
            assert send(fake_mparticle, key="fixed") == 403
            fake_mparticle.assert_not_received("purchase")
    """)

    suite.run().assert_outcomes(passed=2)


def test_a_clock_that_a_test_turns_back_hides_no_request_of_unknown_credentials(suite: Suite) -> None:
    suite.write("""
        import time

        def test_long_ago(fake_mparticle, monkeypatch):
            monkeypatch.setattr(time, "time_ns", lambda: 10**18)
            send(fake_mparticle, key="typo")
            assert "itself" == ""
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(["*- mParticle -*", "  POST /v2/events, answered 403, key 'typo': credentials_wrong"])


# -- faults ----------------------------------------------------------------------------------------------------------------


def test_a_fault_that_no_request_met_is_a_warning(suite: Suite) -> None:
    suite.write("""
        def test_tries_twice(fake_mparticle):
            fake_mparticle.fail_next(times=3)
            send(fake_mparticle), send(fake_mparticle)
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*MParticleWarning: 1 fault of fail_next was met by no request.*"])


@pytest.mark.parametrize("call", ["fail_always()", "delay(0.01)"])
def test_what_need_not_be_met_is_no_warning(suite: Suite, call: str) -> None:
    suite.write(f"""
        def test_sends_nothing(fake_mparticle):
            fake_mparticle.{call}
    """)

    suite.run().assert_outcomes(passed=1, warnings=0)


def test_a_fault_that_is_met_while_the_test_is_torn_down_is_no_warning(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture
        def client(fake_mparticle):
            yield
            send(fake_mparticle)

        def test_flush(client, fake_mparticle):
            fake_mparticle.fail_next()
    """)

    suite.run().assert_outcomes(passed=1, warnings=0)
