"""How to reach the cluster: the options that all clients of aiokafka share, made anew for each client.

Made anew, because passwords and certificates may have been rotated since the last one.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Hashable
from typing import Any

from aiokafka import codec

from producer.errors import AccessDenied, SettingsError
from producer.kafka.tokens import tokens_of
from producer.net.trust import lenient, said, version_of
from producer.settings.sections import Kafka

REQUEST_TIMEOUT = 20.0
"""Seconds for one request: a broker that is stopped, not gone, is noticed after these."""
PATIENCE = 5.0
"""Seconds for one connection, and for one answer, where somebody waits to hear what is wrong."""
TRANSACTION_TIMEOUT = 60.0
"""Seconds after which the broker aborts a transaction that its owner left open."""
_CODECS = {
    "none": lambda: True,
    "gzip": codec.has_gzip,
    "snappy": codec.has_snappy,
    "lz4": codec.has_lz4,
    "zstd": codec.has_zstd,
}
"""Whether each value of KAFKA_COMPRESSION can be written and read here."""


class Connection:
    """The settings of the cluster, and the name under which this instance connects; `tokens` are for OAUTHBEARER.

    Raises SettingsError if KAFKA_COMPRESSION needs a package that is not installed.
    """

    def __init__(
        self, settings: Kafka, *, client_id: str, request_timeout: float = REQUEST_TIMEOUT, patience: float = PATIENCE
    ) -> None:
        compression = settings.compression
        if not _CODECS[compression]():
            problem = f"KAFKA_COMPRESSION: {compression} needs a package more: pip install 'wolkvox-hits[compression]'"
            raise SettingsError([problem])
        self.settings = settings
        self.client_id = client_id
        self.request_timeout = request_timeout
        self.patience = patience
        self.tokens = tokens_of(settings)

    def options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client; raises AccessDenied for a secret or certificate of no use."""
        settings = self.settings
        options: dict[str, Any] = {
            "bootstrap_servers": settings.bootstrap_servers,
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout * 1000),
            "security_protocol": settings.security_protocol,
            "metadata_max_age_ms": 60_000,
        }
        if settings.security_protocol in ("SSL", "SASL_SSL"):
            options["ssl_context"] = self._ssl_context()
        if settings.security_protocol.startswith("SASL"):
            options |= self._sasl()
        return options

    def stamp(self) -> Hashable:
        """Another value once a password or a certificate file was replaced; whatever can't be read now is None."""
        settings = self.settings
        try:
            password = hash(settings.sasl_password.read()) if settings.sasl_password is not None else None
        except SettingsError:
            password = None
        files = (settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile)
        return password, *(version_of(path) for path in files)

    def _ssl_context(self) -> ssl.SSLContext:
        settings = self.settings
        try:
            context = lenient(ssl.create_default_context(cafile=settings.ssl_cafile))
        except (OSError, ssl.SSLError) as error:
            raise AccessDenied(f"KAFKA_SSL_CAFILE: {settings.ssl_cafile}: {said(error)}") from None
        if settings.ssl_certfile is not None:
            keyfile = settings.ssl_keyfile
            name = "KAFKA_SSL_CERTFILE" if keyfile is None else "KAFKA_SSL_CERTFILE, KAFKA_SSL_KEYFILE"
            try:
                # Without a callback OpenSSL asks for the passphrase on the terminal and waits.
                context.load_cert_chain(settings.ssl_certfile, keyfile, password=_no_passphrase)
            except (OSError, ssl.SSLError) as error:
                raise AccessDenied(f"{name}: {keyfile or settings.ssl_certfile}: {said(error)}") from None
        return context

    def _sasl(self) -> dict[str, Any]:
        settings = self.settings
        if settings.sasl_mechanism == "OAUTHBEARER":
            return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": self.tokens}
        try:
            password = settings.sasl_password.read() if settings.sasl_password is not None else None
        except SettingsError as error:
            raise AccessDenied(str(error)) from None
        return {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": password,
        }


def instance_name() -> str:
    """This process among all instances: `HOST-PID`."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _no_passphrase() -> str:
    raise AccessDenied("KAFKA_SSL_KEYFILE: the key is locked with a passphrase; give it unlocked: openssl pkey -in …")
