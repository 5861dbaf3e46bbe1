"""What we make of a registry's answers, each as one may come: by its own rules, from a proxy, from something else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from producer.errors import AccessDenied, KafkaFailed, NoRegistry, Untrusted
from producer.events import ON_TOPIC, registered
from producer.model import Topic
from producer.registry.client import Missing, SchemaRegistry
from producer.settings.secret import Secret
from producer.settings.sections import Registry

URL = "https://registry.test/apis/ccompat/v7"
CANARY = "canary-71c0"
SUBJECT = "wolkvox.hits-value"

NO_SUBJECT = httpx.Response(404, json={"error_code": 40401, "message": "Subject 'wolkvox.hits-value' not found."})
NO_SCHEMA = httpx.Response(404, json={"error_code": 40403, "message": "Schema not found"})

Answers = Callable[[httpx.Request], httpx.Response]


def _registry(answer: Answers, *, register: bool = True, password: Secret | None = None) -> SchemaRegistry:
    username = None if password is None else "a user"
    settings = Registry(url=f"{URL}/", username=username, password=password, register=register)
    return SchemaRegistry(settings, topic="wolkvox.hits", transport=httpx.MockTransport(answer))


async def test_each_topic_of_events_has_a_subject_with_its_schema() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"subject": "x", "version": 1, "id": len(asked), "schema": "{}"})

    ids = await _registry(answer).ids()
    assert ids == {topic: number for number, topic in enumerate(ON_TOPIC, start=1)}
    assert [str(request.url) for request in asked] == [
        f"{URL}/subjects/wolkvox.hits{topic}-value"
        for topic in (Topic.HITS, Topic.CHANGES, Topic.DEAD_LETTER, Topic.COVERAGE)
    ]
    assert [json.loads(request.content) for request in asked] == [
        {"schemaType": "JSON", "schema": registered(topic)} for topic in ON_TOPIC
    ]


@pytest.mark.parametrize("missing", [NO_SUBJECT, NO_SCHEMA])
async def test_what_it_lacks_is_registered(missing: httpx.Response) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.removeprefix("/apis/ccompat/v7"))
        return httpx.Response(200, json={"id": 7}) if asked[-1].endswith("/versions") else missing

    assert set((await _registry(answer).ids()).values()) == {7}
    assert asked[:2] == [f"/subjects/{SUBJECT}", f"/subjects/{SUBJECT}/versions"]


@pytest.mark.parametrize(("missing", "words"), [(NO_SUBJECT, Missing.SUBJECT.value), (NO_SCHEMA, Missing.SCHEMA.value)])
async def test_where_we_must_not_register_what_is_missing_is_told_with_what_to_do(
    missing: httpx.Response, words: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert not request.url.path.endswith("/versions")
        return missing

    with pytest.raises(Untrusted, match=f"REGISTRY_REGISTER is false, and subject {SUBJECT} {words}") as caught:
        await _registry(answer, register=False).ids()
    assert "`wolkvox-hits schemas registered hits`" in str(caught.value)


def _json(status: int, **fields: object) -> httpx.Response:
    return httpx.Response(status, json=fields)


def _page(status: int) -> httpx.Response:
    return httpx.Response(status, html=f"<html><title>{CANARY}</title></html>")


REFUSALS = [
    (_json(401, error_code=401, message=CANARY), AccessDenied, "REGISTRY_USERNAME and REGISTRY_PASSWORD"),
    (_page(401), AccessDenied, "REGISTRY_USERNAME and REGISTRY_PASSWORD"),
    (_json(403, error_code=40301, message=CANARY), AccessDenied, "lack the permission"),
    (_json(409, error_code=409, message="Schema\nis incompatible"), Untrusted, "not compatible .*: Schema is incomp"),
    (_json(422, error_code=42201, message="Invalid schema"), Untrusted, r"error 42201\): Invalid schema"),
    (_json(422, error_code=42205, message="read-only mode"), Untrusted, r"error 42205\): read-only mode"),
    (_json(429, error_code=42901, message="slow down"), NoRegistry, r"status 429\): slow down"),
    (_json(500, error_code=50003, message="no leader"), NoRegistry, r"status 500\): no leader"),
    (_page(503), NoRegistry, r"no answer now \(status 503\)"),
    (_json(404, error_code=404, message=CANARY), Untrusted, r"as no schema registry .*status 404, JSON"),
    (_page(404), Untrusted, r"status 404, a page\): the address ends where `/subjects` begins"),
    (_page(200), Untrusted, r"status 200, a page\)"),
    (httpx.Response(200, text=f"login {CANARY}"), Untrusted, r"status 200, no JSON object\)"),
    (_json(200, ids=[1]), Untrusted, "status 200, JSON"),
    (_json(200, id="1"), Untrusted, "status 200, JSON"),
    (_json(200, id=True), Untrusted, "status 200, JSON"),
    (_json(200, id=2**31), Untrusted, "status 200, JSON"),
    (_json(200, id=-1), Untrusted, "status 200, JSON"),
    (_json(404, error_code=[40401]), Untrusted, "status 404, JSON"),
    (httpx.Response(302, headers={"location": f"https://elsewhere.test/{CANARY}"}), Untrusted, "status 302"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), REFUSALS)
async def test_an_answer_without_an_id_names_the_subject_and_says_what_to_do(
    answer: httpx.Response, kind: type[KafkaFailed], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        await _registry(lambda _: answer).ids()
    assert type(caught.value) is kind
    assert SUBJECT in str(caught.value)
    assert CANARY not in str(caught.value)


async def test_a_refusal_to_register_is_told_as_one_to_look_up() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return _json(409, error_code=409) if request.url.path.endswith("/versions") else NO_SUBJECT

    with pytest.raises(Untrusted, match=f"{SUBJECT} our schema is not compatible"):
        await _registry(answer).ids()


async def test_its_own_words_are_cut() -> None:
    with pytest.raises(Untrusted) as caught:
        await _registry(lambda _: _json(409, error_code=409, message="word " * 4_000)).ids()
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError(CANARY), "no answer: it failed"),
        (httpx.ReadTimeout(CANARY), "no answer within 10 s"),
        (httpx.RemoteProtocolError(CANARY), "no answer: it failed"),
    ],
)
async def test_a_registry_that_is_away_is_one_to_wait_for(error: Exception, words: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(NoRegistry, match=f"REGISTRY_URL: {words} .*{SUBJECT}") as caught:
        await _registry(answer).ids()
    assert CANARY not in str(caught.value)


async def test_user_and_password_go_with_each_call_the_password_as_it_is_now(tmp_path: Path) -> None:
    file, seen = tmp_path / "password", set()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.add(base64.b64decode(request.headers["authorization"].split()[1]))
        return _json(200, id=1)

    registry = _registry(answer, password=Secret.from_file(file, name="REGISTRY_PASSWORD_FILE"))
    for content in ("first", "second"):
        file.write_text(content)
        await registry.ids()
    assert seen == {b"a user:first", b"a user:second"}


async def test_a_password_that_cant_be_read_is_a_refusal_that_names_its_setting(tmp_path: Path) -> None:
    gone = Secret.from_file(tmp_path / "gone", name="REGISTRY_PASSWORD_FILE")
    with pytest.raises(AccessDenied, match="REGISTRY_PASSWORD_FILE"):
        await _registry(lambda _: _json(200, id=1), password=gone).ids()


async def test_a_login_does_not_follow_a_redirect() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "registry.test"
        return httpx.Response(307, headers={"location": "https://elsewhere.test/"})

    with pytest.raises(Untrusted, match="status 307"):
        await _registry(answer, password=Secret.of("p")).ids()


async def test_whether_it_would_take_ours_is_asked_without_registering() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith(f"/compatibility/subjects/{SUBJECT}/versions/latest")
        return _json(200, is_compatible=False)

    assert not await _registry(answer).would_take(Topic.HITS)
    with pytest.raises(NoRegistry):
        await _registry(lambda _: _page(502)).would_take(Topic.HITS)
