"""What happened in a world, line by line, for a person who wants to understand a failing seed."""

from __future__ import annotations

from hashlib import blake2b


class Wrong(AssertionError):
    """A promise was broken; the text says which."""


class Story:
    """Lines with their moment."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str, str]] = []

    def tell(self, now: float, who: str, what: str) -> None:
        """One more line."""
        self.lines.append((now, who, what))

    def fingerprint(self) -> str:
        """The same for the same course of events."""
        digest = blake2b(digest_size=8)
        for now, who, what in self.lines:
            digest.update(f"{now:.6f}|{who}|{what}\n".encode())
        return digest.hexdigest()

    def text(self) -> str:
        """All of it."""
        return "\n".join(f"{_clock(now)}  {who:<10} {what}" for now, who, what in self.lines)


def _clock(now: float) -> str:
    minutes, seconds = divmod(now, 60)
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:06.3f}"
