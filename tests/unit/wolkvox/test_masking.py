from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.wolkvox.masking import shown
from tests.unit.wolkvox.calls import TELEPHONE, TOKEN


def test_the_words_of_the_api_are_shown_as_they_are() -> None:
    text = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"
    assert shown(text, secret=TOKEN) == text


@pytest.mark.parametrize(
    "telephone",
    [
        TELEPHONE,
        "300 123 4567",
        "+57 (300) 123-45-67",
        "300.123.4567",
        "1234567",
        "300,555,0123",
        "300/555/0123",
        "300_555_0123",
        "300 - 555 - 0123",
        "(300) - 555 - 0123",
        "300 \N{MIDDLE DOT} 555 \N{MIDDLE DOT} 0123",
        "%33%30%30%35%35%35%30",
        "&#51;&#48;&#48;&#53;&#53;&#53;&#48;",
        "\u0663\u0660\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    ],
)
def test_a_telephone_is_masked_however_it_is_written(telephone: str) -> None:
    assert shown(f"unknown customer {telephone}!", secret=TOKEN) in {
        "unknown customer ***!",
        "unknown customer +***!",
        "unknown customer +57 (***!",
        "unknown customer (***!",
        "unknown customer %***!",
        "unknown customer &#***;!",
    }


@pytest.mark.parametrize("text", [TOKEN, TOKEN.upper(), f"'{TOKEN}'", TOKEN + TOKEN, TOKEN[:-1], "x" * 3_990 + TOKEN])
def test_a_token_is_masked_in_any_casing_and_in_part(text: str) -> None:
    assert TOKEN[:-1].lower() not in shown(f"please validate token {text}", secret=TOKEN).lower()


@pytest.mark.parametrize("text", ["hush-42", "HUSH-42", "hush-42 Hush-42", "1" * 3_995 + " hush-42"])
def test_a_short_token_is_masked_as_well(text: str) -> None:
    assert "hush" not in shown(text, secret="hush-42").lower()


SHORT = "aB3$x/9"


@pytest.mark.parametrize(
    "text",
    [
        "aB3%24x%2F9",
        "ab3%24x%2f9",
        "aB3&#36;x/9",
        "aB3&#x24;x&#47;9",
        "aB3&dollar;x&sol;9",
        "aB3&#36;x%2F9",
        "1" * 3_990 + " aB3&#36;x/9",
        "1" * 3_990 + " " + SHORT.upper(),
    ],
)
def test_a_token_is_masked_as_an_address_or_a_page_writes_it(text: str) -> None:
    words = shown(f"please validate {text} of 5%20 &amp;", secret=SHORT).lower()
    assert "b3" not in words


def test_what_an_address_or_a_page_would_write_otherwise_stays_as_it_is() -> None:
    text = "use of 100%de la cuota &amp; 5%20"
    assert shown(text, secret=SHORT) == text


@pytest.mark.parametrize("text", ["try again in 00:15:00", "at 20:13 (403)", "1,000 of 5,000", "HTTP/1.1 503 5xx"])
def test_what_is_too_short_for_a_telephone_is_shown(text: str) -> None:
    assert shown(text, secret=TOKEN) == text


def test_a_long_text_is_trimmed_and_on_one_line() -> None:
    words = shown("no\nword\x00of " * 40, secret=TOKEN)
    assert len(words) == 120
    assert words.startswith("no word of no word of")
    assert words.endswith("…")


@pytest.mark.parametrize("text", [None, 5, ["a"], {"a": 1}, True])
def test_what_is_no_text_is_not_shown(text: object) -> None:
    assert shown(text, secret=TOKEN) == ""


@given(
    before=st.text(),
    after=st.text(),
    token=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=6),
)
def test_no_text_around_a_token_makes_it_visible(before: str, after: str, token: str) -> None:
    for written in (token, quote(token, safe=""), "".join(f"&#{ord(char)};" for char in token)):
        text = shown(before + written + after, secret=token)
        assert len(text) <= 120
        assert token not in text.replace("***", " ")
        assert written not in text
