"""A real Apache Kafka from pip alone, for `demo`, `try` and the tests: no Docker, no Maven, no mock.

    jars + java --> storage --> node (a JVM under its guard process) --> EmbeddedKafka | EmbeddedCluster | KeptKafka

Everything here blocks; from a coroutine call it through `asyncio.to_thread`, so that the loop goes on turning.
"""

from __future__ import annotations

from producer.demo.broker.embedded import EmbeddedCluster, EmbeddedKafka
from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.jars import Progress
from producer.demo.broker.kept import KeptKafka

__all__ = ["BrokerUnavailable", "EmbeddedCluster", "EmbeddedKafka", "KeptKafka", "Progress"]
