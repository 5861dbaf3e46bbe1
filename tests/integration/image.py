"""The Dockerfile without an engine: its instructions are carried out on folders, its commands in a chroot.

The base image is this machine's own /usr with a Python of the wanted version at /usr/local; a stage's folder holds what
the instructions put there and nothing else. Mounts are made in a namespace of the command that needs them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ETC = ("group", "hosts", "ld.so.cache", "localtime", "login.defs", "nsswitch.conf", "passwd", "pip.conf", "resolv.conf",
       "shadow", "gshadow", "ssl")  # fmt: skip
"""What of this machine's /etc a base image has too, or its engine puts there."""
OWN = ("usr", "bin", "lib", "lib64", "sbin", "dev", "proc")
"""Of this machine, mounted or linked."""
MOUNTS = """
set -e
root=$1 python=$2 mode=$3; shift 3
if [ $mode = ro ]; then mount --bind $root $root; mount -o remount,bind,ro $root; fi
for one in usr dev proc; do mount --rbind /$one $root/$one; done
if [ $python != /usr ]; then mount --bind $python $root/usr/local; fi
if [ $mode = ro ]; then mount -o remount,bind,ro $root/usr; fi
if [ $mode = ro ] && [ $python != /usr ]; then mount -o remount,bind,ro $root/usr/local; fi
exec "$@"
"""
"""sh: mounts what is this machine's, makes the tree read-only if that is wanted, and becomes the command."""


def refusal() -> str | None:
    """Why commands can't be run in a chroot here; None if they can."""
    try:
        done = subprocess.run(
            ["unshare", "--mount", "chroot", "--userspec=10001:0", "/", "true"],
            capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
    except FileNotFoundError:
        return "no unshare or chroot here"
    return done.stderr.strip() or None


@dataclass(frozen=True)
class Image:
    """A stage: its folder and what its instructions have set."""

    root: Path
    python: Path
    """The prefix of the Python that the base image would have."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    settings: Mapping[str, str] = field(default_factory=dict)
    """The last word of USER, ENTRYPOINT, CMD, HEALTHCHECK, STOPSIGNAL, EXPOSE."""

    def command(
        self, words: Sequence[str], *, environ: Mapping[str, str], user: str = "0:0", read_only: bool = False
    ) -> list[str]:
        """What runs `words` in it; the process becomes them, so that signals reach them."""
        # This machine's Python may know its libraries by the place that it is mounted from.
        given = {"LD_LIBRARY_PATH": "/usr/local/lib", **self.environment, **environ}
        inside = ["chroot", f"--userspec={user}", "--groups=", str(self.root), "env", "-i"]
        inside += [f"{name}={value}" for name, value in given.items()]
        inside += ["sh", "-c", f'cd {self.folder} && exec "$@"', "sh", *words]
        mode = "ro" if read_only else "rw"
        return ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", str(self.root), str(self.python), mode, *inside]

    def exec_form(self, name: str) -> list[str]:
        """The words of ENTRYPOINT, CMD or HEALTHCHECK."""
        return list(json.loads(self.settings[name].partition("CMD ")[2] or self.settings[name]))

    def files(self) -> Iterator[Path]:
        """Whatever its instructions put into it, but for what base images have; from its root."""
        for path in self.root.rglob("*"):
            inside = path.relative_to(self.root)
            if inside.parts[0] not in (*OWN, "etc", "tmp") and (path.is_symlink() or path.is_file()):
                yield inside


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Instruction and the rest of its line, continued lines joined."""
    whole = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    for line in filter(str.strip, whole.splitlines()):
        name, _, rest = line.partition(" ")
        yield name, " ".join(rest.split()) if name != "RUN" else rest


def build(text: str, *, context: Path, python: Path, scratch: Path, build_environ: Mapping[str, str]) -> list[Image]:
    """Carry out a Dockerfile; every stage in its order. Fails with what a command says."""
    stages: dict[str, Image] = {}
    for number, (name, rest) in enumerate(instructions(text)):
        if name == "FROM":
            parent, *alias = rest.split(" AS ")
            current = alias[0] if alias else str(number)
            stages[current] = _started(scratch / f"stage-{current}", python, stages.get(parent))
        elif name == "RUN":
            _run(stages[current], rest, build_environ)
        elif name == "COPY":
            _copy(stages, current, rest, context)
        else:
            stages[current] = _set(stages[current], name, rest)
    return list(stages.values())


def _started(root: Path, python: Path, parent: Image | None) -> Image:
    if parent is not None:
        shutil.copytree(parent.root, root, symlinks=True)
        return replace(parent, root=root)
    for name in ("usr", "dev", "proc", "etc", "opt", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
    for name in ETC:
        path = Path("/etc", name)
        if path.is_dir():
            shutil.copytree(path, root / "etc" / name, symlinks=True, ignore_dangling_symlinks=True)
        elif path.exists():
            shutil.copy(path, root / "etc" / name)
    return Image(root, python, {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin"})


def _run(image: Image, command: str, build_environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        image.command(["sh", "-c", command], environ=build_environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _copy(stages: Mapping[str, Image], current: str, rest: str, context: Path) -> None:
    image = stages[current]
    *sources, target = rest.split()
    origin = context
    if sources[0].startswith("--from="):
        origin = stages[sources.pop(0).removeprefix("--from=")].root
    for source in sources:
        path = origin / source.lstrip("/")
        place = image.root / os.path.normpath(os.path.join(image.folder, target)).lstrip("/")  # noqa: PTH118
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if origin == context else None
            shutil.copytree(path, place, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(path, place / path.name if target.endswith("/") else place)


def _set(image: Image, name: str, rest: str) -> Image:
    if name == "ENV":
        words = dict(word.split("=", 1) for word in shlex.split(rest))
        known = {key: value.replace("$PATH", image.environment["PATH"]) for key, value in words.items()}
        return replace(image, environment={**image.environment, **known})
    if name == "WORKDIR":
        (image.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return replace(image, folder=rest)
    return replace(image, settings={**image.settings, name: rest})
