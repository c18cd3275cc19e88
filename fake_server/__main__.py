"""`python -m mparticle_fake_server`: the command `mparticle-fake`."""

from .cli import run

run()
