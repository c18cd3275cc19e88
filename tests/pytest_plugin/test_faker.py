"""The fixture `mparticle_faker`: realistic values, the same ones in every run of a test."""

import pytest

from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

PRINT = """
    def test_one(mparticle_faker):
        print("drawn", mparticle_faker.mparticle_user_identities())

    def test_two(mparticle_faker):
        print("drawn", mparticle_faker.mparticle_user_identities())
"""


def drawn(suite: Suite) -> list[str]:
    return [line for line in suite.run("-s").outlines if "drawn" in line]


def test_a_test_gets_the_same_values_in_every_run_and_others_than_its_neighbour(suite: Suite) -> None:
    suite.write(PRINT)

    first, second = drawn(suite), drawn(suite)

    assert first == second
    assert len({line.rpartition("drawn")[2] for line in first}) == 2


def test_what_it_makes_is_taken_without_a_finding(suite: Suite) -> None:
    suite.write("""
        import requests

        def test_sends(fake_mparticle, mparticle_faker):
            for _ in range(20):
                body = mparticle_faker.mparticle_batch().to_json()
                requests.post(fake_mparticle.url + "/v2/events", data=body, auth=(fake_mparticle.key, fake_mparticle.secret))
            assert len(fake_mparticle.batches) == 20
            fake_mparticle.assert_valid()
    """)

    suite.run().assert_outcomes(passed=1, warnings=0)


@pytest.mark.parametrize(("fixture", "value"), [("faker_seed", "7"), ("faker_locale", "'de_DE'")])
def test_seed_and_locale_are_those_of_fakers_own_fixtures(suite: Suite, fixture: str, value: str) -> None:
    suite.write(PRINT)
    before = drawn(suite)
    suite.write(f"""
        import pytest

        @pytest.fixture(autouse=True)
        def {fixture}():
            return {value}

        {PRINT.strip()}
    """)

    assert drawn(suite) != before
