"""A run of each real SDK's program, once a session."""

from collections.abc import Callable

import pytest

from tests.clients.harness import NODE, PYTHON, Client, Step, run
from tests.conftest import RealPart

Runs = Callable[[Client], dict[str, Step]]


@pytest.fixture(scope="session")
def runs(real_part: RealPart) -> Runs:
    """The steps of a client's program by name; the program runs when it is first asked for."""
    made: dict[str, dict[str, Step]] = {}

    def steps_of(client: Client) -> dict[str, Step]:
        real_part(client.available, f"this test needs {client.needs}")
        if client.name not in made:
            made[client.name] = run(client)
        return made[client.name]

    return steps_of


@pytest.fixture(scope="session")
def python_steps(runs: Runs) -> dict[str, Step]:
    return runs(PYTHON)


@pytest.fixture(scope="session")
def node_steps(runs: Runs) -> dict[str, Step]:
    return runs(NODE)
