"""The least permissions that the service needs, one grant a row: told in a document, taken away by the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from confluent_kafka import admin

kafka: Any = admin  # its types export these names without saying so

PATIENCE = 10.0
_OPERATIONS = {
    "Read": kafka.AclOperation.READ,
    "Write": kafka.AclOperation.WRITE,
    "Create": kafka.AclOperation.CREATE,
    "Describe": kafka.AclOperation.DESCRIBE,
    "DescribeConfigs": kafka.AclOperation.DESCRIBE_CONFIGS,
}
_RESOURCES = {
    "topic": kafka.ResourceType.TOPIC,
    "group": kafka.ResourceType.GROUP,
    "transactional-id": kafka.ResourceType.TRANSACTIONAL_ID,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """`operation` on everything of a kind whose name is `name`, or begins with it if `prefixed`."""

    operation: str
    resource: str
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}{'*' if self.prefixed else ''}"


def least(topic: str, group: str, *, create: bool) -> list[Grant]:
    """What an instance needs for KAFKA_TOPIC and KAFKA_GROUP_ID; `create` with KAFKA_CREATE_TOPICS=true."""
    topics = [topic, f"{topic}.changes", f"{topic}.dead-letter", f"{topic}.coverage", f"{topic}.ledger"]
    grants = [
        *(Grant("Write", "topic", name) for name in topics),
        *(Grant("DescribeConfigs", "topic", name) for name in topics),
        # Write and Read imply Describe.
        Grant("Read", "topic", f"{topic}.ledger"),
        Grant("Read", "group", group),
        Grant("Write", "transactional-id", f"{topic}.ledger-", prefixed=True),
    ]
    return [*grants, *(Grant("Create", "topic", name) for name in topics)] if create else grants


class Acls:
    """The ACLs of a cluster, set through a listener where everybody may."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = kafka.AdminClient({"bootstrap.servers": bootstrap})

    def grant(self, user: str, grants: Iterable[Grant]) -> None:
        """Allow it all, from any host."""
        bindings = [
            kafka.AclBinding(
                _RESOURCES[grant.resource],
                grant.name,
                kafka.ResourcePatternType.PREFIXED if grant.prefixed else kafka.ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                _OPERATIONS[grant.operation],
                kafka.AclPermissionType.ALLOW,
            )
            for grant in grants
        ]
        for future in self._admin.create_acls(bindings).values():
            future.result()
        # The controller has them now; the broker, which is the one that looks, a moment later.
        everything = self._filter(user)
        deadline = monotonic() + PATIENCE
        while len(self._admin.describe_acls(everything).result()) < len(bindings):
            assert monotonic() < deadline

    def _filter(self, user: str) -> Any:
        return kafka.AclBindingFilter(
            kafka.ResourceType.ANY,
            None,
            kafka.ResourcePatternType.ANY,
            f"User:{user}",
            None,
            kafka.AclOperation.ANY,
            kafka.AclPermissionType.ANY,
        )

    def revoke(self, user: str, grant: Grant) -> None:
        """Take one back."""
        which = kafka.AclBindingFilter(
            _RESOURCES[grant.resource],
            grant.name,
            kafka.ResourcePatternType.PREFIXED if grant.prefixed else kafka.ResourcePatternType.LITERAL,
            f"User:{user}",
            None,
            _OPERATIONS[grant.operation],
            kafka.AclPermissionType.ALLOW,
        )
        for future in self._admin.delete_acls([which]).values():
            assert future.result(), f"there was no {grant}"

    def password(self, user: str, password: str) -> None:
        """Give a SCRAM user another password."""
        credential = kafka.ScramCredentialInfo(kafka.ScramMechanism.SCRAM_SHA_512, 4096)
        change = kafka.UserScramCredentialUpsertion(user, credential, password.encode())
        for future in self._admin.alter_user_scram_credentials([change]).values():
            future.result()

    def topics(self, base: str) -> None:
        """Make the five topics by hand, as an operator with KAFKA_CREATE_TOPICS=false does."""
        new = [kafka.NewTopic(base + suffix, 12, 1) for suffix in ("", ".changes", ".dead-letter", ".coverage")]
        new.append(kafka.NewTopic(f"{base}.ledger", 12, 1, config={"cleanup.policy": "compact"}))
        for future in self._admin.create_topics(new).values():
            future.result()
