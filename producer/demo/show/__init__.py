"""`wolkvox-hits demo`: the whole product on one machine, with a crash, an outage and an audit.

Kafka (embedded) <-- the service (a process) --> simulated API        what runs
     |                                             |
     +--tail--> Readback ------- Watch ------- shown, never shown     what is seen of it
                                  |
                   Story --> Narrator: Screen | Lines                 what is told

"""

from __future__ import annotations

from producer.demo.show.command import demo
from producer.demo.show.instance import ServiceFailed
from producer.demo.show.plan import Plan

__all__ = ["Plan", "ServiceFailed", "demo"]
