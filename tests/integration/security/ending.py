"""How a start ends that only a person can mend, and that no secret is in what is said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic

import pytest

from producer.demo.simulator import Simulator
from producer.errors import AccessDenied
from producer.service.service import Service
from producer.settings import load
from tests.integration.security.environments import api
from tests.integration.security.instance import PATIENCE
from tests.integration.security.secured import PASSWORD
from tests.integration.security.token_server import SECRET

WRONG = "wrong-and-canary-7711"


async def ends(simulator: Simulator, environment: Mapping[str, str]) -> str:
    """Start the service here; what `run` prints behind "wolkvox-hits: " before it exits with 1, within PATIENCE."""
    settings = load(config=None, environ={**api(simulator), "STATUS_PORT": "0", **environment})
    began = monotonic()
    with pytest.raises(AccessDenied) as caught:
        async with asyncio.timeout(PATIENCE):
            await Service(settings).run()
    assert monotonic() - began < PATIENCE
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    no_secret(text)
    return text


def no_secret(text: str) -> None:
    """Fail if any password of these tests is in it."""
    assert not [secret for secret in (WRONG, PASSWORD, SECRET) if secret in text]
