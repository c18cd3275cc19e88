"""HTTPS: certificates by a CA of this user's own, kept from run to run, and the door of the TLS port.

`server.py` and `cli.py` call it. Nothing heavy is imported before somebody wants TLS.
"""

import asyncio
import contextlib
import datetime
import ipaddress
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import trustme
    from cryptography import x509

NAMES: Final = ("localhost", "127.0.0.1", "::1", "10.0.2.2")
"""What every certificate is for: this machine, also as the Android emulator calls it."""

LEAF_DAYS: Final = 397
"""How long a server's certificate is valid; Apple's systems take none above 825 days, also from a CA that the user added."""

RENEWAL_DAYS: Final = 30
"""With fewer days left it is issued anew when a server starts."""

HANDSHAKE_SECONDS: Final = 20.0
"""How long a client may take from its connection to the end of the handshake."""

TLS: Final = b"\x16"
"""What a TLS connection begins with, and no HTTP request."""

_NOT_TRUSTED: Final = ("UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_EXPIRED")
"""Ends of OpenSSL's names for the alerts with which a client refuses a certificate."""


class CertificateError(Exception):
    """Certificates cannot be read, made or kept; the message says why and what to do."""


def state_directory() -> Path:
    """The folder of this user in which `serve` keeps its records and certificates; made if it is not there. Raises OSError."""
    from platformdirs import user_state_path

    return user_state_path("mparticle-testkit", appauthor=False, ensure_exists=True)


class Certificates:
    """A folder with a CA (`ca.pem`, `ca.key`) and the certificate of the server (`server.pem`); both are made when missing.

    `directory` None is the folder `tls` in this user's state directory, so that what trusts its CA once trusts every server of
    this machine. A CA of another maker works too, under the same names of files. Everything raises CertificateError.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        try:
            self.directory = state_directory() / "tls" if directory is None else Path(directory).absolute()
        except OSError as error:
            raise CertificateError(f"The state directory, where certificates are kept, cannot be made: {error}.") from error

    @property
    def ca_path(self) -> Path:
        """The CA's certificate, PEM: what a client has to trust."""
        return self.directory / "ca.pem"

    @property
    def _key_path(self) -> Path:
        return self.directory / "ca.key"

    @property
    def _leaf_path(self) -> Path:
        return self.directory / "server.pem"

    def ca_pem(self) -> bytes:
        """The CA's certificate; the CA is made if there is none."""
        with self._locked():
            return self._authority().cert_pem.bytes()

    def context(self, names: Iterable[str] = ()) -> ssl.SSLContext:
        """What a server needs: a certificate for NAMES and these, IP addresses or host names, as `normal_name` returns them."""
        wanted = {*NAMES, *names}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with self._locked():
            authority = self._authority()
            issued = self._issued(authority)
            if issued is None or not wanted <= issued:
                # With the names of before: another server of this user may have asked for them.
                self._issue(authority, wanted | (issued or set()))
            context.load_cert_chain(self._leaf_path)
        return context

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else makes certificates here meanwhile, nor finds half of one."""
        from filelock import FileLock, Timeout

        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.directory / ".lock", timeout=30):
                yield
        except Timeout as error:
            raise CertificateError(f"Another process holds {self.directory / '.lock'}, where certificates are kept.") from error
        except OSError as error:
            raise CertificateError(
                f"Certificates cannot be kept in {self.directory}: {error.strerror or error}. "
                "Make that folder readable and writable for you alone."
            ) from error

    def _authority(self) -> "trustme.CA":
        import trustme

        if not self.ca_path.exists() and not self._key_path.exists():
            made = trustme.CA(path_length=0, organization_name="mparticle-testkit", organization_unit_name=_whose())
            # The certificate last: a key alone is told apart from a CA that is whole.
            _write(self._key_path, made.private_key_pem.bytes(), 0o600)
            _write(self.ca_path, made.cert_pem.bytes(), 0o644)
        for path in (self.ca_path, self._key_path):
            if not path.exists():
                raise self._damaged(f"{path} is missing")
        try:
            authority = trustme.CA.from_pem(self.ca_path.read_bytes(), self._key_path.read_bytes())
        except (ValueError, TypeError) as error:
            raise self._damaged(f"{self.ca_path.name} or {self._key_path.name} cannot be read ({error})") from error
        if authority._private_key.public_key() != authority._certificate.public_key():  # noqa: SLF001  # trustme tells neither
            raise self._damaged(f"{self._key_path.name} is not the key of {self.ca_path.name}")
        return authority

    def _damaged(self, what: str) -> CertificateError:
        return CertificateError(
            f"The CA in {self.directory} cannot be used: {what}. Delete that folder and a new CA is made at the next start; "
            "whatever trusted the old one has to trust the new one."
        )

    def _issued(self, authority: "trustme.CA") -> set[str] | None:
        """The names of the server's certificate; None if there is none of this CA, or not for long."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature

        now = datetime.datetime.now(datetime.UTC)
        try:
            leaf = x509.load_pem_x509_certificate(self._leaf_path.read_bytes())
            leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.cert_pem.bytes()))
            names = _names(leaf)
            # OpenSSL has the last word on whether the key is the certificate's.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._leaf_path)
        except (FileNotFoundError, ValueError, TypeError, InvalidSignature, ssl.SSLError, x509.ExtensionNotFound):
            return None
        left = leaf.not_valid_after_utc - now
        return names if leaf.not_valid_before_utc <= now and left > datetime.timedelta(days=RENEWAL_DAYS) else None

    def _issue(self, authority: "trustme.CA", names: set[str]) -> None:
        now = datetime.datetime.now(datetime.UTC)
        leaf = authority.issue_cert(
            *sorted(names),
            organization_name="mparticle-testkit",
            organization_unit_name="fake mParticle",
            # Clocks of emulators and devices are behind, now and then.
            not_before=now - datetime.timedelta(days=1),
            not_after=now + datetime.timedelta(days=LEAF_DAYS),
        )
        _write(self._leaf_path, leaf.private_key_and_cert_chain_pem.bytes(), 0o600)


