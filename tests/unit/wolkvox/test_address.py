from __future__ import annotations

import pytest

from producer.wolkvox.address import base_url, check_url, normalise_server


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "0042",
        "wv42",
        "wv0042",
        " WV0042\n",
        "wv0042.wolkvox.com",
        "https://wv0042.wolkvox.com",
        "https://WV0042.wolkvox.com/api/v2/real_time.php?api=hits_last_hour",
        "http://wv0042.wolkvox.com:80/",
    ],
)
def test_a_server_is_known_by_its_number_in_four_digits(text: str) -> None:
    assert normalise_server(text) == "0042"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "forty-two",
        "12345",
        "-42",
        "4 2",
        "\u0664\u0662",
        "https://wv0042.wolkvox.com.example",
        "https://example/wv0042.wolkvox.com",
        "https://42",
        "https://wv0042.wolkvox.com:8443",
        "https://wv0042.wolkvox.com:port",
        "https://[wv0042.wolkvox.com",
        "ftp://wv0042.wolkvox.com",
    ],
)
def test_what_is_no_server_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write its number \(0042\)") as caught:
        normalise_server(text)
    assert not text or text not in str(caught.value)


def test_a_server_lives_at_wolkvox_unless_told_otherwise() -> None:
    assert base_url("0042", None) == "https://wv0042.wolkvox.com"
    assert base_url("0042", "http://simulator:8900/base/ ") == "http://simulator:8900/base"


@pytest.mark.parametrize(
    "url",
    [
        "https://wv0042.wolkvox.com",
        "https://api.example:8443/wolkvox",
        "http://localhost:8900",
        "http://api.localhost",
        "http://127.0.0.1:8900",
        "http://127.9.9.9",
        "http://[::1]:8900",
        "http://simulator:8900",
        "http://wolkvox-simulator_1",
    ],
)
def test_https_anywhere_and_plain_http_nearby_are_fine(url: str) -> None:
    assert check_url(f"{url}/", allow_http=False) == url


@pytest.mark.parametrize(
    "url", ["http://api.example", "http://10.0.0.7", "http://[2001:db8::1]", "http://2130706433", "http://0x08080808"]
)
def test_plain_http_to_elsewhere_must_be_allowed(url: str) -> None:
    with pytest.raises(ValueError, match="WOLKVOX_ALLOW_HTTP=true"):
        check_url(url, allow_http=False)
    assert check_url(url, allow_http=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example",
        "ftp://api.example",
        "https://",
        "https://[::1",
        "https://api.example:port",
        "https://api.example:99999",
        "https://user:secret@api.example",
        "https://api.example/?token=secret",
        "https://api.example/#secret",
        "https://api.example\\@secret",
        "https://api.exa mple",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="write https://host") as caught:
        check_url(url, allow_http=True)
    assert "secret" not in str(caught.value)
