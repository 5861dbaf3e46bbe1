"""How to reach the cluster: the options that all clients of aiokafka share, made anew for each client.

Made anew, because passwords and certificates may have been rotated since the last one.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

from producer.errors import AccessDenied
from producer.settings.sections import Kafka

REQUEST_TIMEOUT = 20.0
"""Seconds for one request: a broker that is stopped, not gone, is noticed after these."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The settings of the cluster, and the name under which this instance connects."""

    settings: Kafka
    client_id: str

    def options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client; raises AccessDenied for a certificate that can't be used."""
        settings = self.settings
        options: dict[str, Any] = {
            "bootstrap_servers": settings.bootstrap_servers,
            "client_id": self.client_id,
            "request_timeout_ms": int(REQUEST_TIMEOUT * 1000),
            "security_protocol": settings.security_protocol,
            "metadata_max_age_ms": 60_000,
        }
        if settings.security_protocol in ("SSL", "SASL_SSL"):
            options["ssl_context"] = self._ssl_context()
        if settings.security_protocol.startswith("SASL"):
            options |= self._sasl()
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        settings = self.settings
        try:
            context = ssl.create_default_context(cafile=settings.ssl_cafile)
            if settings.ssl_certfile is not None:
                context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            raise AccessDenied(f"KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE, KAFKA_SSL_KEYFILE: {reason}") from None
        return context

    def _sasl(self) -> dict[str, Any]:
        settings = self.settings
        password = settings.sasl_password
        return {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": password.read() if password is not None else None,
        }
