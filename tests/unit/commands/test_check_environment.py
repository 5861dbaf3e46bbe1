"""`check` in environments as they are in the wild: what it accepts, and the words that lead to the remedy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AWAY = "http://127.0.0.1:9"
HERE = {
    "WOLKVOX_SERVER": "0042",
    "WOLKVOX_TOKEN": "canary",
    "WOLKVOX_URL": AWAY,
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
}
QUOTED = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "PLAIN",
    "KAFKA_SASL_USERNAME": "u",
    "KAFKA_SASL_PASSWORD": '"canary"',
}


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    """The command, where neither the API nor Kafka is there."""
    done = subprocess.run(
        [sys.executable, "-m", "producer", "check", "--json"],
        env={"PATH": os.environ["PATH"], **HERE, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "canary" not in done.stdout + done.stderr
    return done


def of_settings(**environment: str) -> dict[str, dict[str, Any]]:
    """What it finds in the settings, by subject."""
    findings = json.loads(check(**environment).stdout)["findings"]
    return {one["subject"]: one for one in findings if one["area"] == "settings"}


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"STATUS_PORT": "tcp://10.0.0.1:8080"}, "STATUS_PORT: .* Service called status: enableServiceLinks: false"),
        ({"WOLKVOX_SERVER": '"0042'}, r"WOLKVOX_SERVER: not a Wolkvox server: write its number \(0042\)"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: 'loud' is refused: input should be 'debug', 'info', 'warning' or 'error'"),
        ({"HTTP_PROXY": "proxy:port"}, r"HTTP_PROXY: it is no proxy that can be used; write http://host:port"),
        ({"WOLKVOX_SSL_CAFILE": "/nowhere/ca.pem"}, "WOLKVOX_SSL_CAFILE: /nowhere/ca.pem: No such file"),
    ],
)
def test_what_cannot_be_used_is_a_line_with_the_remedy(environment: dict[str, str], words: str) -> None:
    done = check(**environment)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(words, line), line


def test_what_env_files_and_engines_leave_is_accepted(tmp_path: Path) -> None:
    found = of_settings(
        WOLKVOX_SERVER='"0042"\r',
        WOLKVOX_TOKEN="canary\n",
        LOG_LEVEL="WARN",
        NO_PROXY="localhost,[::1]",
        HTTP_PROXY="http://127.0.0.1:9",
        STATUS_HOST="*",
    )
    assert {subject: one["verdict"] for subject, one in found.items()} == {"read": "ok"}


def test_a_password_in_quotes_is_a_warning() -> None:
    found = of_settings(**QUOTED)["KAFKA_SASL_PASSWORD"]
    assert found["verdict"] == "warning"
    assert "take them off" in found["text"]


def test_an_address_that_the_status_page_cannot_have_is_a_warning() -> None:
    found = of_settings(STATUS_HOST="192.0.2.99")["STATUS_HOST"]
    assert (found["verdict"], found["text"]) == ("warning", "STATUS_HOST: '192.0.2.99' is no address of this machine")
    assert "`*`" in found["hint"]


def test_what_becomes_of_personal_data_is_said_once_not_all_of_it_is_kept() -> None:
    assert "privacy" not in of_settings()
    found = of_settings(PRIVACY_TELEPHONE="hmac", PRIVACY_KEY="canary-of-thirty-two-characters-1")["privacy"]
    assert found["verdict"] == "ok"
    assert found["text"].startswith("telephone hmac, customer id keep, other fields drop; after a change of these")
