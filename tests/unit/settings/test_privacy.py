"""What of people goes out: which settings belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.reading import problem, read

KEY = "canary-8f3a-of-thirty-two-letters"
HASHED = {"PRIVACY_TELEPHONE": "HMAC", "PRIVACY_KEY": KEY}


def test_everything_is_kept_by_default() -> None:
    assert read().privacy.keeps_all


@pytest.mark.parametrize(
    ("environ", "kept"),
    [
        ({}, True),
        ({"PRIVACY_TELEPHONE": "drop"}, False),
        ({"PRIVACY_CUSTOMER_ID": "drop"}, False),
        (HASHED, False),
        ({"PRIVACY_EXTRA": "drop"}, False),
        ({"PRIVACY_CUSTOMER_ID": "drop", "PRIVACY_EXTRA": "keep"}, True),
    ],
)
def test_fields_beyond_the_six_go_out_only_with_telephones_or_if_somebody_says_so(
    environ: dict[str, str], *, kept: bool
) -> None:
    privacy = read(**environ).privacy
    assert privacy.keeps_extra is kept
    assert privacy.keeps_all is (environ == {})


def test_what_a_field_by_another_name_may_tell_is_a_warning() -> None:
    (line,) = read(PRIVACY_CUSTOMER_ID="drop", PRIVACY_EXTRA="keep").warnings
    assert line.startswith("PRIVACY_EXTRA keep lets through")
    assert read(PRIVACY_EXTRA="keep").warnings == ()


def test_a_key_may_stand_in_a_file_that_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    key = read(PRIVACY_CUSTOMER_ID="hmac", PRIVACY_KEY_FILE=str(file)).privacy.key
    assert key is not None
    before = key.read()
    file.write_text(KEY[::-1])
    assert (before, key.read()) == (KEY, KEY[::-1])


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PRIVACY_TELEPHONE": "hmac"}, "PRIVACY_KEY: required with PRIVACY_TELEPHONE=hmac: it, or PRIVACY_KEY_FILE"),
        ({"PRIVACY_KEY": KEY}, "PRIVACY_KEY: has no use without PRIVACY_TELEPHONE or PRIVACY_CUSTOMER_ID=hmac"),
        ({**HASHED, "PRIVACY_KEY": KEY[:31]}, "PRIVACY_KEY: it is too short: 32 characters and up; `openssl rand"),
        ({**HASHED, "PRIVACY_KEY": f"{KEY}\n{KEY}"}, "PRIVACY_KEY: it has a control character or more than one line"),
        ({**HASHED, "PRIVACY_KEY": f"PRIVACY_KEY={KEY[:10]}"}, "PRIVACY_KEY: it is too short"),
        ({"PRIVACY_TELEPHONE": "hash"}, "PRIVACY_TELEPHONE: 'hash' is refused"),
    ],
)
def test_what_does_not_go_together_is_one_line_without_the_key(environ: dict[str, str], words: str) -> None:
    line = problem(**environ)
    assert line.startswith(words)
    assert KEY[:8] not in line


@pytest.mark.parametrize("content", [f'"{KEY}"', f"PRIVACY_KEY={KEY}", KEY[:31]])
def test_a_file_of_no_use_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    line = problem(PRIVACY_TELEPHONE="hmac", PRIVACY_KEY_FILE=str(file))
    assert line.startswith(f"PRIVACY_KEY_FILE: {file}: the file holds no secret that can be used: it ")
    assert KEY[:8] not in line


def test_quotes_that_an_env_file_left_are_no_part_of_the_key() -> None:
    """Or the same file would make other hashes under docker than under systemd."""
    key = read(**{**HASHED, "PRIVACY_KEY": f'"{KEY}"'}).privacy.key
    assert key is not None
    assert key.read() == KEY
