"""Whoever got a 202 can rely on it: the process is killed in the middle of a load, and every such upload is there afterwards."""

import http.client
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from mparticle_fake_server.recording import open_recorder
from tests.recording.serving import Client, Served, served

ROUNDS = 20
CLIENTS = 4


class Load:
    """Several clients that upload until the server dies, which happens after `most` uploads got 202."""

    def __init__(self, server: Served, name: str, most: int) -> None:
        self.server = server
        self.name = name
        self.most = most
        self.sent: set[str] = set()
        self.acknowledged: list[str] = []
        self.others: list[int] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        """Returns after the process has died."""
        with ThreadPoolExecutor(CLIENTS) as executor:
            for _ in executor.map(self._upload_all, range(CLIENTS)):
                pass
        self.server.process.wait()

    def _upload_all(self, thread: int) -> None:
        with closing(Client(self.server.url)) as client:
            try:
                for number in range(1_000_000):
                    self._upload(client, f"{self.name}-{thread}-{number}")
            except (OSError, http.client.HTTPException):
                """The server was killed."""

    def _upload(self, client: Client, source_request_id: str) -> None:
        self.sent.add(source_request_id)
        status = client.upload(source_request_id).status
        with self._lock:
            if status == 202:
                self.acknowledged.append(source_request_id)
            else:
                self.others.append(status)
            if len(self.acknowledged) == self.most or status != 202:
                self.server.process.kill()


@pytest.mark.slow
def test_every_upload_that_got_202_survives_a_killed_process(store: str) -> None:
    chance = random.Random(2)
    acknowledged: list[str] = []
    sent: set[str] = set()

    for number in range(ROUNDS):
        with served(store) as server:
            load = Load(server, str(number), most=chance.randint(1, 400))
            load.run()
        acknowledged += load.acknowledged
        sent |= load.sent

        with closing(open_recorder(store)) as recorder:
            requests = list(recorder.requests())
        kept = [request.batches[0].source_request_id for request in requests]
        assert not load.others
        assert len(load.acknowledged) >= load.most
        assert set(kept) >= set(acknowledged), f"lost in round {number}: {sorted(set(acknowledged) - set(kept))}"
        assert set(kept) <= sent
        assert [request.id for request in requests] == list(range(1, len(kept) + 1))

    with served(store) as server, closing(Client(server.url)) as client:
        shown = client.get("/_fake/stats").json
        assert shown["batches_by_verdict"] == {"accepted": len(kept)}
