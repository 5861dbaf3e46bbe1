"""Which proxy a call goes through, by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (or the system's own settings).

httpx reads them too, but takes a host in brackets in NO_PROXY for a broken address and makes no client at all, and
knows neither ports nor networks there.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from producer.errors import SettingsError

_PORTS = {"http": 80, "https": 443}
_ENTRY = re.compile(r"(?:\w+://)?(?:\[([^\]]*)\]|([^/:]*)|([0-9a-f:.%]*))(?::([0-9]{1,5}))?(/[0-9]{1,3})?/?")
"""A host in brackets, a name or an IPv4 address, or a bare IPv6 address; then a port, or the bits of a network."""


def proxy_for(url: str) -> str | None:
    """The proxy for calls to an address, None if they go there directly; raises SettingsError for one of no use."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None  # whoever calls there is told by the call
    proxies = getproxies()
    scheme = next((one for one in (parts.scheme, "all") if proxies.get(one)), None)
    if scheme is None or _is_direct(parts.hostname or "", port, proxies.get("no", "")):
        return None
    address = proxies[scheme] if "://" in proxies[scheme] else f"http://{proxies[scheme]}"
    if not _is_usable(address):
        raise SettingsError([f"{scheme.upper()}_PROXY: it is no proxy that can be used; write http://host:port"])
    return address


def _is_usable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in _PORTS and parts.port != 0
    except ValueError:  # a port that is none, or a bracket without the other
        return False
    host = parts.hostname or ""
    return usable and address.isprintable() and (bool(re.fullmatch(r"[\w.-]+", host)) or _address(host) is not None)


def _is_direct(host: str, port: int, no_proxy: str) -> bool:
    return any(_names(entry.lower(), host, port) for entry in re.split(r"[\s,]+", no_proxy) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY names the host; one that makes no sense names none."""
    if entry == "*":
        return True
    found = _ENTRY.fullmatch(entry)
    if found is None or (found[4] and int(found[4]) != port):
        return False
    name = found[1] or found[2] or found[3] or ""
    address = _address(host)
    if address is not None:
        try:
            return address in ip_network(name + (found[5] or ""), strict=False)
        except ValueError:
            return False
    suffix = name.lstrip("*").strip(".")
    return bool(suffix) and f".{host}".endswith(f".{suffix}")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
