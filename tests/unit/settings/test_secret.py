from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from producer.errors import SettingsError
from producer.settings import Secret, load
from producer.settings.secret import MASK, header_value
from tests.unit.settings.reading import ONE, problem, problems, read

CANARY = "canary-8f3a"


def test_a_secret_shows_a_mask_however_it_is_printed() -> None:
    secret = Secret.of(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, repr([secret])]  # noqa: UP031  (the point)
    assert all(MASK in text and CANARY not in text for text in shown)
    assert secret.read() == CANARY


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret.of(CANARY))


def test_settings_with_a_secret_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(read(WOLKVOX_TOKEN=CANARY))


def test_a_copy_of_a_secret_still_reads() -> None:
    secret = Secret.of(CANARY)
    assert [copy.copy(secret).read(), copy.deepcopy(secret).read()] == [CANARY, CANARY]


def test_a_secret_has_no_attribute_that_holds_it() -> None:
    secret = Secret.of(CANARY)
    assert not hasattr(secret, "__dict__")
    assert CANARY not in repr([getattr(secret, name) for name in dir(secret)])


def test_a_model_dumps_the_mask() -> None:
    class Login(BaseModel):
        password: Secret

    login = Login(password=Secret.of(CANARY))
    assert MASK in login.model_dump_json()
    assert CANARY not in login.model_dump_json() + repr(login) + str(login.model_dump())


def test_settings_never_show_a_secret() -> None:
    settings = read(
        WOLKVOX_TOKEN=CANARY,
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="PLAIN",
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD=CANARY,
    )
    assert CANARY not in repr(settings) + str(settings) + settings.model_dump_json() + repr(settings.model_dump())
    assert [settings.sources[0].token.read(), settings.kafka.sasl_password and settings.kafka.sasl_password.read()] == [
        CANARY,
        CANARY,
    ]


def test_a_secret_file_is_read_again_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    environ = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN_FILE": str(file)}
    token = load(config=None, environ=environ).sources[0].token
    before = token.read()
    file.write_text("second\r\n")
    assert (before, token.read()) == ("first", "second")


def test_a_secret_file_that_is_gone_says_which_setting_and_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    secret = Secret.from_file(file, name="WOLKVOX_TOKEN_FILE")
    file.unlink()
    with pytest.raises(SettingsError, match=f"^WOLKVOX_TOKEN_FILE: {file}: No such file"):
        secret.read()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"canary-8f3a\nmore", "more than one line"),
        (b"canary-8f3a\x00", "control character"),
        (b"canary-8f3a \xff", "not UTF-8"),
        ("canary-8f3a ü".encode(), "a blank or a character beyond ASCII"),
    ],
)
def test_an_unusable_token_file_is_a_problem_without_its_content(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    (line,) = problems(environ={"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN_FILE": str(file)})
    assert line.startswith(f"WOLKVOX_TOKEN_FILE: {file}")
    assert why in line
    assert CANARY not in line


def test_a_file_by_a_relative_path_is_told_apart_from_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("two\nlines")
    assert problem(WOLKVOX_TOKEN="", WOLKVOX_TOKEN_FILE="token").endswith(
        " itself): the file holds no secret that can be used: it has a control character or more than one line"
    )


@pytest.mark.parametrize("token", [CANARY, f"{CANARY}/+x9==", f"a/{CANARY}", f"./{CANARY}", f"~/{CANARY}"])
def test_a_token_in_place_of_its_files_path_is_not_told(token: str) -> None:
    """A base64 text may have a slash anywhere; only an absolute path is surely meant as one."""
    (line,) = problems(environ={"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN_FILE": token})
    assert line.startswith("WOLKVOX_TOKEN_FILE: ")
    assert CANARY not in line


def test_a_files_byte_order_mark_is_no_part_of_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"\xef\xbb\xbftoken")
    assert Secret.from_file(file, name="X_FILE", check=header_value).read() == "token"


def test_a_password_may_have_blanks_and_letters_of_any_language() -> None:
    settings = read(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-512",
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="contraseña con ñ ",
    )
    assert settings.kafka.sasl_password is not None
    assert settings.kafka.sasl_password.read() == "contraseña con ñ "


def test_a_token_that_no_header_can_carry_is_a_problem_without_the_token() -> None:
    assert problem(WOLKVOX_TOKEN=f"{CANARY}\r\nx: y") == (
        "WOLKVOX_TOKEN: it has a control character or more than one line"
    )


def test_no_problem_ever_shows_a_secret(toml: Callable[[str], Path]) -> None:
    config = toml(
        f"""
        [wolkvox]
        token = ["{CANARY}"]
        url = "http://user:{CANARY}@example.com"
        [kafka]
        sasl_password = {{ secret = "{CANARY}" }}
        sasl_oauth_client_secret = "{CANARY}\\u0000"
        sasl_oauth_token_url = "https://user:{CANARY}@example.com"
        sasl_oauth_client_secret_file = ["{CANARY}"]
        [[source]]
        server = "{CANARY}"
        token = "{CANARY} "
        [[source]]
        server = "1"
        token = [ "{CANARY}" ]
        token_file = ["{CANARY}"]
        """
    )
    lines = problems(config=config, environ=ONE, overrides=[f"wolkvox.tokn={CANARY}", f"{CANARY}"])
    assert len(lines) > 8
    assert CANARY not in "\n".join(lines)
