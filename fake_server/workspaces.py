"""Inputs and workspaces: who may send, where it belongs, and in which mode it is answered."""

import binascii
import threading
from base64 import b64decode
from collections.abc import Iterable, Iterator
from hmac import compare_digest
from typing import Final, Literal, get_args

import msgspec

from mparticle_sdk import limits

from .checks.finding import Finding, make
from .checks.history import History
from .checks.rules import NO_RULES, Rules
from .configurations import Config
from .faults import Faults
from .idsync import Idsync

Mode = Literal["faithful", "strict", "lenient"]
MOST_INPUTS: Final = 10_000
"""Unknown keys that become inputs; later ones are served as well, and not listed."""

MODES: Final[tuple[Mode, ...]] = get_args(Mode)


class Workspace(msgspec.Struct):
    """Inputs that share a mode, rules, and a history of event names, attributes and sessions; `inputs` maps keys to secrets."""

    name: str
    mode: Mode = "faithful"
    inputs: dict[str, str | None] = {}
    rules: Rules = NO_RULES
    """The codes of findings that are ignored, or errors."""
    history: History = msgspec.field(default_factory=History)
    faults: Faults = msgspec.field(default_factory=Faults)
    """What the next requests meet."""
    config: Config = {}
    """What the web SDK is told as its configuration, over the defaults of `configurations.py`."""
    native_config: Config = {}
    """The same for the native SDKs."""
    _second: int = 0
    _batches: int = 0

    def percentage_used(self, now_ms: int, batches: int) -> int:
        """Count `batches` as received now; returns how much of the documented batches a second is used, 0 to 100."""
        second = now_ms // 1000
        if second != self._second:
            self._second, self._batches = second, 0
        self._batches += batches
        return min(100, self._batches * 100 // limits.BATCHES_PER_SECOND)


class Input(msgspec.Struct, frozen=True):
    """One key and its secret; None accepts every secret."""

    key: str
    secret: str | None
    workspace: Workspace
    by_itself: bool = False
    """Made for an unknown key that somebody sent; gives way to whoever names the key."""


class WorkspaceError(ValueError):
    """A workspace or an input that cannot be made; the message says why."""


class Workspaces:
    """All inputs and workspaces of a server.

    If `unknown_keys` is true, an unknown key becomes an input of the workspace `default` that accepts every secret; otherwise it
    is refused: with 403, or 401 by the Identity API. `mode` and `rules` are those of `default`, and of new workspaces.
    """

    def __init__(self, mode: Mode = "faithful", rules: Rules = NO_RULES, *, unknown_keys: bool = True, seed: int = 0) -> None:
        self.mode = check_mode(mode)
        self.rules = rules
        self.unknown_keys = unknown_keys
        self.idsync = Idsync(seed)
        """The profiles of each workspace, which all of its inputs share."""
        self._lock = threading.Lock()
        self._workspaces: dict[str, Workspace] = {"default": Workspace("default", mode, rules=rules)}
        self._inputs: dict[str, Input] = {}
        self._parsed: dict[bytes, tuple[str, str]] = {}
        self._resumed = False

    def __iter__(self) -> Iterator[Workspace]:
        return iter(list(self._workspaces.values()))

    def get(self, name: str) -> Workspace | None:
        """The workspace of this name."""
        return self._workspaces.get(name)

    def input(self, key: str) -> Input | None:
        """The input of this API key."""
        return self._inputs.get(key)

    def put(
        self,
        name: str,
        mode: Mode | None = None,
        inputs: dict[str, str | None] | None = None,
        rules: Rules | None = None,
        *,
        ignore: Iterable[str] | None = None,
        error: Iterable[str] | None = None,
        by_itself: bool = False,
    ) -> Workspace:
        """Make a workspace, or change the mode and the rules of one that exists and add inputs to it.

        `ignore` and `error` change one half of the rules. Raises WorkspaceError if a key belongs to another workspace already,
        RuleError if the rules cannot be.
        """
        if mode is not None:
            check_mode(mode)
        if not name or len(name) > 200:
            raise WorkspaceError(f"The workspace name {name[:40]!r} has {len(name)} characters; expected 1 to 200.")
        with self._lock:
            for key in inputs or {}:
                if not key or ":" in key:
                    raise WorkspaceError(f"The API key {key[:40]!r} is empty or has a colon, which Basic authentication forbids.")
                known = self._inputs.get(key)
                if known is not None and known.workspace.name != name and not known.by_itself:
                    raise WorkspaceError(
                        f"The API key {key!r} belongs to the workspace {known.workspace.name!r}; choose another key for {name!r}."
                    )
            new = Workspace(name, self.mode, rules=self.rules, history=History(resumed=self._resumed))
            workspace = self._workspaces.get(name, new)
            if ignore is not None or error is not None:
                before = rules or workspace.rules
                rules = Rules.parse(before.ignore if ignore is None else ignore, before.error if error is None else error)
            self._workspaces[name] = workspace
            if mode is not None:
                workspace.mode = mode
            if rules is not None:
                workspace.rules = rules
            for key, secret in (inputs or {}).items():
                if key in self._inputs:
                    self._inputs[key].workspace.inputs.pop(key, None)
                workspace.inputs[key] = secret
                self._inputs[key] = Input(key, secret, workspace, by_itself)
        return workspace

    def remove(self, name: str) -> bool:
        """Remove a workspace and its inputs; `default` stays, without inputs. False if there is none of this name."""
        with self._lock:
            workspace = self._workspaces.get(name)
            if workspace is None:
                return False
            for key in workspace.inputs:
                del self._inputs[key]
            if name == "default":
                self._workspaces[name] = Workspace(name, workspace.mode, rules=workspace.rules)
            else:
                del self._workspaces[name]
            self.idsync.forget(name)
        return True

    def release(self, name: str, key: str) -> Workspace | None:
        """Take an input away from a workspace, which keeps what it has recorded; None if it has none with this key."""
        with self._lock:
            workspace = self._workspaces.get(name)
            if workspace is None or key not in workspace.inputs:
                return None
            del workspace.inputs[key]
            del self._inputs[key]
        return workspace

    def authenticate(self, authorization: bytes | None) -> Input | Finding:
        """The input that a Basic `Authorization` header names, or why there is none (`events-api.md §3`, `§4`)."""
        if authorization is None:
            return make(
                "credentials_missing",
                "The request has no Authorization header.",
                hint="Send 'Authorization: Basic ' and base64 of KEY:SECRET, the key and secret of an mParticle input.",
            )
        credentials = self._parse(authorization)
        if isinstance(credentials, Finding):
            return credentials
        key, secret = credentials
        found = self._inputs.get(key)
        if found is None:
            if self._are_swapped(key, secret):
                return make(
                    "credentials_wrong",
                    f"The API key is the secret of {secret[:80]!r}, and the secret is that key: they have changed places.",
                    hint="Send 'Authorization: Basic ' and base64 of KEY:SECRET, the key first.",
                )
            return self._unknown(key)
        if found.secret is not None and not compare_digest(found.secret.encode(), secret.encode()):
            return make(
                "credentials_wrong",
                f"The secret is not the one of the API key {key[:80]!r}.",
                hint="Key and secret belong together: check that both come from the same input.",
            )
        return found

    def of_key(self, key: str) -> Input | Finding:
        """The input of an API key without a secret, as the client SDKs send it, or why there is none."""
        return self._inputs.get(key) or self._unknown(key)

    def _unknown(self, key: str) -> Input | Finding:
        """The input that an unknown key becomes, or why it does not."""
        if not self.unknown_keys or not key or ":" in key:
            return make(
                "credentials_wrong",
                f"The API key {key[:80]!r} is unknown here.",
                hint="GET /_fake/workspaces lists the keys that are known.",
            )
        if len(self._inputs) < MOST_INPUTS:
            self.put("default", inputs={key: None}, by_itself=True)
        return Input(key, None, self._workspaces["default"])

    def forget(self, name: str | None = None) -> None:
        """Forget what a workspace, or each, has seen: the next batch is its first."""
        self.idsync.forget(name)
        if name is None:
            self._resumed = False
        for workspace in self:
            if name in (None, workspace.name):
                workspace.history = History()

    def resume(self) -> None:
        """Go on with a store that holds records: what is in them is not learnt, and not held against what comes."""
        self._resumed = True
        for workspace in self:
            workspace.history = History(resumed=True)

    def key_of(self, authorization: bytes | None) -> str | None:
        """The API key in a Basic `Authorization` header, known or not."""
        credentials = self._parse(authorization) if authorization else None
        # Where they are swapped, the key is a secret.
        return credentials[0] if isinstance(credentials, tuple) and not self._are_swapped(*credentials) else None

    def _are_swapped(self, key: str, secret: str) -> bool:
        meant = self._inputs.get(secret)
        return meant is not None and meant.secret == key and key not in self._inputs

    def _parse(self, authorization: bytes) -> tuple[str, str] | Finding:
        credentials = self._parsed.get(authorization)
        if credentials is not None:
            return credentials
        parsed = parse_basic(authorization)
        if isinstance(parsed, tuple) and len(authorization) < 1000:
            if len(self._parsed) > MOST_INPUTS:
                self._parsed.clear()
            self._parsed[authorization] = parsed
        return parsed


def check_mode(mode: str) -> Mode:
    """The mode of this name. Raises WorkspaceError for another."""
    for known in MODES:
        if mode == known:
            return known
    raise WorkspaceError(f"The mode is {mode!r}; expected one of {', '.join(MODES)}.")


def parse_basic(authorization: bytes) -> tuple[str, str] | Finding:
    """Key and secret of a Basic Authorization header."""
    scheme, _, encoded = authorization.strip().partition(b" ")
    if not scheme:
        return make(
            "credentials_missing",
            "The Authorization header is empty.",
            hint="The Node SDK sends an empty header when the key or the secret is missing in its Configuration.",
        )
    if scheme.lower() != b"basic":
        # What stands in the place of a scheme may be a secret.
        known = scheme.lower() in (b"bearer", b"digest", b"negotiate")
        shown = f"of the scheme {scheme.decode()!r}" if known and encoded else "of no known scheme"
        return make("credentials_missing", f"The Authorization header is {shown}; expected Basic and base64 of KEY:SECRET.")
    try:
        key, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return make("credentials_missing", "What follows 'Basic' in the Authorization header is not base64 of UTF-8 text.")
    if not colon or not key:
        return make(
            "credentials_missing",
            "The Authorization header holds no key before a colon.",
            hint="Encode KEY:SECRET, with the colon.",
        )
    return key, secret
