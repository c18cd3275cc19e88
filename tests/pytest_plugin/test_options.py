"""Options, their ini twins, the marker, and what is said about them; what is mistyped is refused at once."""

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import get_args

import pytest

from mparticle_fake_server.workspaces import MODES
from mparticle_pytest_plugin import settings
from mparticle_pytest_plugin.verdicts import file_name
from tests.conftest import RealPart
from tests.pytest_plugin.suites import INSTALLED, Suite

pytest_plugins = ["pytester"]

BAD_IS_ANSWERED = """
    @pytest.mark.mparticle(allow_invalid=True)
    def test_bad(fake_mparticle):
        assert send(fake_mparticle, BAD) == {status}
"""


def test_the_modes_are_those_of_the_server() -> None:
    assert settings.MODES == MODES == get_args(settings.Mode)


def names(dump: Path) -> list[str]:
    """The names of the first events of the batches in a dump."""
    lines = dump.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["batch"]["events"][0]["data"]["event_name"] for line in lines]


# -- mode ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ini", "arguments", "status"),
    [
        ("", [], 202),
        ("", ["--mparticle-mode", "strict"], 400),
        ("mparticle_mode = strict", [], 400),
        ("mparticle_mode = strict", ["--mparticle-mode", "lenient"], 202),
    ],
)
def test_the_mode_comes_from_the_command_line_before_the_ini_file(
    suite: Suite, ini: str, arguments: list[str], status: int
) -> None:
    suite.ini(ini)
    suite.write(BAD_IS_ANSWERED.format(status=status))

    result = suite.run(*arguments)

    result.assert_outcomes(passed=1)


def test_the_mode_of_the_marker_comes_first(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(mode="strict", allow_invalid=True)
        def test_bad(fake_mparticle):
            assert send(fake_mparticle, BAD) == 400
    """)

    result = suite.run("--mparticle-mode", "lenient")

    result.assert_outcomes(passed=1)


def test_markers_of_function_and_class_are_joined(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=True, mode="lenient")
        class TestShop:
            @pytest.mark.mparticle(mode="strict")
            def test_bad(self, fake_mparticle):
                assert send(fake_mparticle, BAD) == 400
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


# -- what is mistyped ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("mod='strict'", "has an unknown argument 'mod'. Did you mean mode? It takes mode: one of faithful, strict, lenient; *"),
        ("mode='strikt'", "has mode='strikt'; expected one of faithful, strict, lenient. Did you mean strict?"),
        ("mode=None", "has mode=None; expected one of faithful, strict, lenient."),
        ("'strict'", "has the argument 'strict' without a name. It takes mode: *"),
        (
            "allow_invalid='required_missing'",
            'has allow_invalid=*; expected True, False or a list of finding codes. Did you mean [[]"required_missing"[]][?]',
        ),
        (
            "allow_invalid='identity_mising'",
            "has allow_invalid='identity_mising'; expected True, False or a list of finding codes. Did you mean [[]\"*\"[]]?",
        ),
        ("allow_invalid=[1]", "has allow_invalid=[[]1[]]; expected True, False or a list of finding codes."),
        (
            "allow_invalid=['required-mising']",
            "allow_invalid, names 'required-mising', which is no code of a finding. Did you mean required_missing?",
        ),
        ("allow_invalid=['zzz']", "allow_invalid, names 'zzz', which is no code of a finding. docs/findings.md lists them."),
        ("intercept='yes'", "has intercept='yes'; expected True or False."),
        ("intercept=1", "has intercept=1; expected True or False."),
    ],
)
def test_a_wrong_marker_is_an_error_of_its_test(suite: Suite, arguments: str, message: str) -> None:
    suite.write(f"""
        @pytest.mark.mparticle({arguments})
        def test_marked(fake_mparticle):
            pass

        def test_other(fake_mparticle):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"@pytest.mark.mparticle of test_it.py::test_marked (test_it.py:5)* {message}"])


