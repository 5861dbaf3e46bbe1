"""The standard streams of a process, closed or full as they may be: exit code 1 and a word instead of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, NoReturn


class Unprintable(Exception):
    """Standard output does not take what is printed; the text is the system's reason. A pipe that broke is none."""


@contextmanager
def standard_streams() -> Iterator[None]:
    """Inside, the streams are there; at the end what was printed is written, or the process fails and says why."""
    _open_closed()
    sys.stdout = _named_errors(sys.stdout)
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 (for as long as the process lives)
    try:
        try:
            yield
        finally:
            _flush()
    except Unprintable as error:
        forsake(1)
        fail([f"standard output: {error}"], code=1)
    finally:
        try:
            sys.stderr.flush()
        except OSError:
            forsake(2)


def fail(lines: Sequence[str], *, code: int) -> NoReturn:
    """Say why, if there is still somebody to say it to, and exit."""
    with suppress(OSError):
        sys.stderr.writelines(f"wolkvox-hits: {line}\n" for line in lines)
        sys.stderr.flush()
    sys.exit(code)


def forsake(number: int) -> None:
    """Let a stream's output go nowhere: what is still buffered would fail once more, aloud, when Python closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _open_closed() -> None:
    """Give a closed stream's number to what refuses each word, or the next socket would get it."""
    while (number := os.open(os.devnull, os.O_RDONLY)) <= 2:
        pass
    os.close(number)


def _named_errors(stdout: Any) -> TextIOWrapper:
    """The standard output as Python made it, or as it makes none of a closed one, but for its errors.

    A program that reads it gets UTF-8 wherever it runs; a person, of a letter that the terminal lacks, its number.
    """
    return TextIOWrapper(
        BufferedWriter(_StandardOutput(1, "w", closefd=False)),
        encoding=stdout.encoding if stdout and stdout.isatty() else "utf-8",
        errors="backslashreplace",
        line_buffering=bool(stdout and stdout.line_buffering),
        write_through=bool(stdout and stdout.write_through),
    )


class _StandardOutput(FileIO):
    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Unprintable(error.strerror) from None


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forsake(1)
