"""Where the bundled servers live: the user they run as, and binaries and folders that this user can reach.

PostgreSQL refuses to run as root, and another user may not pass through the folders above the data or the programs.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SHARED = Path("/var/lib/soundscore")
SOCKET_PATH_LIMIT = 100
NOBODY = 65534


class EmbeddedError(RuntimeError):
    """Says what is wrong and what to do about it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the servers run as: ourselves (no ids), or as root the owner of the data, at first nobody."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def of_servers(cls, data_dir: Path) -> Self:
        if os.geteuid() != 0:
            return cls()
        with contextlib.suppress(FileNotFoundError):
            owner = (data_dir / "postgres").stat()
            if owner.st_uid != 0:
                return cls(owner.st_uid, owner.st_gid)._checked()
        return cls(NOBODY, NOBODY)._checked()

    def _checked(self) -> Self:
        if not self.runs("true"):
            raise EmbeddedError(
                f"Root may not start programs as user {self.uid} here, and PostgreSQL refuses to run as root: start "
                "SoundScore as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
            )
        return self

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []

    def runs(self, *command: str | Path) -> bool:
        try:
            done = subprocess.run(  # noqa: S603
                command,
                check=False,
                cwd="/",
                capture_output=True,
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        except OSError:
            return False
        return done.returncode == 0

    def takes(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def cluster_folder(data_dir: Path, digest: str, account: Account) -> Path:
    """The folder of the database: below the data folder, or in a shared place if the account cannot get there."""
    here, shared = data_dir / "postgres", SHARED / digest / "postgres"
    if account.uid is None:
        here.mkdir(mode=0o700, exist_ok=True)
        return here
    for folder in sorted((here, shared), key=lambda folder: not _has_data(folder)):
        _make_for(folder, account)
        if account.runs("test", "-w", folder):
            return folder
        if _has_data(folder):
            break
        folder.rmdir()
    raise EmbeddedError(f"User {account.uid} cannot write {folder}: open the folders above to it, or set DATA_DIR.")


def _has_data(folder: Path) -> bool:
    return (folder / "PG_VERSION").exists()


def _make_for(folder: Path, account: Account) -> None:
    if SHARED in folder.parents:
        _open_folder(SHARED)
        _open_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    account.takes(folder)


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def socket_folder(name: str, account: Account) -> Path:
    """A private folder with a short path: the kernel takes 107 bytes, and the data folder may be deep."""
    folder = _temporary_folder(len(name), account) / name
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        account.takes(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != (os.geteuid() if account.uid is None else account.uid):
        raise EmbeddedError(f"{folder} belongs to another user: remove it and start again.")
    folder.chmod(0o700)
    return folder


def _temporary_folder(room: int, account: Account) -> Path:
    # The longest name in it is that of PostgreSQL's lock, .s.PGSQL.5432.lock.
    for folder in (tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if len(os.fsencode(folder)) + room + 20 <= SOCKET_PATH_LIMIT and account.runs("test", "-w", folder):
            return Path(folder)
    raise EmbeddedError("No temporary folder with a short path can be written: set TMPDIR to one.")


def program(distribution: str, pattern: str, account: Account) -> Path:
    """The program of a wheel, or a copy of it where the account cannot run it in its place."""
    package = distribution.replace("-", "_")
    spec = importlib.util.find_spec(package)
    home = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path(package)
    found = next(home.glob(pattern), None)
    if found is None:
        raise EmbeddedError(
            f"{distribution} has no server for this platform: set DATABASE_URL and REDIS_URL to servers of your own."
        )
    if account.uid is None or account.runs(found, "--version"):
        return found
    copies = _copied(home, pattern.partition("/")[0], importlib.metadata.version(distribution))
    copy = copies / found.relative_to(home.parent)
    if not account.runs(copy, "--version"):
        raise EmbeddedError(f"User {account.uid} cannot run {copy}: start SoundScore as an ordinary user.")
    return copy


def _copied(package: Path, part: str, version: str) -> Path:
    target = SHARED / f"{package.name}-{version}"
    if not target.exists():
        _open_folder(SHARED)
        draft = Path(tempfile.mkdtemp(dir=SHARED))
        # The libraries stand beside the package: the programs look for them by a relative path.
        for tree in (f"{package.name}/{part}", f"{package.name}.libs"):
            if (package.parent / tree).exists():
                shutil.copytree(package.parent / tree, draft / tree, symlinks=True)
        _make_readable(draft)
        try:
            draft.rename(target)
        except OSError:
            # Another process was first.
            shutil.rmtree(draft)
    return target


def _make_readable(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
