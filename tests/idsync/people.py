"""Profiles of one workspace with what Idsync does around them, so that a test says who comes and reads who that is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack

from mparticle_fake_server import create_app
from mparticle_fake_server.hosting import Options
from mparticle_fake_server.idsync.profile import Profile
from mparticle_fake_server.idsync.profiles import Change, Profiles
from mparticle_fake_server.idsync.strategy import DEFAULT, Strategy
from mparticle_fake_server.recording import Recorder
from tests.hosts import Fake, Reply


class People:
    """Identify, search and modify by keyword arguments, one request after another."""

    def __init__(self, strategy: Strategy = DEFAULT, *, workspace: str = "w", seed: int = 0) -> None:
        self.profiles = Profiles(workspace, seed, strategy)
        self.requests = 0
        self.made = 0

    def identify(self, **known: str) -> Profile:
        profile = self.profiles.find(known)
        if profile is None:
            self.made += 1
            profile = self.profiles.make(self.made, self.made, known)
        self.profiles.add(profile, known)
        self.requests += 1
        profile.see(self.requests, self.requests)
        return profile

    login = logout = identify

    def search(self, **known: str) -> Profile | None:
        return self.profiles.find(known)

    def modify(self, profile: Profile, **values: str | None) -> None:
        changes = [Change(name, profile.identities.get(name), value) for name, value in values.items()]
        self.profiles.modify(profile, changes)


@contextmanager
def recorded_fake(**options: Unpack[Options]) -> Iterator[tuple[Fake, Recorder]]:
    """A fake without sockets, and what it records."""
    app = create_app(**options)
    client = app.test_client(use_cookies=False)
    recorder: Recorder = app.extensions["mparticle_fake"].recorder

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        answer = client.open(path, method=method, data=body, headers=headers)
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    yield Fake(send, None), recorder
    recorder.close()
