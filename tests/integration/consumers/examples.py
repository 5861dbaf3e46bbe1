"""The consumers of examples/, as text, and what it takes to run each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.java import compiled

FOLDER = Path(__file__).parents[3] / "examples" / "consumers"
COMMISSIONS = {
    "aiokafka": "aiokafka_consumer.py",
    "confluent-kafka": "confluent_kafka_consumer.py",
    "java": "Commissions.java",
    "kafkajs": "kafkajs_consumer.js",
}
LAST_WORDS = {
    "last-word": "last_word_consumer.py",
    "last-word java": "LastWords.java",
    "last-word kafkajs": "last_word_consumer.js",
}
FILES = COMMISSIONS | LAST_WORDS
KAFKAJS = "kafkajs@2.2.4"


@dataclass(frozen=True, slots=True)
class Place:
    """What an example is to use instead of its own names: brokers, topic, and its group, which is its own."""

    bootstrap: str
    topic: str
    group: str

    @property
    def dead_letters(self) -> str:
        """The topic for what the consumer can't read."""
        return f"{self.group}.dead-letter"

    def put_into(self, text: str) -> str:
        """The example, altered in these names and nothing else."""
        names = {
            '"localhost:9092"': f'"{self.bootstrap}"',
            '"wolkvox.hits"': f'"{self.topic}"',
            '"wolkvox.hits.changes"': f'"{self.topic}.changes"',
            '"commissions"': f'"{self.group}"',
            '"commissions.dead-letter"': f'"{self.dead_letters}"',
        }
        for name, own in names.items():
            text = text.replace(name, own)
        assert 'wolkvox.hits"' not in text
        assert "localhost" not in text
        return text


def example(name: str) -> str:
    """One of them as it stands in its file."""
    return (FOLDER / FILES[name]).read_text()


def prepare(name: str, text: str, folder: Path) -> Sequence[str]:
    """The command that runs a consumer in `folder`; skips the test where its toolchain is absent."""
    file = FILES[name]
    if file.endswith(".java"):
        return _java(file, text, folder)
    if file.endswith(".js"):
        return _javascript(file, text, folder)
    (folder / file).write_text(text)
    return [sys.executable, file]


def npm_install(package: str, folder: Path) -> None:
    """A package from the npm registry; skips the test where there is no npm, or no registry."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no Node.js here: node and npm are needed")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not fetch {package} within 60 s")
    if done.returncode:
        pytest.skip(f"npm could not fetch {package}: {done.stderr.strip().splitlines()[-1:]}")


def _java(file: str, text: str, folder: Path) -> Sequence[str]:
    kafka = compiled(file, text, folder)
    classpath = ":".join([*map(str, kafka.jars), str(folder)])
    # A charset of the platform's such as Java 17 may have: what arrives is UTF-8 whatever it is.
    options = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dfile.encoding=US-ASCII", "-Dstdout.encoding=UTF-8")
    return [str(kafka.java), *options, "-cp", classpath, Path(file).stem]


def _javascript(file: str, text: str, folder: Path) -> Sequence[str]:
    npm_install(KAFKAJS, folder)
    (folder / file).write_text(text)
    # By default Node keeps in memory what a full pipe does not take, and goes on: told would not be done.
    (folder / "blocking.js").write_text("process.stdout._handle.setBlocking(true);")
    return ["node", "--require", "./blocking.js", file]
