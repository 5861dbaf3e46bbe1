"""Answers of the API as bytes, made quickly; their shape is that of the documented report."""

from __future__ import annotations

import time
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import orjson

from producer.demo.simulator.callcentre import BOGOTA

ROWS = 60_000
"""The API's cap."""
NEW = 1_200
HOUR = 3600


def conn_id(number: int) -> str:
    """An id in the shape of a call's."""
    return f"{6000 + number % 3000}.{4628 + number % 11}.{1000 + number % 97}.{1768782812 + number}.{number}"


@cache
def _dates(zone: ZoneInfo) -> list[str]:
    """Of the hour before this is first asked: a hit's date does not change from one report to the next."""
    now = int(time.time())
    return [datetime.fromtimestamp(now - ago, zone).strftime("%Y%m%d%H%M%S") for ago in range(HOUR)]


def body(rows: int, *, first: int = 0, zone: ZoneInfo = BOGOTA) -> bytes:
    """A report of the hits numbered from `first` on, their dates spread over an hour; a hit looks the same in each."""
    dates = _dates(zone)
    data = [
        {
            "conn_id": conn_id(number),
            "type_interaction": "outbound_ma",
            "date": dates[number % HOUR],
            "telephone": f"9300000{number % 10_000:04}",
            "customer_id": f"1000000{number % 1000:03}",
            "hit": "VENTA EFECTIVA",
        }
        for number in range(first, first + rows)
    ]
    return orjson.dumps({"code": 200, "error": None, "msg": f"{rows} records were found", "data": data})
