"""A worker of Kafka Connect on loopback, with Debezium's JDBC sink; its jars are pinned in connect.lock.

mvn dependency:copy-dependencies of org.apache.kafka:connect-runtime:4.2.0 and connect-json:4.2.0,
io.debezium:debezium-connector-jdbc:3.5.0.Final (newer ones are not on Maven Central with all of their parts) without
the drivers of other databases, org.slf4j:slf4j-simple:1.7.36
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from producer.demo.broker.guarded import Guarded
from producer.demo.broker.jars import listed
from producer.demo.broker.java import bundled_java, find_java
from producer.demo.broker.ports import Ports
from tests.integration.pinned import provided

VERSION = "4.2.0"
LOCK = Path(__file__).with_name("connect.lock")


@contextmanager
def connect(bootstrap: str, connector: Mapping[str, str]) -> Iterator[Guarded]:
    """One that runs this connector; raises BrokerUnavailable where none can be had."""
    jars = provided(listed(LOCK.read_text()), what=f"Kafka Connect {VERSION}", folder=f"connect-{VERSION}")
    java, classpath = find_java(bundled=bundled_java()), os.pathsep.join(map(str, jars))
    ports = Ports(("rest",))
    guarded = Guarded()
    try:
        (guarded.folder / "connector.json").write_text(json.dumps(connector))
        (guarded.folder / "worker.properties").write_text(
            f"bootstrap.servers={bootstrap}\n"
            f"listeners=http://127.0.0.1:{ports.numbers['rest']}\n"
            "offset.storage.file.filename=offsets\n"
            "plugin.discovery=service_load\n"
            # The connector names its own; the worker wants to have some.
            "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
            "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
        )
        guarded.run(
            [
                *(java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath),
                *("org.apache.kafka.connect.cli.ConnectStandalone", "worker.properties", "connector.json"),
            ]
        )
        yield guarded
    finally:
        guarded.close()
        ports.close()


def words(guarded: Guarded) -> str:
    """The end of what it said."""
    return "\n    ".join((guarded.folder / "broker.log").read_text(errors="replace").splitlines()[-30:])
