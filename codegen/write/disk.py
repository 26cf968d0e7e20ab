"""The one module that writes files: surveys the output folder and applies a plan, wholly or not at all.

Everything is staged below the output folder first, so that a full disk or an
unwritable folder shows before anything changes. Then each file is put in its
place by a rename. A failure, or Ctrl-C, on the way takes back what was done.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from codegen.write.manifest import EMPTY, NAME, Manifest, ManifestError, digest, parse, render
from codegen.write.plan import OWN_FOLDER, Action, Found, Kind, Plan, Step

_STAGING = ".staging-"
_MANIFEST_HINT = (
    "restore it from version control, or delete it: generated files are then recognised when they are "
    "as they would be written"
)
_PASSED_OVER = frozenset({"__pycache__"})


class DiskError(Exception):
    """The output folder cannot be read or written; `path` says where, the text says why."""

    def __init__(self, path: Path | str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason
        self.hint = hint or "make room or give write permission there, or name another folder with --out"


def survey(root: Path, paths: Iterable[str]) -> dict[str, Found]:
    """What stands at each of `paths` below `root`; absent ones are left out."""
    folders: dict[Path, Kind | None] = {root: None}
    base = root.resolve()
    return {path: entry for path in paths if (entry := _entry(root, base, path, folders))}


def _entry(root: Path, base: Path, path: str, folders: dict[Path, Kind | None]) -> Found | None:
    file = root / path
    obstacle = _obstacle(file.parent, base, folders)
    if obstacle:
        return Found(kind=obstacle)
    try:
        if file.is_symlink():
            return Found(kind=Kind.LINK)
        if file.is_dir():
            return Found(kind=Kind.FOLDER)
        if file.exists() and not file.is_file():
            return Found(kind=Kind.SPECIAL)
        return Found(kind=Kind.FILE, digest=digest(file.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise DiskError(file, problem.strerror or str(problem)) from problem


def _obstacle(folder: Path, base: Path, known: dict[Path, Kind | None]) -> Kind | None:
    """What keeps files from being below `folder`, when something does."""
    if folder not in known:
        above = _obstacle(folder.parent, base, known)
        if above:
            known[folder] = above
        elif folder.is_symlink() and not folder.resolve().is_relative_to(base):
            known[folder] = Kind.OUTSIDE
        elif folder.exists() and not folder.is_dir():
            known[folder] = Kind.BLOCKED
        else:
            known[folder] = None
    return known[folder]


def strays(root: Path, known: Iterable[str]) -> tuple[str, ...]:
    """Files in the top-level folders of the `known` ones that are not among them, without caches and hidden files."""
    expected = set(known)
    tops = sorted({path.partition("/")[0] for path in expected if "/" in path})
    found = []
    for top in tops:
        for folder, names, files in os.walk(root / top):
            names[:] = sorted(name for name in names if _counts(name))
            relative = Path(folder).relative_to(root).as_posix()
            found += [f"{relative}/{name}" for name in sorted(files) if _counts(name)]
    return tuple(path for path in found if path not in expected)


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in _PASSED_OVER and not name.endswith((".pyc", ".egg-info"))


def read_manifest(root: Path) -> tuple[Manifest, bytes]:
    """The manifest of the output folder and its bytes; the empty one when there is none. Raises `DiskError`."""
    try:
        if (root / NAME).exists() and not (root / NAME).is_file():
            raise DiskError(root / NAME, "is not a file", hint=_MANIFEST_HINT)
        content = (root / NAME).read_bytes()
        return parse(content), content
    except (FileNotFoundError, NotADirectoryError):
        return EMPTY, b""
    except OSError as problem:
        raise DiskError(root / NAME, problem.strerror or str(problem)) from problem
    except ManifestError as problem:
        raise DiskError(root / NAME, str(problem), hint=_MANIFEST_HINT) from problem


@contextmanager
def locked(root: Path, *, wait: float = 60.0, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Only one run at a time works on `root`, which is made when it is absent.

    Another run is waited for, `wait` seconds at most, then `DiskError` is
    raised. The lock is on the folder itself and leaves no file behind.
    """
    made = _make_folders(root)
    try:
        handle = os.open(root, os.O_RDONLY)
    except OSError as problem:
        raise DiskError(root, problem.strerror or str(problem)) from problem
    try:
        _lock(handle, root, wait, on_wait)
        yield
    finally:
        os.close(handle)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _lock(handle: int, root: Path, wait: float, on_wait: Callable[[], None]) -> None:
    import fcntl

    give_up = time.monotonic() + wait
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise DiskError(root, f"another run has been working on it for {wait:.0f} s") from None
            if not told:
                on_wait()
            told = True
            time.sleep(0.05)
        else:
            return


def apply(plan: Plan, root: Path) -> None:
    """Carry out a plan, the manifest last. Raises `DiskError` with everything as it was before."""
    writes = [step for step in plan.steps if step.action in (Action.CREATE, Action.UPDATE)]
    deletions = [step for step in plan.steps if step.action is Action.DELETE]
    manifest = render(plan.manifest).encode()
    if not writes and not deletions and _same(root / NAME, manifest):
        return
    with _transaction(root) as change:
        change.put([*writes, Step(action=Action.UPDATE, path=NAME, content=manifest)], deletions)


