"""Two of Kafka's requests in the versions that know static members, which aiokafka's lack (KIP-345)."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.protocol.admin import DescribeGroupsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Bytes, Int16, Int32, Schema, String

_TEXT = String("utf-8")


class _Groups(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 15
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", _TEXT),
                ("state", _TEXT),
                ("protocol_type", _TEXT),
                ("protocol", _TEXT),
                (
                    "members",
                    Array(
                        ("member_id", _TEXT),
                        ("instance_id", _TEXT),
                        ("client_id", _TEXT),
                        ("client_host", _TEXT),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class _DescribeGroups(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 15
    API_VERSION = 4
    RESPONSE_TYPE = _Groups
    SCHEMA = Schema(("groups", Array(_TEXT)), ("include_authorized_operations", Boolean))


class DescribeGroups(Request[DescribeGroupsRequest_v1 | _DescribeGroups]):  # type: ignore[misc]  # as above
    """Who is in some groups; older brokers don't say who is static."""

    API_KEY = 15

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def build(self, struct: type[RequestStruct]) -> RequestStruct:
        """As aiokafka's requests are built."""
        return struct(self._names, False) if struct is _DescribeGroups else struct(self._names)


class _Beaten(Response):  # type: ignore[misc]  # as above
    API_KEY = 12
    API_VERSION = 3
    SCHEMA = Schema(("throttle_time_ms", Int32), ("error_code", Int16))


class _Beat(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _Beaten
    SCHEMA = Schema(("group", _TEXT), ("generation_id", Int32), ("member_id", _TEXT), ("instance_id", _TEXT))


class StaticHeartbeat(Request[_Beat]):  # type: ignore[misc]  # as above
    """A static member's heartbeat, answered with FencedInstanceId if another has its instance id meanwhile."""

    API_KEY = 12
    VERSION = 3

    def __init__(self, group: str, member_id: str, instance_id: str) -> None:
        self._said = (group, -1, member_id, instance_id)

    def build(self, struct: type[RequestStruct]) -> RequestStruct:
        """As above; of no generation, since that is not what is asked."""
        return struct(*self._said)