@pytest.mark.parametrize(
    ("test", "arguments", "told"),
    [
        ("@pytest.mark.mparticle(mode='strikt')\ndef test_it(): pass", [], "@pytest.mark.mparticle of *"),
        (
            "def test_it(fake_mparticle): pass",
            ["--mparticle-url", "http://127.0.0.1:1"],
            "The fake at http://127.0.0.1:1 does not*",
        ),
        (
            "@pytest.fixture(scope='session')\ndef fake_mparticle_options(): return {'timout': 1}\ndef test_a(fake_mparticle): 0",
            [],
            "The fixture fake_mparticle_options *",
        ),
        ("def test_it(fake_mparticle): fake_mparticle.expect('purchase')", [], "<expect(*"),
    ],
    ids=["marker", "address", "option", "expect"],
)
def test_an_error_around_a_test_is_told_once_and_alone(suite: Suite, test: str, arguments: list[str], told: str) -> None:
    suite.write(test)

    result = suite.run(*arguments)

    assert len([line for line in result.outlines if fnmatch(line, told)]) == 1
    result.stdout.no_fnmatch_line("*During handling of*")
    result.stdout.no_fnmatch_line("Traceback*")


def test_a_wrong_marker_is_an_error_of_a_test_without_the_fake_too(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.mparticle(intercept=1)
        def test_marked():
            pass
    """)

    result = suite.run()

    result.assert_outcomes(errors=1)


def test_a_wrong_marker_of_one_parameter_fails_that_test(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.mparticle(mood="strict"))])
        def test_marked(fake_mparticle, number):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["@*test_marked[[]2[]] (test_it.py:5) has an unknown argument 'mood'. Did you mean mode?*"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "mparticle_mode = strikt",
            "*mparticle_mode is 'strikt'; expected one of faithful, strict, lenient. Did you mean strict?",
        ),
        ("mparticle_allow = All", "*mparticle_allow names 'All', which is no code of a finding. Did you mean all?"),
        ("mparticle_allow = all required_missing", "*mparticle_allow names 'all' besides codes: it allows everything, alone."),
        (
            "mparticle_allow = true",
            "*'true', which is no code of a finding. docs/findings.md lists them; 'all' allows everything.",
        ),
        ("mparticle_allow = required_mising", "*mparticle_allow names 'required_mising', *Did you mean required_missing?"),
        (
            "mparticle_url = localhost:8080",
            "*The ini option mparticle_url is 'localhost:8080'; expected the address of a running fake, such as http*",
        ),
    ],
)
def test_a_wrong_ini_value_ends_the_run_before_it_begins(suite: Suite, line: str, message: str) -> None:
    suite.ini(line)

    result = suite.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mparticle-mode", "strikt"], "*--mparticle-mode: invalid choice: 'strikt'*"),
        (["--mparticle-url", "ftp://fake"], "*--mparticle-url is 'ftp://fake'; expected *"),
        (["--mparticle-url", "http://fake:port"], "*--mparticle-url is 'http://fake:port'; expected *"),
        (["--mparticle-dump", "/dev/null"], "*--mparticle-dump is '/dev/null'; expected a folder, *: /dev/null is no folder."),
        (["--mparticle-dump", "/dev/null/dumps"], "*--mparticle-dump is '/dev/null/dumps'; *: /dev/null is no folder."),
        (["--mparticle-dump", "x" * 300], "*--mparticle-dump is '*xxx'; expected a folder, *: File name too long."),
        (["--mparticle-url", ""], "*--mparticle-url is ''; expected *"),
        (["--mparticle-url", "http://127.0.0.1:1/v2/"], "*--mparticle-url is 'http://127.0.0.1:1/v2/'; *leave out /v2*"),
    ],
)
def test_a_wrong_option_ends_the_run_before_it_begins(suite: Suite, arguments: list[str], message: str) -> None:
    result = suite.run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


SECRET_ADDRESSES = {
    "http://u:PW@127.0.0.1:8080": "'http://…@127.0.0.1:8080', with a user or a password; *MPARTICLE_FAKE_TOKEN has it.",
    "http://PW@127.0.0.1:8080/v2": "'http://…@127.0.0.1:8080/v2', with a user or a password; *",
    "HTTPS://u:P@PW@fake": "'HTTPS://…@fake', with a user or a password; *",
    "http://u:PW/@fake": "'http://…@fake'; expected the address of a running fake, *",
    "u:PW@h": "'…@h'; expected the address of a running fake, *",
    "http://h:8080/?token=PW": "'http://h:8080/[?]…'; expected the address of a running fake, *",
}


@pytest.mark.parametrize(("address", "message"), SECRET_ADDRESSES.items())
@pytest.mark.parametrize("by_ini", [False, True], ids=["option", "ini"])
def test_an_address_with_credentials_is_refused_and_they_are_not_shown(
    suite: Suite, address: str, message: str, by_ini: bool
) -> None:
    if by_ini:
        suite.ini(f"mparticle_url = {address}")
    suite.write("def test_it(fake_mparticle): pass")

    result = suite.run(*([] if by_ini else ["--mparticle-url", address]))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {'The ini option mparticle_url' if by_ini else '--mparticle-url'} is {message}"])
    assert "PW" not in result.stdout.str() + result.stderr.str()


def test_an_unknown_option_of_the_fixture_is_named(suite: Suite) -> None:
    suite.conftest("""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {"max_bodi": 10}
    """)
    suite.write("""
        def test_any(fake_mparticle):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*fake_mparticle_options has 'max_bodi', which is no option. Did you mean max_body? Valid: *timeout*"]
    )


