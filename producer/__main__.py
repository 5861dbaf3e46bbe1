"""`python -m producer` and `wolkvox-hits` are the same."""

from __future__ import annotations

import sys
from pathlib import Path

from producer.commands.streams import fail, standard_streams
from producer.imports import COLOURS, importing

_WINDOWS = {"win32", "cygwin", "msys"}
_SCHEMAS = Path(__file__).parent / "schemas"


def main(*, platform: str = sys.platform) -> None:
    """The commands; Ctrl-C ends them without a traceback even while their modules are still being imported."""
    with standard_streams():
        try:
            if reason := _misplaced(platform):
                fail([reason], code=1)
            with importing():
                import typer  # noqa: F401, PLC0415 (its help is by rich; the others go without)
            with importing(without=COLOURS):
                from producer.commands.cli import main as commands  # noqa: PLC0415 (inside the try, for that reason)

            commands()
        except KeyboardInterrupt:
            sys.exit(130)


def _misplaced(platform: str) -> str:
    """Why it can't run here, if it can't."""
    if platform in _WINDOWS:
        return "it runs on Linux and macOS; on Windows install WSL 2 (wsl --install) and use it there"
    if _SCHEMAS.is_file():
        return (
            "producer/schemas is a file and no link: a clone (or what was packaged) without symbolic links; "
            "`git config core.symlinks true && git checkout -- producer/schemas` makes it, or a fresh clone does"
        )
    if not _SCHEMAS.is_dir():
        return "the folder schemas is missing beside producer: copy both, or install the package"
    return ""


if __name__ == "__main__":
    main()
