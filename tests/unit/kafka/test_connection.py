from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from producer.errors import AccessDenied
from producer.kafka.connection import Connection
from producer.settings import Kafka
from producer.settings.secret import Secret
from tests.integration.security.certificates import PASSPHRASE, Authority, locked_key

WITHOUT_CRAMJAM = "import sys; sys.modules['cramjam'] = None; from producer.commands.cli import main; main()"
NAME = "KAFKA_SASL_PASSWORD_FILE"


def test_a_codec_whose_package_is_missing_ends_run_and_names_the_extra() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_CRAMJAM, "run"],
        env={"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "any", "KAFKA_COMPRESSION": "zstd"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    line = "wolkvox-hits: KAFKA_COMPRESSION: zstd needs a package more: pip install 'wolkvox-hits[compression]'"
    assert ended.stderr.splitlines() == [line]


def test_each_client_gets_the_password_of_its_moment(tmp_path: Path) -> None:
    connection, file = _login(tmp_path)
    assert connection.options()["sasl_plain_password"] == "first"
    file.write_text("second")
    assert connection.options()["sasl_plain_password"] == "second"


def test_a_password_that_cannot_be_read_is_a_refusal_that_names_its_setting(tmp_path: Path) -> None:
    connection, file = _login(tmp_path)
    file.unlink()
    with pytest.raises(AccessDenied, match=NAME):
        connection.options()


def test_a_replaced_password_or_certificate_shows_in_the_stamp(tmp_path: Path) -> None:
    connection, file = _login(tmp_path)
    stamps = [connection.stamp(), connection.stamp()]
    assert stamps[0] == stamps[1]
    file.write_text("second")
    stamps.append(connection.stamp())
    file.unlink()
    stamps.append(connection.stamp())
    assert len(set(stamps)) == 3
    mutual, authority = _mutual(tmp_path), Authority(tmp_path, "next")
    before = mutual.stamp()
    leaf = authority.client("us")
    # As Kubernetes and certificate managers do it: another file takes the name.
    assert mutual.settings.ssl_certfile
    leaf.chain.rename(mutual.settings.ssl_certfile)
    assert mutual.stamp() != before


def test_a_stamp_holds_no_password(tmp_path: Path) -> None:
    connection, _ = _login(tmp_path)
    assert "first" not in repr(connection.stamp())
    assert "first" not in repr(connection)


def test_a_locked_key_is_refused_and_nobody_is_asked_for_its_passphrase(tmp_path: Path) -> None:
    leaf = Authority(tmp_path, "ca").client("us")
    settings = Kafka(security_protocol="SSL", ssl_certfile=leaf.chain, ssl_keyfile=locked_key(leaf))
    with pytest.raises(AccessDenied, match="KAFKA_SSL_KEYFILE: the key is locked with a passphrase") as caught:
        Connection(settings, client_id="test").options()
    assert PASSPHRASE.decode() not in str(caught.value)


def test_a_file_that_is_no_certificate_is_named_with_its_setting(tmp_path: Path) -> None:
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nothing")
    with pytest.raises(AccessDenied, match=f"KAFKA_SSL_CAFILE: {nonsense}"):
        Connection(Kafka(security_protocol="SSL", ssl_cafile=nonsense), client_id="test").options()


def _login(folder: Path) -> tuple[Connection, Path]:
    file = folder / "password"
    file.write_text("first")
    settings = Kafka(security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="us")
    settings = settings.model_copy(update={"sasl_password": Secret.from_file(file, name=NAME)})
    return Connection(settings, client_id="test"), file


def _mutual(folder: Path) -> Connection:
    leaf = Authority(folder, "ca").client("us")
    return Connection(Kafka(security_protocol="SSL", ssl_certfile=leaf.chain, ssl_keyfile=leaf.key), client_id="test")
