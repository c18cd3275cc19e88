"""`mparticle-fake ca`: the CA that clients of `serve --tls` must trust, and how each of them does. `cli.py` has it."""

import shlex
from pathlib import Path
from typing import Final

import click

_TRUST: Final = """\
To let a client trust this CA of the fake mParticle, which is kept in {directory}:
  Python (requests)   REQUESTS_CA_BUNDLE={file}
  Node                NODE_EXTRA_CA_CERTS={file}
  curl                curl --cacert {file}
  Chromium on Linux   mkdir -p $HOME/.pki/nssdb   (certutil is in libnss3-tools)
                      certutil -d sql:$HOME/.pki/nssdb -N --empty-password   (only if there is no database yet)
                      certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n mparticle-fake -i {file}
  Firefox             Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import: {file}
  macOS               security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {file}
                      (Safari, Chrome and programs with the system's TLS)
  Windows             certutil -user -addstore Root {file}
                      (Edge, Chrome and programs with the system's TLS)
  iOS simulator       xcrun simctl keychain booted add-root-cert {file}
  Android             adb push {file} /sdcard/Download/mparticle-fake.crt, then install it in Settings as a CA certificate;
                      the app's network security config has to trust user certificates
Whoever has the key beside it can pose as any host to a client that trusts it: trust it for development only."""


@click.command()
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write it there, not to stdout.")
def ca(out: Path | None) -> None:
    """Print the CA that clients of 'serve --tls' must trust.

    It is made when there is none. stdout has its certificate (PEM), stderr how to trust it.
    """
    from .tls import CertificateError, Certificates

    try:
        certificates = Certificates()
        pem = certificates.ca_pem()
    except CertificateError as failure:
        raise click.ClickException(str(failure)) from failure
    if out is None:
        click.echo(pem, nl=False)
    else:
        try:
            out.write_bytes(pem)
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror or error}.") from error
    file = shlex.quote(str(certificates.ca_path if out is None else out.absolute()))
    click.echo(_TRUST.format(directory=certificates.directory, file=file), err=True)
