"""On what kind of file system a file stands, and whether SQLite can live there.

SQLite's log of changes needs memory that all its processes share, and locks that hold. A file
system that is reached over a network has neither, or has them most of the time: databases
there are damaged sooner or later. PostgreSQL is the answer where several machines are. A folder
that a virtual machine shares with its host is no better: two kernels, each with locks of its own.

What stands behind FUSE cannot be seen, and most of it is far away: of that, only what is known
to be local is trusted.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from riskmark.errors import StoreError
from riskmark.storage.engines import parse_url

MOUNT_TABLE = Path("/proc/self/mountinfo")
NETWORK_TYPES = frozenset(
    {
        "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs",
        "fakeowner", "gfs", "gfs2", "glusterfs", "gpfs", "grpcfuse", "lustre", "ncpfs", "nfs",
        "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf",
        "virtiofs", "vmhgfs",
    }
)  # fmt: skip
"""Types of file systems that several machines, or a machine and its guest, share.

``autofs`` is a place where nothing is mounted yet; what comes there comes from elsewhere.
"""
LOCAL_FUSE = frozenset(
    {"encfs", "exfat", "ext2", "ext4", "fuse-overlayfs", "gocryptfs", "ntfs", "ntfs-3g", "zfs"}
)
"""What stands behind ``fuse.`` in the type of a file system on this machine's own disks."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


class NetworkFileSystem(StoreError):
    """The file of an SQLite database stands, or would stand, on a network file system."""

    def __init__(self, path: Path, mount: "Mount") -> None:
        super().__init__(
            f"the database {path} stands on a network file system, or one shared with another "
            f"system ({mount.kind} at {mount.point}), where SQLite's locks do not hold: use a "
            "local disk, or PostgreSQL; sqlite.allow_network_file_system = true takes the risk"
        )
        self.path = path
        self.mount = mount


class Mount(NamedTuple):
    """A file system of type ``kind``, mounted at ``point``."""

    point: Path
    kind: str

    @property
    def is_network(self) -> bool:
        """Whether it is reached over a network, as far as can be seen, or may be."""
        family, dot, name = self.kind.partition(".")
        if family == "fuse":
            return not dot or name not in LOCAL_FUSE
        return self.kind in NETWORK_TYPES


def parse_mounts(table: str) -> tuple[Mount, ...]:
    """Read a table of mounts as Linux writes it; lines of another form are passed over."""
    found = []
    for line in table.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if separator and len(fields) > _POINT and kind:
            point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[_POINT])
            found.append(Mount(Path(point), kind))
    return tuple(found)


_POINT = 4
"""The place of the mount point among the fields of a line."""


def mount_of(path: Path, mounts: tuple[Mount, ...]) -> Mount | None:
    """Return the mount that the absolute ``path`` is on: the deepest, the last made of those."""
    found = None
    for one in mounts:
        if path.is_relative_to(one.point) and (
            found is None or len(one.point.parts) >= len(found.point.parts)
        ):
            found = one
    return found


def check_file_system(url: str, *, is_allowed: bool, table: str | None = None) -> None:
    """Raise ``NetworkFileSystem`` if ``url`` names an SQLite file on such a file system.

    ``table`` is the system's table of mounts, if it is not to be read. Where there is none,
    as outside Linux, nothing is refused.
    """
    parsed = parse_url(url)
    name = parsed.database
    if is_allowed or parsed.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return
    path = Path(name).resolve()
    if table is None:
        with suppress(OSError):
            next(path.parent.iterdir(), None)  # what is mounted on demand is mounted now
        try:
            table = MOUNT_TABLE.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return
    mount = mount_of(path, parse_mounts(table))
    if mount is not None and mount.is_network:
        raise NetworkFileSystem(path, mount)
