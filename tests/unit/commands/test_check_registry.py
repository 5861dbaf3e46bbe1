"""What `check` says of a schema registry."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from producer.commands.check_findings import Finding, Verdict
from producer.commands.check_registry import registry_findings
from producer.registry.client import SchemaRegistry
from producer.settings.sections import Registry

Answers = Callable[[httpx.Request], httpx.Response]


async def _findings(answer: Answers, *, register: bool = True) -> list[Finding]:
    settings = Registry(url="https://registry.test", register=register)
    registry = SchemaRegistry(settings, topic="wolkvox.hits", transport=httpx.MockTransport(answer))
    return [finding async for finding in registry_findings(registry)]


def _lacks(code: int, **asked_for_compatibility: bool) -> Answers:
    def answer(request: httpx.Request) -> httpx.Response:
        assert not request.url.path.endswith("/versions"), "check registers nothing"
        if request.url.path.startswith("/compatibility/"):
            return httpx.Response(200, json=asked_for_compatibility)
        return httpx.Response(404, json={"error_code": code})

    return answer


async def test_each_subject_is_told_with_its_id() -> None:
    findings = await _findings(lambda _: httpx.Response(200, json={"id": 7}))
    assert [(one.area, one.subject, one.verdict) for one in findings] == [
        ("registry", role, Verdict.OK) for role in ("hits", "changes", "dead-letter", "coverage")
    ]
    assert findings[0].text == "wolkvox.hits-value has our schema, its id is 7"


async def test_what_the_service_would_register_is_told_and_not_registered() -> None:
    for answer in (_lacks(40401), _lacks(40403, is_compatible=True)):
        findings = await _findings(answer)
        assert {one.verdict for one in findings} == {Verdict.OK}
        assert all(one.text.endswith("`run` will register ours") for one in findings)


async def test_a_subject_that_would_not_take_ours_fails() -> None:
    first, *_ = await _findings(_lacks(40403, is_compatible=False))
    assert first.verdict is Verdict.FAILED
    assert "wolkvox.hits-value has other schemas" in first.text


async def test_one_that_is_missing_and_must_not_be_registered_fails_with_what_to_do() -> None:
    first, *_ = await _findings(_lacks(40401), register=False)
    assert first.verdict is Verdict.FAILED
    assert "`wolkvox-hits schemas registered hits`" in first.text


@pytest.mark.parametrize(
    ("status", "hint"),
    [(503, "`run` would wait for it"), (401, "see the REGISTRY_* settings"), (404, "`run` would end with this")],
)
async def test_a_registry_that_can_t_be_asked_is_told_once(status: int, hint: str) -> None:
    (finding,) = await _findings(lambda _: httpx.Response(status))
    assert (finding.subject, finding.verdict) == ("hits", Verdict.FAILED)
    assert finding.hint.startswith(hint)
    assert "REGISTRY_URL" in finding.text
