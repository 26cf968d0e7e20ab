"""`make images`: images of the engines from the programs of this machine, in seconds and without a registry.

An image holds the program, its data files and the libraries that `ldd` lists; for Postgres a shell, too, which initdb
and our entrypoint need. The entrypoint takes the variables of the official image that the harness uses:
POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and POSTGRES_INITDB_ARGS.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.backends import binaries
from harness.backends.binaries import Program
from harness.backends.daemon import BUILT, NoDocker, connect
from harness.backends.errors import BackendError

USER = 999
LABEL = "treaty.engine"
BUILD_TIMEOUT = 300
LDD_TIMEOUT = 30
DEBIAN_DATA = re.compile(r"/usr/lib/postgresql/(\d+)/bin")
LEFT_OUT = ("bitcode", "llvmjit", "include", "doc", "man", "pkgconfig")
ACCOUNTS = f"root:x:0:0::/:/bin/sh\nengine:x:{USER}:{USER}::/data:/bin/sh\n"

POSTGRES_ENTRYPOINT = """\
#!/bin/sh
set -eu
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?is not set}"
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    umask 077
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    # shellcheck disable=SC2086
    initdb -D "$PGDATA" -U "$user" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \\
        --no-sync --no-instructions ${POSTGRES_INITDB_ARGS:-}
    : > /tmp/password
    printf 'host all all all scram-sha-256\\n' >> "$PGDATA/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s"\\n' "$database" | postgres --single -F -D "$PGDATA" postgres
    fi
fi
if [ "${1:-}" = postgres ]; then
    shift
    exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
fi
exec "$@"
"""

REDIS_ENTRYPOINT = """\
#!/bin/sh
set -eu
if [ "${1:-}" = redis-server ]; then
    shift
    exec redis-server --bind '*' --dir /data --protected-mode no "$@"
fi
exec "$@"
"""

DOCKERFILE = """\
FROM scratch
ADD root.tar /
ENV PATH={path}:/usr/bin:/bin PGDATA=/data
LABEL {label}="{version}"
USER {user}:{user}
WORKDIR /data
VOLUME /data
EXPOSE {port}
STOPSIGNAL {stop}
ENTRYPOINT ["/entrypoint"]
CMD ["{command}"]
"""


class _Root:
    """The file system of an image, in the making."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w")  # noqa: SIM115 closed by `packed`
        self._names: set[str] = set()

    def write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """A file with this content."""
        self._add(self._info(name, mode, tarfile.REGTYPE), data)

    def folder(self, name: str, mode: int = 0o755, owner: int = 0) -> None:
        """An empty folder."""
        info = self._info(name, mode, tarfile.DIRTYPE)
        info.uid = info.gid = owner
        self._add(info)

    def link(self, name: str, to: str) -> None:
        """A symbolic link."""
        info = self._info(name, 0o777, tarfile.SYMTYPE)
        info.linkname = to
        self._add(info)

    def copy(self, path: Path, name: str | None = None) -> None:
        """A file of this machine, links resolved, readable by all; where it is here, unless `name` says where."""
        mode = 0o755 if os.access(path, os.X_OK) else 0o644
        self.write(name or str(path), path.read_bytes(), mode)

    def copy_tree(self, path: Path, name: str | None = None) -> None:
        """A folder of this machine without what no server needs."""
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if not any(part.startswith(LEFT_OUT) for part in inside.parts) and file.suffix != ".a" and file.is_file():
                self.copy(file, f"{name or path}/{inside}")

    def packed(self) -> bytes:
        """The whole as a tar."""
        self._tar.close()
        return self._bytes.getvalue()

    def _info(self, name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name.lstrip("/"))
        info.mode, info.type = mode, kind
        return info

    def _add(self, info: tarfile.TarInfo, data: bytes = b"") -> None:
        if info.name not in self._names:
            self._names.add(info.name)
            info.size = len(data)
            self._tar.addfile(info, io.BytesIO(data))