def normal_name(name: str) -> str:
    """An IP address or a host name as certificates have it. Raises ValueError for anything else."""
    try:
        return str(ipaddress.ip_address(name.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    import idna

    star, host = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    try:
        return star + idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"{name!r} is neither an IP address nor a host name, for example 192.168.1.20 or fake.test.") from error


def _names(leaf: "x509.Certificate") -> set[str]:
    from cryptography import x509

    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}


def _whose() -> str:
    """What the CA is called in a device's list: that it is a fake's, and whose machine it comes from."""
    return f"fake mParticle CA of {socket.gethostname()[:40]} {secrets.token_hex(2)}"


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in its place whole, readable for nobody else before."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# -- the TLS port ----------------------------------------------------------------------------------------------------------


class Door:
    """Takes connections of the TLS port, and says why where one fails.

    Not the event loop's own TLS listener, which closes without a word on who speaks plain HTTP or refuses the certificate: the
    two mistakes that everybody makes. `secure` and `plain` make the protocol of a connection, for whom the handshake succeeded
    and for whom it never began; `failed` is told the client's address, what happened, and what to do about it.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        secure: Callable[[], asyncio.Protocol],
        plain: Callable[[], asyncio.Protocol],
        failed: Callable[[str, str, str], object],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._context = context
        self._secure = secure
        self._plain = plain
        self._failed = failed
        listener.setblocking(False)
        self._tasks = {self._loop.create_task(self._accept())}

    async def close(self) -> None:
        """Take no more, and drop whoever has not ended the handshake."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            try:
                connection, address = await self._loop.sock_accept(self._listener)
            except OSError:
                # Out of descriptors, or a client that has gone again.
                await asyncio.sleep(0.1)
                continue
            task = self._loop.create_task(self._let_in(connection, str(address[0])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _let_in(self, connection: socket.socket, remote: str) -> None:
        first = b""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                first = await self._first_byte(connection)
                if first == TLS:
                    await self._loop.connect_accepted_socket(self._secure, connection, ssl=self._context)
                elif first:
                    await self._loop.connect_accepted_socket(self._plain, connection)
                else:
                    connection.close()
        except OSError as error:  # TimeoutError is one
            connection.close()
            # A connection that says nothing is no fault: browsers keep some ready.
            if first:
                self._failed(remote, *_told(error))
        except BaseException:
            connection.close()
            raise

    async def _first_byte(self, connection: socket.socket) -> bytes:
        """What a client begins with; it stays there to be read."""
        connection.setblocking(False)
        ready: asyncio.Future[None] = self._loop.create_future()
        try:
            self._loop.add_reader(connection, _set, ready)
        except NotImplementedError:
            # Windows: what is no TLS fails in the handshake.
            return TLS
        try:
            await ready
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _told(error: Exception) -> tuple[str, str]:
    """What happened, and what to do about it."""
    trust = "Let the client trust the CA that 'mparticle-fake ca' prints; in a mobile SDK, switch certificate pinning off."
    reason = (error.reason or str(error)) if isinstance(error, ssl.SSLError) else ""
    if reason.endswith(_NOT_TRUSTED):
        return f"The client refused the certificate of this server in the TLS handshake ({reason}).", trust
    if reason:
        return f"The TLS handshake failed: {reason}.", "The server takes TLS 1.2 and 1.3."
    if isinstance(error, TimeoutError):
        return f"The TLS handshake was not over after {HANDSHAKE_SECONDS:g} s.", "Look for what keeps the client from sending."
    return "The client left in the TLS handshake, as some do that do not trust the certificate.", trust
