"""The simulated API as its clients meet it: the token, the limits, the report, the audit, the switches, the end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

import httpx
import pytest

from producer.demo.simulator import TOKEN, Simulator, server_names, settings_lines
from producer.model import RECORD_CAP
from tests.unit.demo.simulated_time import NOW, MovedClock
from tests.unit.net.loopback import has_ipv6

PATH = "/api/v2/real_time.php?api=hits_last_hour"
INFO = "/api/v2/information.php?api=token_info"


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def simulator(clock: MovedClock) -> AsyncIterator[Simulator]:
    async with Simulator(rate=0.5, window=100, start=NOW - 50, servers=["0042", "0043"], clock=clock) as simulator:
        yield simulator


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulator.url, headers={"wolkvox-token": simulator.token}) as client:
        yield client


def ids(answer: httpx.Response) -> list[str]:
    return [row["conn_id"] for row in answer.json()["data"]]


async def test_the_report_has_the_envelope_and_the_rows_of_the_moment(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    rows = simulator.sources["0042"].centre.rows(clock.wall)
    answer = await client.get(PATH)

    assert answer.status_code == 200
    assert answer.json() == {"code": 200, "error": None, "msg": f"{len(rows)} records were found", "data": rows}
    assert len(rows) > 20


async def test_the_report_rolls_with_the_clock(client: httpx.AsyncClient, clock: MovedClock) -> None:
    first = ids(await client.get(PATH))
    clock.move(60)
    later = ids(await client.get(PATH))
    clock.move(500)
    much_later = ids(await client.get(PATH))

    assert set(first) & set(later)
    assert set(later) - set(first)
    assert set(first) - set(later)
    assert not set(much_later) & set(later)


async def test_a_report_is_the_same_however_often_it_was_asked_for_before(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    for seconds in (1, 7, 0, 33, -20, 64, 1000, 5):
        clock.move(seconds)
        expected = [row["conn_id"] for row in simulator.sources["0042"].centre.rows(clock.wall)]
        assert ids(await client.get(PATH)) == expected


@pytest.mark.parametrize(
    ("token", "path", "refusal"),
    [
        ("", PATH, (401, "PLEASE ENTER THE WOLKVOX-TOKEN")),
        ("wrong", PATH, (403, "PLEASE VALIDATE TOKEN")),
        (TOKEN, "/api/v2/real_time.php?api=nothing", (400, "THE API YOU WANT TO CONSULT DOES NOT EXIST")),
        (TOKEN, "/api/v2/information.php?api=hits_last_hour", (400, "THE API YOU WANT TO CONSULT DOES NOT EXIST")),
        (TOKEN, "/api/v2/real_time.php", (400, "SOME PARAMETERS ARE REQUIRED")),
    ],
)
async def test_a_wrong_call_is_refused_in_the_words_of_the_api(
    simulator: Simulator, token: str, path: str, refusal: tuple[int, str]
) -> None:
    async with httpx.AsyncClient(base_url=simulator.url) as client:
        answer = await client.get(path, headers={"wolkvox-token": token})

    assert (answer.status_code, answer.json()["msg"]) == refusal
    assert answer.json()["code"] == answer.status_code
    assert simulator.shown == set()


async def test_a_call_without_a_token_header_is_unauthorized(simulator: Simulator) -> None:
    async with httpx.AsyncClient() as anonymous:
        assert (await anonymous.get(simulator.url + PATH)).status_code == 401


async def test_two_calls_at_once_are_allowed_and_the_third_is_not(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    simulator.fault = "timeout"
    hanging = [asyncio.create_task(client.get(PATH)) for _ in range(2)]
    await simulator.until(lambda: simulator.api.busy[simulator.token] == 2)
    third = await client.get(PATH)

    assert (third.status_code, third.json()["msg"][:27]) == (403, "EXCEEDS THE LIMIT OF SIMULT")
    for call in hanging:
        call.cancel()
    simulator.fault = None
    await simulator.until(lambda: simulator.api.busy[simulator.token] == 0)
    assert (await client.get(PATH)).status_code == 200


async def test_the_quota_is_spent_by_calls_and_given_back_at_midnight_in_bogota() -> None:
    clock = MovedClock()
    async with Simulator(quota=3, clock=clock) as simulator, httpx.AsyncClient(base_url=simulator.url) as client:
        client.headers["wolkvox-token"] = simulator.token
        statuses = [(await client.get(PATH)).status_code for _ in range(4)]
        refused = await client.get(INFO)
        clock.move(4.5 * 3600)  # it was 19:33

        assert statuses == [200, 200, 200, 403]
        assert refused.json()["msg"] == "TOKEN LIMIT EXCEEDED"
        assert (await client.get(PATH)).status_code == 200


async def test_token_info_costs_a_call_and_tells_the_use(client: httpx.AsyncClient) -> None:
    await client.get(PATH)

    assert (await client.get(INFO)).json()["data"] == [
        {
            "description": "simulated",
            "token_limit": "100000",
            "token_use_today": "2",
            "all_token_today": "2",
            "available_consumption_options": "99998",
        }
    ]


async def test_gzip_is_used_when_asked_for_and_only_then(client: httpx.AsyncClient) -> None:
    packed = await client.get(PATH)
    plain = await client.get(PATH, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


async def test_the_date_header_is_the_simulated_clock(client: httpx.AsyncClient, clock: MovedClock) -> None:
    clock.move(86_400)

    assert parsedate_to_datetime((await client.get(PATH)).headers["date"]).timestamp() == clock.wall


async def test_a_report_is_capped_at_60_000_rows() -> None:
    async with Simulator(rate=1000, window=61, clock=MovedClock()) as simulator, httpx.AsyncClient() as client:
        answer = await client.get(simulator.url + PATH, headers={"wolkvox-token": simulator.token}, timeout=30)

    assert len(answer.json()["data"]) == RECORD_CAP
    assert len(simulator.shown) == RECORD_CAP


async def test_each_server_has_its_own_address_token_and_hits(simulator: Simulator, client: httpx.AsyncClient) -> None:
    other = simulator.sources["0043"]
    first = await client.get(PATH)
    same = await client.get(f"{simulator.url_of('0042')}{PATH}")
    second = await client.get(f"{simulator.url_of('0043')}{PATH}", headers={"wolkvox-token": other.token})

    assert ids(first) == ids(same)
    assert ids(second) == [row["conn_id"] for row in other.centre.rows(NOW)] != ids(first)
    assert other.token != simulator.token
    assert (await client.get(f"{simulator.url_of('0043')}{PATH}")).status_code == 403
    assert (await client.get(f"{simulator.url_of('9999')}{PATH}")).status_code == 404
    assert (simulator.shown, other.shown) == (set(ids(first)), set(ids(second)))


async def test_any_accepts_every_token_but_not_none() -> None:
    async with Simulator(token="any", servers=server_names(2)) as simulator, httpx.AsyncClient() as client:
        for server in ("0042", "0043"):
            url = simulator.url_of(server) + PATH
            assert (await client.get(url, headers={"wolkvox-token": "whatever"})).status_code == 200
            assert (await client.get(url)).status_code == 401


async def test_the_audit_holds_every_id_that_was_shown_and_when_first(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    first = ids(await client.get(PATH))
    clock.move(10)
    second = ids(await client.get(PATH))

    assert simulator.shown == {*first, *second}
    times = simulator.sources["0042"].audit.shown
    assert {times[conn_id] for conn_id in first} == {NOW}
    assert {times[conn_id] for conn_id in set(second) - set(first)} == {NOW + 10}
    told = (await client.get("/__audit")).json()
    assert (set(told["shown"]), told["polls"], told["requests"]) == (simulator.shown, 2, 2)


async def test_an_answer_that_the_client_did_not_wait_for_was_not_shown(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    simulator.fault = "drip:60"
    async with client.stream("GET", PATH) as answer:
        await anext(answer.aiter_raw())
    await simulator.until(lambda: simulator.api.busy[simulator.token] == 0)

    assert (simulator.shown, simulator.polls) == (set(), 0)


async def test_an_answer_that_the_client_left_in_the_middle_was_not_shown() -> None:
    # 7 MB: more than the sockets of both ends hold.
    async with Simulator(rate=400, window=100) as simulator, httpx.AsyncClient() as client:
        headers = {"wolkvox-token": simulator.token, "accept-encoding": "identity"}
        async with client.stream("GET", simulator.url + PATH, headers=headers) as answer:
            await anext(answer.aiter_raw())
        await simulator.until(lambda: simulator.api.busy[simulator.token] == 0)

        assert (simulator.shown, simulator.polls) == (set(), 0)


async def test_a_refusal_is_no_poll(simulator: Simulator, client: httpx.AsyncClient) -> None:
    simulator.fault = "quota"
    await client.get(PATH)

    assert (simulator.polls, simulator.sources["0042"].requests) == (0, 1)


async def test_rows_that_left_the_report_are_let_go(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    for _ in range(40):
        clock.move(20)
        await client.get(PATH)

    assert len(simulator.sources["0042"]._rows) < 60


async def test_token_info_shows_no_hit(simulator: Simulator, client: httpx.AsyncClient) -> None:
    await client.get(INFO)

    assert (simulator.shown, simulator.polls) == (set(), 0)


async def test_hits_that_left_the_report_unseen_are_told(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    centre = simulator.sources["0042"].centre
    await client.get(PATH)
    before, last = simulator.shown, clock.wall
    simulator.fault = "http-500"
    for _ in range(30):
        clock.move(10)
        await client.get(PATH)
    simulator.fault = None
    await client.get(PATH)

    lost = {hit.conn_id for hit in simulator.never_shown}
    every = {hit.conn_id for hit in map(centre.hit, range(400)) if hit.occurred_at <= clock.wall - centre.window}
    assert lost == every - before
    assert len(lost) > 90
    assert all(hit.visible_at > last for hit in simulator.never_shown)
    told = (await client.get("/__audit")).json()["never_shown"]
    assert [row["conn_id"] for row in told] == [hit.conn_id for hit in simulator.never_shown]


async def test_a_hit_that_was_gone_before_the_start_is_nobody_s_loss() -> None:
    clock = MovedClock()
    simulator = Simulator(rate=1, window=100, clock=clock)
    assert simulator.never_shown == []

    clock.move(10)
    assert len(simulator.never_shown) == pytest.approx(10, abs=1)


async def test_no_hit_occurs_after_the_calls_stopped(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    await client.get(PATH)
    await client.post("/__stop")
    clock.move(60)
    rest = await client.get(PATH)
    clock.move(60)

    assert 0 < len(ids(rest)) < 25
    assert all(row["date"] <= "20260118193332" for row in rest.json()["data"])
    assert ids(await client.get(PATH)) == []
    assert simulator.never_shown == []


async def test_a_fault_is_switched_over_http_for_a_while(client: httpx.AsyncClient, clock: MovedClock) -> None:
    switched = await client.post("/__fault", json={"fault": "quota:9", "for": 10})
    during = await client.get(PATH)
    clock.move(10)

    assert switched.json() == {"fault": "quota:9"}
    assert during.status_code == 403
    assert (await client.get(PATH)).status_code == 200
    assert (await client.get("/__fault")).json() == {"fault": None}


async def test_a_fault_is_taken_back_over_http(simulator: Simulator, client: httpx.AsyncClient) -> None:
    await client.post("/__fault", json={"fault": "http-500"})
    assert ((await client.get(PATH)).status_code, simulator.fault) == (500, "http-500")

    await client.delete("/__fault")
    assert ((await client.get(PATH)).status_code, simulator.fault) == (200, None)


async def test_a_fault_of_one_server_leaves_the_others_alone(simulator: Simulator, client: httpx.AsyncClient) -> None:
    await client.post("/wv0043/__fault", json={"fault": "http-500"})
    other = await client.get("/wv0043" + PATH, headers={"wolkvox-token": simulator.sources["0043"].token})

    assert other.status_code == 500
    assert (await client.get(PATH)).status_code == 200


@pytest.mark.parametrize("wrong", [{"fault": "htlm"}, {}, [], {"fault": "html", "for": "long"}, {"fault": 5}])
async def test_a_wrong_switch_is_refused_and_changes_nothing(client: httpx.AsyncClient, wrong: object) -> None:
    assert (await client.post("/__fault", json=wrong)).status_code == 400
    assert (await client.get(PATH)).status_code == 200


async def test_a_plan_runs_by_the_simulated_clock() -> None:
    clock = MovedClock()
    async with Simulator(fault="html@10s-20s", clock=clock) as simulator, httpx.AsyncClient() as client:
        kinds = []
        for _ in range(3):
            answer = await client.get(simulator.url + PATH, headers={"wolkvox-token": simulator.token})
            kinds.append(answer.headers["content-type"].split(";")[0])
            clock.move(10)

    assert kinds == ["application/json", "text/html", "application/json"]


@pytest.mark.parametrize("fault", ["timeout", "stall", "slow:60", "drip:60"])
async def test_closing_ends_a_request_in_hand_at_once(fault: str) -> None:
    async with Simulator(fault=fault) as simulator, httpx.AsyncClient(timeout=60) as client:
        call = asyncio.create_task(client.get(simulator.url + PATH, headers={"wolkvox-token": simulator.token}))
        await simulator.until(lambda: simulator.api.busy[simulator.token] == 1)
        async with asyncio.timeout(5):
            await simulator.close()
            with pytest.raises(httpx.TransportError):
                await call
    assert simulator.shown == set()


async def test_it_opens_again_on_its_port_and_remembers() -> None:
    simulator = Simulator()
    async with simulator, httpx.AsyncClient(headers={"wolkvox-token": simulator.token}) as client:
        await client.get(simulator.url + PATH)
        shown = simulator.shown
        await simulator.close()
        with pytest.raises(httpx.ConnectError):
            await client.get(simulator.url + PATH)
        await simulator.open()
        simulator.fault = "slow:0.01"  # a delivery that would end at once if the simulator still was closing
        await client.get(simulator.url + PATH)

    assert simulator.shown >= shown
    assert simulator.polls == 2


@pytest.mark.parametrize(
    "wrong",
    [{"fault": "htlm"}, {"rate": -1.0}, {"servers": []}, {"servers": ["0042", "0042"]}, {"host": ""}, {"token": " "}],
)
async def test_values_that_can_not_be_are_refused_before_anything_listens(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"html|rate|servers|host, token"):
        Simulator(**wrong)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("::", "[::1]"),
        ("*", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
    ],
)
async def test_it_is_asked_by_the_address_that_it_tells(host: str, shown: str) -> None:
    if ":" in host and has_ipv6():
        pytest.skip(has_ipv6())
    async with Simulator(host=host) as simulator, httpx.AsyncClient() as client:
        assert simulator.url == f"http://{shown}:{simulator.port}"
        answer = await client.get(simulator.url + PATH, headers={"wolkvox-token": simulator.token})
        assert answer.status_code == 200


def test_the_lines_for_the_service_name_every_server() -> None:
    one = Simulator(port=8042, token="t")
    many = Simulator(port=8042, token="t", servers=server_names(2))

    assert settings_lines(one) == ["WOLKVOX_URL=http://127.0.0.1:8042 WOLKVOX_SERVER=0042 WOLKVOX_TOKEN=t"]
    assert settings_lines(many) == [
        '[[source]]\nserver = "0042"\nurl = "http://127.0.0.1:8042/wv0042"\ntoken = "t"\n',
        '[[source]]\nserver = "0043"\nurl = "http://127.0.0.1:8042/wv0043"\ntoken = "t-0043"\n',
    ]


async def test_signals_are_left_to_the_program() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with Simulator():
        assert signal.getsignal(signal.SIGTERM) is before


PROGRAM = """
from producer.demo.simulator import Simulator, serve
serve(Simulator(fault="timeout"), echo=lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_command_cleanly_although_a_request_hangs(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    settings = dict(part.split("=", 1) for part in (await process.stdout.readline()).decode().split())
    headers = {"wolkvox-token": settings["WOLKVOX_TOKEN"]}
    async with httpx.AsyncClient(base_url=settings["WOLKVOX_URL"], headers=headers, timeout=60) as client:
        call = asyncio.create_task(client.get(PATH))
        while (await client.get("/__audit")).json()["requests"] == 0:
            pass
        process.send_signal(number)
        async with asyncio.timeout(5):
            _, errors = await process.communicate()
        with pytest.raises(httpx.TransportError):
            await call

    assert (process.returncode, errors) == (0, b"")


def hits_of(answer: httpx.Response) -> dict[str, str]:
    return {row["conn_id"]: row["hit"] for row in answer.json()["data"]}


async def test_a_call_typified_late_shows_an_empty_hit_and_then_its_codes(clock: MovedClock) -> None:
    """The audit keeps what each answer said of it, each as often as it was another."""
    async with (
        Simulator(rate=0.5, window=100, late=0.0, typify_late=1.0, start=NOW - 50, clock=clock) as simulator,
        httpx.AsyncClient(base_url=simulator.url, headers={"wolkvox-token": simulator.token}) as client,
    ):
        asked: list[dict[str, str]] = []
        for _ in range(60):
            asked.append(hits_of(await client.get(PATH)))
            clock.move(1)
        said = simulator.said
        assert set(said) == simulator.shown
        for conn_id, codes in said.items():
            shown = [hits[conn_id] for hits in asked if conn_id in hits]
            assert codes == [code for code, _ in groupby(shown)]
        assert [codes[0] for codes in said.values() if len(codes) == 3][:3] == ["", "", ""]
        assert (await client.get("/__audit")).json()["said"] == said


async def test_calls_are_typified_late_from_when_it_is_switched_on(
    simulator: Simulator, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    before = hits_of(await client.get(PATH))
    assert (await client.post("/wv0042/__typify", json={"late": 1})).status_code == 204
    assert hits_of(await client.get(PATH)) == before
    clock.move(30)
    after = hits_of(await client.get(PATH))
    assert all(after[conn_id] == before[conn_id] for conn_id in before.keys() & after.keys())
    assert "" in after.values()
    assert "" not in hits_of(await client.get("/wv0043" + PATH, headers={"wolkvox-token": f"{TOKEN}-0043"})).values()
    await client.post("/__typify", json={"late": 0})
    assert "" not in hits_of(await client.get(PATH)).values()


@pytest.mark.parametrize("wrong", [{"late": 2}, {"late": "often"}, {}, []])
async def test_a_share_that_is_none_is_refused(client: httpx.AsyncClient, wrong: Any) -> None:
    assert (await client.post("/__typify", json=wrong)).status_code == 400
