"""Where a redirect may lead: the token stays with its host."""

from __future__ import annotations

import httpx

from producer.errors import NotASnapshot


def next_hop(current: httpx.URL, location: str) -> httpx.URL:
    """The address that `location` names, if it is https on the same host; raises NotASnapshot otherwise.

    From plain http (a simulator's) plain http on the same host and port will do as well.
    """
    target = _joined(current, location)
    if target is None or target.userinfo or target.raw_host != current.raw_host:
        raise NotASnapshot("the answer is no report: a redirect to another host, where the token must not go")
    same_plain = current.scheme == target.scheme == "http" and current.port == target.port
    if target.scheme != "https" and not same_plain:
        raise NotASnapshot("the answer is no report: a redirect to plain http, where the token must not go")
    return target


def _joined(current: httpx.URL, location: str) -> httpx.URL | None:
    try:
        return current.join(location)
    except (httpx.InvalidURL, ValueError):
        return None
