from __future__ import annotations

import socket

import pytest

from producer.demo.broker import EmbeddedKafka
from producer.demo.broker.readiness import alive

pytestmark = pytest.mark.kafka


def test_the_session_broker_serves(kafka: str) -> None:
    assert alive(_port(kafka))


def test_a_killed_broker_comes_back_on_its_port_with_its_data(broker: EmbeddedKafka) -> None:
    bootstrap, folder = broker.bootstrap, broker.folder
    broker.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", _port(bootstrap)))
    broker.start()
    assert (broker.bootstrap, broker.folder) == (bootstrap, folder)
    assert alive(_port(bootstrap))


def _port(bootstrap: str) -> int:
    return int(bootstrap.rsplit(":", 1)[1])