def postgres(program: Program) -> tuple[str, bytes]:
    """(tag, build context) of an image of this Postgres."""
    root = _Root()
    prefix = program.folder.parent
    debian = DEBIAN_DATA.fullmatch(str(program.folder))
    for name in ("postgres", "initdb"):
        root.copy(program.folder / name)
    root.copy_tree(prefix / "lib")
    root.copy_tree(Path("/usr/share/postgresql", debian[1]) if debian else prefix / "share")
    for libraries in prefix.parent.parent.glob(f"{prefix.parent.name}.libs"):
        root.copy_tree(libraries)
    if Path("/usr/share/zoneinfo").is_dir():
        root.copy_tree(Path("/usr/share/zoneinfo"))
    linked = [program.path, program.folder / "initdb", *(prefix / "lib").glob("*.so")]
    _equip(root, [path for path in linked if "llvmjit" not in path.name], POSTGRES_ENTRYPOINT)
    return _context(root, program, port=5432, stop="SIGINT", command="postgres")


def redis(program: Program) -> tuple[str, bytes]:
    """(tag, build context) of an image of this Redis or Valkey."""
    root = _Root()
    root.copy(program.path, "/usr/bin/redis-server")
    _equip(root, [program.path], REDIS_ENTRYPOINT)
    return _context(root, program, port=6379, stop="SIGTERM", command="redis-server")


def _equip(root: _Root, linked: Iterable[Path], entrypoint: str) -> None:
    """What every image has: a shell, libraries, accounts, an entrypoint, folders to write to."""
    shell = Path("/bin/sh").resolve()
    root.copy(shell, "/bin/sh")
    for library in sorted(_libraries([shell, *linked])):
        root.copy(Path(library))
    root.write("/etc/passwd", ACCOUNTS.encode())
    root.write("/etc/group", f"root:x:0:\nengine:x:{USER}:\n".encode())
    root.write("/entrypoint", entrypoint.encode(), 0o755)
    root.folder("/tmp", 0o1777)  # noqa: S108 the image's own
    root.folder("/data", 0o700, USER)


def _libraries(linked: Iterable[Path]) -> set[str]:
    """What the dynamic loader would load, itself included, under the names it asks for."""
    listed = subprocess.run(  # noqa: S603 programs of this machine
        ["ldd", *map(str, linked)],  # noqa: S607 the system's
        check=False,
        capture_output=True,
        text=True,
        timeout=LDD_TIMEOUT,
    ).stdout
    missing = re.findall(r"^\s+(\S+) => not found", listed, re.MULTILINE)
    if missing:
        raise BackendError(f"libraries are missing on this machine: {', '.join(sorted(set(missing)))}")
    return set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE))


def _context(root: _Root, program: Program, *, port: int, stop: str, command: str) -> tuple[str, bytes]:
    path = program.folder if command == "postgres" else Path("/usr/bin")
    dockerfile = DOCKERFILE.format(
        path=path, label=LABEL, version=program.version, user=USER, port=port, stop=stop, command=command
    )
    context = _Root()
    context.write("Dockerfile", dockerfile.encode())
    context.write("root.tar", root.packed())
    kind, _, version = program.version.partition(" ")
    return f"{BUILT}/{kind.lower().replace('postgresql', 'postgres')}:{version}", context.packed()


def build() -> Iterator[str]:
    """Build both; a line for each. A `BackendError` when something for it cannot be had."""
    try:
        client = connect(os.environ)
    except NoDocker as problem:
        raise BackendError(str(problem)) from None
    from docker.errors import BuildError, DockerException

    client.api.timeout = BUILD_TIMEOUT
    try:
        for make, program in ((postgres, binaries.postgres()), (redis, binaries.redis())):
            began = time.monotonic()
            tag, context = make(program)
            image, _ = client.images.build(
                fileobj=io.BytesIO(context), custom_context=True, tag=tag, rm=True, forcerm=True
            )
            size = image.attrs["Size"] / 1e6
            client.images.prune(filters={"dangling": True, "label": LABEL})
            yield f"{tag}  {size:.0f} MB, from {program.path} in {time.monotonic() - began:.1f} s"
    except (BuildError, DockerException) as problem:
        raise BackendError(f"an image cannot be built: {problem}") from problem
    finally:
        client.close()


def main() -> int:
    """The exit code."""
    try:
        for line in build():
            sys.stdout.write(f"{line}\n")
    except BackendError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
