"""The command `mparticle-fake`. Data goes to stdout, messages to stderr; exit status 0 fine, 1 failures, 2 wrong usage.

Everything heavy is imported by the command that needs it, so that `--help` stays quick.
"""

import click

from mparticle_fixtures.traffic.command import generate, send

from .ca import ca
from .demo import demo
from .explain import explain
from .export import export
from .serve import serve
from .tail import tail
from .validate.command import schema, validate
from .verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mparticle-testkit", prog_name="mparticle-fake")
def main() -> None:
    """A fake mParticle: point an SDK at it and see what arrived."""


for command in (ca, demo, explain, export, generate, schema, send, serve, tail, validate, verify):
    main.add_command(command)


if __name__ == "__main__":
    main()
