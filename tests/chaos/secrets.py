"""The certificates of a soak, made anew while brokers and instances run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from producer.demo.broker.cache import write_whole
from tests.chaos.plan import BROKERS
from tests.integration.security.certificates import Authority


class Secrets:
    """Certificates that last two cycles: whoever goes on with an old one is not let in by a broker that restarts."""

    def __init__(self, folder: Path, *, cycle: float) -> None:
        self._cycle = timedelta(seconds=cycle)
        self._authority = Authority(folder, "soak")
        self._client = folder / "client.pem"
        self._broker = self._authority.server("broker").both
        self.client()
        self.broker()

    def client(self) -> None:
        """A new one for the instances."""
        leaf = self._authority.client("service", lasts=2 * self._cycle)
        write_whole(self._client, leaf.both.read_bytes())

    def broker(self) -> None:
        """A new one for each broker that starts from now on."""
        self._authority.server("broker", lasts=2 * BROKERS * self._cycle)

    def clients(self) -> Mapping[str, str]:
        """The settings of the instances."""
        return {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CAFILE": str(self._authority.file),
            "KAFKA_SSL_CERTFILE": str(self._client),
        }

    def brokers(self) -> dict[str, str]:
        """The properties of the brokers."""
        return {
            "ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._broker),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.file),
        }
