"""Which proxy a call goes through, by the environment; and which hosts NO_PROXY names."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from producer.errors import SettingsError
from producer.net.proxies import proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Sets these variables, and no other that matters."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def given(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return given


def test_without_a_variable_there_is_no_proxy(environment: Environment) -> None:
    environment()
    assert proxy_for("https://wv0042.wolkvox.com") is None


@pytest.mark.parametrize("url", ["http://[::1", "http://host:port", "", "://"])
def test_an_address_that_is_none_has_none(environment: Environment, url: str) -> None:
    environment(HTTP_PROXY="http://any:3128")
    assert proxy_for(url) is None


def test_each_scheme_has_its_own_and_all_serves_the_rest(environment: Environment) -> None:
    environment(HTTPS_PROXY="http://secure:3128", ALL_PROXY="http://any:3128")
    assert proxy_for("https://wv0042.wolkvox.com") == "http://secure:3128"
    assert proxy_for("http://simulator:8090") == "http://any:3128"
    environment(https_proxy="small:3128")
    assert proxy_for("https://wv0042.wolkvox.com") == "http://small:3128"


@pytest.mark.parametrize(
    "address",
    ["ftp://canary@proxy", "http://[::1", "http://proxy:canary", "socks5://canary", "http://", "http:///canary",
     "http://proxy:0", "http://proxy:99999", "http://two words", "canary proxy:3128", "http://canary\x07:1"],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_is_none_is_named_by_its_variable_and_not_shown(
    environment: Environment, variable: str, address: str
) -> None:
    environment(**{variable: address})
    with pytest.raises(SettingsError, match=f"^{variable}: it is no proxy") as caught:
        proxy_for("https://wv0042.wolkvox.com")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://user:pass%20word@proxy:3128", "http://[::1]:3128", "https://proxy", "p:1"])
def test_a_proxy_that_httpx_takes_is_one(environment: Environment, address: str) -> None:
    environment(HTTPS_PROXY=address)
    proxy = proxy_for("https://wv0042.wolkvox.com")
    assert proxy is not None
    assert proxy.endswith(address)
    httpx.Proxy(proxy)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("localhost,[::1]", "http://localhost:8090", True),
        ("localhost,[::1]", "http://[::1]:8090", True),
        ("localhost,::1", "http://[::1]:8090", True),
        ("localhost,[0:0:0:0:0:0:0:1]", "http://[::1]:8090", True),
        ("[::1]:8090", "http://[::1]:8090", True),
        ("[::1]:8091", "http://[::1]:8090", False),
        ("localhost,[::1]", "https://wv0042.wolkvox.com", False),
        ("127.0.0.1", "http://127.0.0.1:8090", True),
        ("127.0.0.1:8090", "http://127.0.0.1:8090", True),
        ("127.0.0.1:80", "http://127.0.0.1:8090", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("fd00::/8,[fe80::]/10", "http://[fd12::1]", True),
        ("fd00::/8,[fe80::]/10", "http://[fe80::1]", True),
        ("10.0.0.0/8", "http://ten.example", False),
        ("wolkvox.com", "https://wv0042.wolkvox.com", True),
        (".wolkvox.com", "https://wv0042.wolkvox.com", True),
        ("*.wolkvox.com", "https://wv0042.wolkvox.com", True),
        ("WV0042.WOLKVOX.COM", "https://wv0042.wolkvox.com", True),
        ("wolkvox.com.", "https://wv0042.wolkvox.com", True),
        ("wolkvox.com:443", "https://wv0042.wolkvox.com", True),
        ("wolkvox.com:8443", "https://wv0042.wolkvox.com", False),
        ("https://wv0042.wolkvox.com", "https://wv0042.wolkvox.com", True),
        ("kvox.com", "https://wv0042.wolkvox.com", False),
        ("a, b ,wolkvox.com", "https://wv0042.wolkvox.com", True),
        ("a b wolkvox.com", "https://wv0042.wolkvox.com", True),
        ("*", "https://wv0042.wolkvox.com", True),
        (",, ,", "https://wv0042.wolkvox.com", False),
        ("[", "https://wv0042.wolkvox.com", False),
        ("[::1", "http://[::1]:8090", False),
        ("host:port:more,/,:,10.0.0.0/99,[::1]:x", "https://wv0042.wolkvox.com", False),
        ("\u00e1.example", "https://wv0042.wolkvox.com", False),
    ],
)
def test_no_proxy_names_hosts_as_people_and_container_engines_write_them(
    environment: Environment,
    no_proxy: str,
    url: str,
    direct: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    environment(ALL_PROXY="http://any:3128", NO_PROXY=no_proxy)
    assert (proxy_for(url) is None) == direct
