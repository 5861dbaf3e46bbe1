"""The command that grants what is missing, to be copied as it is."""

from __future__ import annotations

from collections.abc import Iterable

from producer.kafka.access.metadata import Operation
from producer.settings import Kafka


def grant(settings: Kafka, needed: Iterable[Operation], *resource: str) -> str:
    """`kafka-acls` for some operations on a resource, given as the tool's own options: `--topic`, `wolkvox.hits`."""
    operations = " ".join(f"--operation {acl}" for acl in sorted(one.acl for one in needed))
    # A certificate's or a token's principal is made by the broker's own rules: only the name of a login is known here.
    principal = f"User:{settings.sasl_username or 'NAME'}"
    return f"kafka-acls --add --allow-principal {principal} {operations} {' '.join(resource)}"
