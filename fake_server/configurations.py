"""What an SDK is told when it asks for its configuration: the defaults here, and over them what a workspace has.

`workspaces.py` checks what somebody sets, the endpoints of the web and native SDKs answer.
(`client-sdks.md §2.2`, `§3.4`, `§4.4`)
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from .words import did_you_mean

Config = dict[str, Any]
"""A configuration as JSON; the SDKs merge members that they do not know into their options, or pass over them."""


class ConfigError(ValueError):
    """A configuration with which an SDK would not work; the message says where and what it takes."""


WEB_FLAGS: Final = {
    # Every event in a request of its own, at once: what is done in the page shows here at the same moment.
    "eventBatchingIntervalMillis": "0",
    "audienceAPI": "True",
}
NATIVE_UPLOAD_SECONDS: Final = 10
"""Instead of the SDKs' 600: nobody who tries something out waits ten minutes for an event."""


def web(name: str, config: Config) -> Config:
    """The web SDK's configuration in a workspace of this name; its flags are merged one by one."""
    flags = {**WEB_FLAGS, **config.get("flags", {})}
    token = workspace_token(name)
    defaults = {"appName": name, "workspaceToken": token, "minWebviewBridgeVersion": 1, "kitConfigs": [], "pixelConfigs": []}
    return {**defaults, **config, "flags": flags}


def native(name: str, config: Config, *, android: bool) -> Config:
    """The Android or Apple SDK's configuration in a workspace of this name; its flags are merged one by one."""
    # Android reads the flag as true alone, the Apple SDK as "True" alone.
    flags = {"AudienceAPI": True if android else "True", **config.get("flags", {})}
    return {"dt": "ac", "eks": [], "uitl": NATIVE_UPLOAD_SECONDS, "wst": workspace_token(name), **config, "flags": flags}


def workspace_token(name: str) -> str:
    """What tells the storage of one workspace from that of another in a browser or on a device; the same at every start."""
    return f"{zlib.crc32(name.encode('utf-8', 'replace')):08X}"


# -- checking ----------------------------------------------------------------------------------------------------------------


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(flag, str) for flag in value.values())


def _is_plan(value: Any) -> bool:
    """`{"dtpn": {"blok": {"ev": true, …}, "vers": {…}}}` or `{"error_message": "…"}`."""
    if not isinstance(value, dict):
        return False
    if "error_message" in value:
        return isinstance(value["error_message"], str)
    plan = value.get("dtpn")
    if not isinstance(plan, dict):
        return False
    block = plan.get("blok", {})
    return (
        isinstance(block, dict)
        and set(block) <= {"ev", "ea", "ua", "id"}
        and all(isinstance(blocked, bool) for blocked in block.values())
        and isinstance(plan.get("vers", {}), dict)
    )


Rule = tuple[Callable[[Any], bool], str]

_COUNT: Final[Rule] = (_is_count, "a whole number")
_TEXT: Final[Rule] = (_is_text, "text")
_OBJECT: Final[Rule] = (lambda value: isinstance(value, dict), "an object")
_OBJECTS: Final[Rule] = (_is_list_of_objects, "a list of objects")
_URL: Final[Rule] = (
    lambda value: isinstance(value, str) and value.endswith("/") and "://" not in value,
    'an address without a scheme and with a slash at its end, such as "127.0.0.1:8080/v3/JS/"',
)
_PLAN: Final[Rule] = (
    _is_plan,
    '{"dtpn": {"blok": {"ev", "ea", "ua", "id": true or false}, "vers": {…}}} or {"error_message": "…"}',
)

RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "config": {
        "appName": _TEXT,
        "workspaceToken": _TEXT,
        "minWebviewBridgeVersion": _COUNT,
        "kitConfigs": _OBJECTS,
        "pixelConfigs": _OBJECTS,
        "flags": (_are_texts, 'an object whose values are text, such as {"eventBatchingIntervalMillis": "1000"}'),
        "dataPlanResult": _PLAN,
        "aliasMaxWindow": _COUNT,
        **dict.fromkeys(
            (
                "configUrl",
                "v1SecureServiceUrl",
                "v2SecureServiceUrl",
                "v3SecureServiceUrl",
                "identityUrl",
                "aliasUrl",
                "userAudienceUrl",
            ),
            _URL,
        ),
    },
    "native_config": {
        "dt": (lambda value: value == "ac", '"ac", without which the Apple SDK does not take it'),
        "eks": _OBJECTS,
        "flags": _OBJECT,
        "dpr": _PLAN,
        "uitl": _COUNT,
        "stl": _COUNT,
        "rp": _COUNT,
        "wst": _TEXT,
        "alias_max_window": _COUNT,
    },
}
"""The members that are checked, by the member of a workspace that holds them. Others are passed on as they are."""

_FLAGS: Final = (
    "eventBatchingIntervalMillis",
    "offlineStorage",
    "cacheIdentity",
    "audienceAPI",
    "directURLRouting",
    "reportBatching",
    "captureIntegrationSpecificIds",
    "captureIntegrationSpecificIds.V2",
    "astBackgroundEvents",
)


def check_config(config: Config, place: str) -> None:
    """Raise ConfigError for a value that the SDK cannot use, or a flag beside `flags`; `place` is a member of RULES."""
    rules = RULES[place]
    for name, value in config.items():
        if name in rules:
            fits, expected = rules[name]
            if not fits(value):
                raise ConfigError(f"{place}.{name} is {_shown(value)}; expected {expected}.")
        elif place == "config" and name in _FLAGS:
            raise ConfigError(f'{place}.{name} is a flag; expected it inside of flags: {{"flags": {{"{name}": "…"}}}}.')
        elif near := did_you_mean(name, rules, 0.85):
            raise ConfigError(f"{place} has a member {_shown(name)}, which no SDK reads.{near}")


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