def write_new(root: Path, files: Mapping[str, bytes]) -> None:
    """Write files that must not exist yet, all or none. Raises `DiskError`."""
    with _transaction(root) as change:
        change.put([Step(action=Action.CREATE, path=path, content=content) for path, content in files.items()], [])


def write_cache(root: Path, name: str, content: bytes) -> None:
    """Keep something for the next run, outside of what is committed; a folder that cannot be written is no mistake."""
    folder = root / OWN_FOLDER
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        if not os.path.lexists(folder / ".gitignore"):
            _write_new(folder / ".gitignore", b"*\n")
        staged = folder / f"{name}.new"
        staged.unlink(missing_ok=True)
        _write_new(staged, content)
        staged.replace(folder / name)


def read_cache(root: Path, name: str) -> bytes:
    """What `write_cache` kept; empty when there is nothing."""
    file = root / OWN_FOLDER / name
    try:
        return file.read_bytes() if file.is_file() else b""
    except OSError:
        return b""


def _write_new(file: Path, content: bytes) -> None:
    """Write a file that does not exist, never through a link that somebody has put there."""
    with file.open("xb") as sink:
        sink.write(content)


def _same(file: Path, content: bytes) -> bool:
    try:
        return file.read_bytes() == content
    except OSError:
        return False


def _make_folders(folder: Path) -> list[Path]:
    """Make `folder` and what is missing above it; the list of those that were made, outermost first."""
    missing = []
    while not folder.exists() and not folder.is_symlink():
        missing.append(folder)
        folder = folder.parent
    made: list[Path] = []
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            made.append(each)
    except OSError as problem:
        for each in reversed(made):
            each.rmdir()
        raise DiskError(each, problem.strerror or str(problem)) from problem
    return made


class _Transaction:
    """Changes below `root` with a journal to take them back."""

    def __init__(self, root: Path, staging: Path) -> None:
        self._root = root
        self._staging = staging
        self._undo: list[Callable[[], object]] = []

    def put(self, writes: list[Step], deletions: list[Step]) -> None:
        staged = [self._stage(i, step) for i, step in enumerate(writes)]
        for i, (step, new) in enumerate(zip(writes, staged, strict=True)):
            self._place(step, new, self._staging / f"old-{i}")
        for i, step in enumerate(deletions):
            self._remove(self._root / step.path, self._staging / f"gone-{i}")
        for step in deletions:
            self._drop_empty((self._root / step.path).parent)

    def _stage(self, number: int, step: Step) -> Path:
        staged = self._staging / f"new-{number}"
        staged.write_bytes(step.content)
        if staged.stat().st_size != len(step.content):
            raise DiskError(self._root / step.path, "could not be written completely")
        return staged

    def _place(self, step: Step, staged: Path, backup: Path) -> None:
        target = self._root / step.path
        for folder in _make_folders(target.parent):
            self._undo.append(folder.rmdir)
        if step.action is Action.CREATE and os.path.lexists(target):
            raise DiskError(target, "appeared while files were being generated")
        if target.exists():
            _link_or_copy(target, backup)
            self._undo.append(lambda: backup.replace(target))
            staged.chmod(target.stat().st_mode & 0o7777)
        else:
            self._undo.append(lambda: target.unlink(missing_ok=True))
        staged.replace(target)

    def _remove(self, target: Path, backup: Path) -> None:
        target.replace(backup)
        self._undo.append(lambda: backup.replace(target))

    def _drop_empty(self, folder: Path) -> None:
        while folder != self._root and folder.is_dir():
            left = sorted(entry.name for entry in folder.iterdir())
            if left == ["__pycache__"] and all(entry.suffix == ".pyc" for entry in (folder / left[0]).iterdir()):
                _remove_tree(folder / left[0])
            elif left:
                return
            folder.rmdir()
            self._undo.append(folder.mkdir)
            folder = folder.parent

    def take_back(self) -> None:
        """Undo what was done, last first; what cannot be undone stays."""
        for undo in reversed(self._undo):
            with contextlib.suppress(OSError):
                undo()


@contextmanager
def _transaction(root: Path) -> Iterator[_Transaction]:
    made = _make_folders(root)
    staging: Path | None = None
    change: _Transaction | None = None
    try:
        own = root / OWN_FOLDER
        if own.is_symlink():
            raise DiskError(own, "is a symbolic link")
        for old in own.glob(f"{_STAGING}*"):
            _remove_tree(old)
        own.mkdir(exist_ok=True)
        staging = own / f"{_STAGING}{os.getpid()}"
        staging.mkdir()
        change = _Transaction(root, staging)
        yield change
    except BaseException as problem:
        if change:
            change.take_back()
        _clear(staging)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(problem, OSError):
            raise DiskError(problem.filename or root, problem.strerror or str(problem)) from problem
        raise
    _clear(staging)


def _clear(staging: Path | None) -> None:
    """Remove the staging folder, and its parent when nothing else is in it."""
    if staging:
        _remove_tree(staging)
        with contextlib.suppress(OSError):
            staging.parent.rmdir()


def _remove_tree(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        target.write_bytes(source.read_bytes())
