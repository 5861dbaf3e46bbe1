"""`python -m producer` and `wolkvox-hits` are the same."""

from __future__ import annotations

import sys

from producer.commands.streams import standard_streams


def main() -> None:
    """The commands; Ctrl-C ends them without a traceback even while their modules are still being imported."""
    with standard_streams():
        try:
            from producer.commands.cli import main as commands  # noqa: PLC0415 (inside the try, for that reason)

            commands()
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
