"""Where a source lives: the server's number as people write it, and the address it stands for."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_NUMBER = re.compile(r"(?:wv)?([0-9]{1,4})")
_HOST = re.compile(r"wv([0-9]{1,4})\.wolkvox\.com")
_LABEL = re.compile(r"(?!0x|[0-9]+$)[a-z0-9_-]+")
"""One name without a dot. Not `2130706433` or `0x7f000001`: resolvers read those as IP addresses."""

_HINT = "write its number (0042), wv0042 or https://wv0042.wolkvox.com; any other address belongs in WOLKVOX_URL"


def normalise_server(text: str) -> str:
    """The server's number in four digits, from `42`, `0042`, `wv0042` or its whole address.

    Raises ValueError with a text for people, which never repeats what was given: it may be a token in the wrong place.
    """
    name = text.strip().lower()
    matched = _host_of(name) if "://" in name else _NUMBER.fullmatch(name) or _HOST.fullmatch(name)
    if matched is None:
        raise ValueError(f"not a Wolkvox server: {_HINT}")
    return matched[1].zfill(4)


def base_url(server: str, url_override: str | None) -> str:
    """The address that every call of this source starts with, without a slash at its end."""
    return (url_override or f"https://wv{server}.wolkvox.com").strip().rstrip("/")


def check_url(url: str, *, allow_http: bool) -> str:
    """The address as `base_url` wants it, if the token may be sent there.

    Plain http is for a loopback or single-label host (a container's name) unless `allow_http`. Raises ValueError that
    says what to do; its text never repeats the address, which may carry a password.
    """
    parts = _split(url.strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an address: write https://host or https://host:port")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address without user, password, query or fragment is needed: write https://host/path")
    if parts.scheme == "http" and not (allow_http or _is_near(parts.hostname)):
        raise ValueError("plain http would show the token on the way: use https, or set WOLKVOX_ALLOW_HTTP=true")
    return base_url("", url)


def _host_of(url: str) -> re.Match[str] | None:
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or parts.port not in {None, 80, 443}:
        return None
    return _HOST.fullmatch(parts.hostname or "")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number shows only when asked for
    except ValueError:
        return None
    return None if re.search(r"[\s\\]", url) else parts


def _is_near(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost") or _LABEL.fullmatch(host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
