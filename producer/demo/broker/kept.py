"""A broker whose folder stays, so that the next start goes on with its data, on its ports.

DIR/.lock        held by whoever uses the folder, with its process id inside
DIR/broker.json  the cluster's id and the ports, chosen once
DIR/data, ...    what any node has in its folder; DIR/.guard is held until its JVM is gone
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from producer.demo.broker import storage
from producer.demo.broker.cache import write_whole
from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.jars import OnProgress
from producer.demo.broker.node import Node
from producer.demo.broker.ports import Ports, lasting
from producer.demo.broker.properties import ALONE, CONTROLLER, PLAINTEXT, NodePlan, listener_names, voters


def data_folder(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """`wolkvox-hits/{name}` under XDG_DATA_HOME or ~/.local/share; it need not exist yet."""
    base = environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "wolkvox-hits" / name


class KeptKafka(Node):
    """One Apache Kafka broker on loopback, all of it in `folder`, which is made if it is missing and never removed.

    Raises BrokerUnavailable where the folder can't be used, where another process uses it, or one of its ports.
    """

    def __init__(self, folder: Path, *, on_progress: OnProgress | None = None) -> None:
        self._lock = _held(folder)
        try:
            plan, ports = _planned(folder / "broker.json")
        except BaseException:  # Ctrl-C too: nobody else knows of the lock yet
            self._lock.close()
            raise
        (folder / "broker.log").unlink(missing_ok=True)  # of the time before; nobody else would ever shorten it
        super().__init__(plan, ports, kept=folder.resolve(), on_progress=on_progress)

    def close(self) -> None:
        """Ends it at once, if it runs, and lets go of the folder."""
        super().close()
        self._lock.close()


def _held(folder: Path) -> TextIO:
    try:
        # Telephones and customer ids will be in it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a+")
    except OSError as error:
        raise BrokerUnavailable(f"{folder} can't be used: {error.strerror}; name another folder") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        user = lock.read().strip()
        lock.close()
        raise BrokerUnavailable(
            f"{folder} is in use by process {user or 'unknown'}: end that one first (Ctrl-C where it runs), "
            "or name another folder"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _planned(file: Path) -> tuple[NodePlan, Ports]:
    cluster_id, numbers = _remembered(file) or _chosen(file)
    try:
        ports = Ports(numbers, numbers)
    except OSError as error:
        raise BrokerUnavailable(
            f"a port of this folder's broker ({', '.join(map(str, numbers.values()))}) can't be had: {error.strerror}. "
            f"End the program that uses it, or write another number into {file}"
        ) from error
    plan = NodePlan(
        node_id=1,
        cluster_id=cluster_id,
        ports=ports.numbers,
        protocols=PLAINTEXT,
        voters=voters({1: numbers[CONTROLLER]}),
        replicas=1,
        overrides=ALONE,
    )
    return plan, ports


def _remembered(file: Path) -> tuple[str, Mapping[str, int]] | None:
    try:
        told = json.loads(file.read_bytes())
        return str(told["cluster_id"]), {name: int(told["ports"][name]) for name in listener_names(PLAINTEXT)}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BrokerUnavailable(
            f"{file} is not what it was written as ({type(error).__name__}); the folder can't be gone on with: "
            "name another one"
        ) from error


def _chosen(file: Path) -> tuple[str, Mapping[str, int]]:
    chosen = storage.new_id(), lasting(listener_names(PLAINTEXT))
    write_whole(file, json.dumps({"cluster_id": chosen[0], "ports": chosen[1]}).encode())
    return chosen
