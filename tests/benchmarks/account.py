"""Runs a command and tells, as JSON, what the system says that it used; for `memory`.

A small process of its own, because Linux starts a child's peak with what the one that forked it had resident.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def main(command: list[str]) -> int:
    """The command's exit code; its standard error is ours, its output is dropped."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    sys.stdout.write(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
