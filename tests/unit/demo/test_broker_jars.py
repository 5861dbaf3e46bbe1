from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path

import pytest

from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.jars import Jar, Progress, pinned
from producer.demo.broker.jars import provide as provide_patiently

CONTENT = {f"org.example:part{number}:1.0": bytes([number]) * 1000 * number for number in (1, 2, 3)}
JARS = tuple(Jar(hashlib.sha256(content).hexdigest(), len(content), name) for name, content in CONTENT.items())
provide = partial(provide_patiently, pauses=(0.0, 0.0))


class Repository:
    """A small Maven Central: serves CONTENT, and remembers what it was asked for."""

    def __init__(self, content: dict[str, bytes] | None = None) -> None:
        self.content = CONTENT if content is None else content
        self.asked: list[str] = []

    def download(self, coordinate: str, folder: Path) -> Path:
        self.asked.append(coordinate)
        if coordinate not in self.content:
            raise RuntimeError("not found in remote repositories")
        file = folder / "some.jar"
        file.write_bytes(self.content[coordinate])
        return file


def test_jars_come_in_class_path_order_and_whole(tmp_path: Path) -> None:
    files = provide(JARS, folder=tmp_path / "new", download=Repository().download)
    assert [file.read_bytes() for file in files] == list(CONTENT.values())
    assert [file.name for file in files] == ["part1-1.0.jar", "part2-1.0.jar", "part3-1.0.jar"]


def test_a_second_start_fetches_nothing(tmp_path: Path) -> None:
    provide(JARS, folder=tmp_path, download=Repository().download)
    again = Repository()
    provide(JARS, folder=tmp_path, download=again.download)
    assert again.asked == []


def test_progress_counts_jars_and_megabytes_from_what_is_there_to_all(tmp_path: Path) -> None:
    provide(JARS[:1], folder=tmp_path, download=Repository().download)
    told: list[Progress] = []
    provide(JARS, folder=tmp_path, download=Repository().download, on_progress=told.append)
    assert told[0] == Progress(1, 3, 0.001, 0.006)
    assert told[-1] == Progress(3, 3, 0.006, 0.006)
    assert [one.jars for one in told] == [1, 2, 3]


def test_an_interrupted_download_is_not_taken_for_whole(tmp_path: Path) -> None:
    def interrupted(coordinate: str, folder: Path) -> Path:
        (folder / "some.jar").write_bytes(CONTENT[coordinate][:10])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        provide(JARS, folder=tmp_path, download=interrupted)
    assert not list(tmp_path.rglob("*.jar"))
    assert provide(JARS, folder=tmp_path, download=Repository().download)[0].read_bytes() == CONTENT[JARS[0].coordinate]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / "partial" / "tmp" / "some.jar"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    provide(JARS, folder=tmp_path, download=Repository().download)
    assert not left.exists()


def test_a_jar_of_another_size_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / JARS[1].filename).write_bytes(b"cut off")
    files = provide(JARS, folder=tmp_path, download=Repository().download)
    assert files[1].read_bytes() == CONTENT[JARS[1].coordinate]


def test_a_changed_jar_is_refused_by_its_hash(tmp_path: Path) -> None:
    changed = CONTENT | {JARS[1].coordinate: b"x" * JARS[1].size}
    with pytest.raises(BrokerUnavailable, match=r"part2-1\.0\.jar arrived with SHA-256"):
        provide(JARS, folder=tmp_path, download=Repository(changed).download)
    assert not JARS[1].is_in(tmp_path)


def test_a_jar_that_fails_twice_is_tried_a_third_time(tmp_path: Path) -> None:
    flaky = Repository()
    failures = iter([True, True])

    def download(coordinate: str, folder: Path) -> Path:
        if next(failures, False):
            raise ConnectionResetError
        return flaky.download(coordinate, folder)

    assert all(file.exists() for file in provide(JARS[:1], folder=tmp_path, download=download))


def test_the_error_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    one_gone = {name: content for name, content in CONTENT.items() if name != JARS[2].coordinate}
    with pytest.raises(BrokerUnavailable) as raised:
        provide(JARS, folder=tmp_path, download=Repository(one_gone).download)
    for needed in ("1 jars are missing (part3-1.0.jar)", "WOLKVOX_HITS_CACHE", "TEST_KAFKA_BOOTSTRAP", "Maven Central"):
        assert needed in str(raised.value)


def test_a_folder_that_cannot_be_made_is_the_same_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerUnavailable, match=r"NotADirectoryError|FileExistsError"):
        provide(JARS, folder=tmp_path / "file" / "cache", download=Repository().download)


def test_two_at_once_fetch_each_jar_once(tmp_path: Path) -> None:
    repository, meet = Repository(), threading.Barrier(2)

    def start() -> None:
        meet.wait(timeout=10)
        provide(JARS, folder=tmp_path, download=repository.download)

    both = [threading.Thread(target=start) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=20)
    assert sorted(repository.asked) == sorted(CONTENT)


def test_the_pinned_list_is_one_kafka_without_doubles() -> None:
    jars = pinned()
    names = [jar.coordinate.rsplit(":", 1)[0] for jar in jars]
    assert len(set(names)) == len(jars) == 46
    assert {jar.coordinate.split(":")[2] for jar in jars if "org.apache.kafka" in jar.coordinate} == {"4.1.1"}
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