# -- the dump --------------------------------------------------------------------------------------------------------------


def test_what_failed_tests_sent_is_dumped_and_can_be_read_by_a_line(suite: Suite) -> None:
    suite.write("""
        def test_good(fake_mparticle):
            send(fake_mparticle)

        @pytest.mark.parametrize("name", ["a/b", "ä"])
        def test_fails(fake_mparticle, name):
            send(fake_mparticle, batch(event("first")))
            send(fake_mparticle, batch(event("second")))
            assert False
    """)

    suite.run("--mparticle-dump", "dumps")

    first, second = (suite.pytester.path / "dumps").iterdir()
    assert names(first) == names(second) == ["first", "second"]
    assert first.name.startswith("test_it.py-test_fails[")


def test_a_dump_has_what_the_teardown_of_a_failed_test_sent_too(suite: Suite) -> None:
    suite.ini("mparticle_dump = dumps")
    suite.write("""
        @pytest.fixture
        def client(fake_mparticle):
            yield
            send(fake_mparticle, batch(event("flushed")))

        def test_fails(client, fake_mparticle):
            send(fake_mparticle, batch(event("sent")))
            assert False
    """)

    suite.run()

    (dump,) = (suite.pytester.path / "dumps").iterdir()
    assert dump.name == "test_it.py-test_fails.ndjson"
    assert names(dump) == ["sent", "flushed"]


def test_a_dump_can_be_imported_again(suite: Suite) -> None:
    from mparticle_fake_server import create_app

    suite.write("""
        def test_fails(fake_mparticle):
            send(fake_mparticle, BAD)
    """)
    suite.run("--mparticle-dump", "dumps")
    (dump,) = (suite.pytester.path / "dumps").iterdir()

    answer = create_app().test_client().post("/_fake/import", data=dump.read_bytes())

    assert answer.json == {"imported": 1}


def test_a_dump_has_refused_requests_too_and_can_be_imported(suite: Suite) -> None:
    from mparticle_fake_server import create_app

    suite.write("""
        def test_fails(fake_mparticle):
            send(fake_mparticle, b"{")
            send(fake_mparticle)
            send(fake_mparticle, secret="wrong")
            send(fake_mparticle, path="/v3/events")
            assert False
    """)
    suite.run("--mparticle-dump", "dumps")
    (dump,) = (suite.pytester.path / "dumps").iterdir()

    lines = [json.loads(line) for line in dump.read_text(encoding="utf-8").splitlines()]
    answer = create_app().test_client().post("/_fake/import", data=dump.read_bytes())

    assert [line["status"] for line in lines] == [400, 202, 403, 404]
    assert answer.json == {"imported": 1}


