"""Serve on a free port with the store named by the first argument; prints the URL when requests are answered."""

import sys

from mparticle_fake_server import FakeServer


def tell() -> None:
    """Print where."""
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()


server = FakeServer(store=sys.argv[1])
server.run(tell)