def test_the_report_of_a_failed_test_names_its_dump(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            send(fake_mparticle, BAD)
    """)

    suite.run("--mparticle-dump", "dumps").stdout.fnmatch_lines(["Written to *dumps*test_it.py-test_fails.ndjson"])


def test_a_failed_test_that_sent_nothing_has_no_dump(suite: Suite) -> None:
    suite.write("""
        def test_fails(fake_mparticle):
            assert False
    """)

    result = suite.run("--mparticle-dump", "dumps")

    assert not list((suite.pytester.path / "dumps").iterdir())
    result.stdout.no_fnmatch_line("*Written to*")


def test_a_folder_that_cannot_be_written_is_told_in_the_report(suite: Suite) -> None:
    suite.write("""
        from pathlib import Path

        def test_fails(fake_mparticle):
            Path("dumps").write_text("a file that was not there when the run began")
            assert False, "the reason"
    """)

    result = suite.run("--mparticle-dump", "dumps")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the reason*", "--mparticle-dump: nothing is written to *dumps: File exists"])


def test_the_names_of_dumps_are_readable_valid_everywhere_and_different() -> None:
    plain = file_name("tests/shop/test_it.py::TestShop::test_buy[1-a]")
    odd = file_name("tests/test_it.py::test_buy[a:b?*]")
    other = file_name("tests/test_it.py::test_buy[a:b?+]")
    long = file_name("tests/test_it.py::test_buy[" + "x" * 500 + "]")

    assert plain == "tests.shop.test_it.py-TestShop-test_buy[1-a].ndjson"
    assert odd != other
    assert not set(odd + other) & set(':?*"<>|/\\')
    assert len(long) < 200


# -- what is said about them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "mparticle: a fake in this process"),
        (["--mparticle-mode", "strict"], "mparticle: a fake in this process, mode strict"),
        (["--mparticle-url", "http://127.0.0.1:1/"], "mparticle: the fake at http://127.0.0.1:1"),
        (["--mparticle-dump", "dumps"], "mparticle: *, failed tests are written to *dumps"),
    ],
)
def test_a_line_at_the_head_of_the_report_says_what_is_used(suite: Suite, arguments: list[str], line: str) -> None:
    result = suite.run(*arguments)

    result.stdout.fnmatch_lines([line])


def test_the_marker_is_described_and_known(suite: Suite) -> None:
    result = suite.run("--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.mparticle(mode=None, allow_invalid=False, intercept=False): how the fake *"])


def test_the_fixtures_are_described(suite: Suite) -> None:
    result = suite.run("--fixtures")

    result.stdout.re_match_lines_random(
        [
            r"fake_mparticle -- .*",
            r"    An mParticle of the test's own: .*",
            r"fake_mparticle_server \[session scope\] -- .*",
            r"    The fake mParticle of this run: .*",
            r"fake_mparticle_address \[session scope\] -- .*",
            r"fake_mparticle_options \[session scope\] -- .*",
        ]
    )


def test_the_options_are_described_in_the_help(suite: Suite) -> None:
    result = suite.run("--help")

    result.stdout.fnmatch_lines(["fake mParticle*", "  --mparticle-mode=*", "  --mparticle-url=URL*", "  --mparticle-dump=DIR*"])
    result.stdout.fnmatch_lines(["  mparticle_mode *", "  mparticle_url *", "  mparticle_dump *", "  mparticle_allow *"])


# -- how the plugin is loaded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [(), ("-p", "mparticle_pytest_plugin"), ("-p", "mparticle_pytest_plugin.plugin")])
def test_whoever_names_the_module_besides_the_entry_point_loads_it_once(
    suite: Suite, real_part: RealPart, named: tuple[str, ...]
) -> None:
    real_part(INSTALLED, "the plugin is not installed with its entry point")
    suite.conftest('pytest_plugins = ["mparticle_pytest_plugin.plugin"]')
    suite.write("""
        def test_one(fake_mparticle):
            assert send(fake_mparticle) == 202
    """)

    result = suite.pytester.runpytest_subprocess(*named, "--mparticle-mode=strict")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mparticle: a fake in this process, mode strict"])
