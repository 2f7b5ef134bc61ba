"""The kind of file system that a path is on, from a table of mounts as Linux writes it."""

from pathlib import Path

import pytest

from riskmark.app import FixedClock, build
from riskmark.settings import load_settings
from riskmark.storage import mounts
from riskmark.storage.mounts import (
    Mount,
    NetworkFileSystem,
    check_file_system,
    mount_of,
    parse_mounts,
)

TABLE = """\
21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 21 0:40 / /srv/books rw,relatime - nfs4 files:/books rw,vers=4.2
31 30 0:41 / /srv/books/local rw,noatime - xfs /dev/vdb rw
32 21 0:42 / /home/me/far rw,nosuid shared:9 master:1 - fuse.sshfs me@far:/ rw
33 21 0:43 / /mnt/c rw - 9p C:\\134 rw
34 21 0:44 / /mnt/my\\040share rw - cifs //nas/share rw
35 21 0:45 / /var/over rw - overlay overlay rw
36 21 0:46 / /mnt/portable rw - fuseblk /dev/sdb1 rw
37 21 0:47 / /twice rw - nfs files:/a rw
38 37 0:48 / /twice rw - tmpfs tmpfs rw
this is no line of the table
"""


@pytest.mark.parametrize(
    "path",
    [
        "/srv/books/riskmark.db",
        "/home/me/far/riskmark.db",
        "/mnt/c/Users/me/riskmark.db",
        "/mnt/my share/riskmark.db",
    ],
)
def test_a_database_on_a_network_file_system_is_refused(path):
    with pytest.raises(NetworkFileSystem, match=r"network file system, .* PostgreSQL"):
        check_file_system(f"sqlite:///{path}", is_allowed=False, table=TABLE)

    check_file_system(f"sqlite:///{path}", is_allowed=True, table=TABLE)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////riskmark.db",
        "sqlite:////srv/booksellers/riskmark.db",
        "sqlite:////srv/books/local/riskmark.db",
        "sqlite:////var/over/riskmark.db",
        "sqlite:////mnt/portable/riskmark.db",
        "sqlite:////twice/riskmark.db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://host/srv/books",
    ],
)
def test_what_stands_on_a_local_one_or_in_no_file_is_not(url):
    check_file_system(url, is_allowed=False, table=TABLE)


@pytest.mark.parametrize(
    ("kind", "is_network"),
    [
        ("virtiofs", True),
        ("9p", True),
        ("drvfs", True),
        ("prl_fs", True),
        ("fakeowner", True),
        ("orangefs", True),
        ("autofs", True),
        ("fuse", True),
        ("fuse.grpcfuse", True),
        ("fuse.gvfsd-fuse", True),
        ("fuse.blobfuse2", True),
        ("fuse.mfs", True),
        ("fuse.of-tomorrow", True),
        ("fuse.ntfs-3g", False),
        ("fuse.fuse-overlayfs", False),
        ("fuseblk", False),
        ("overlay", False),
        ("tmpfs", False),
        ("ext4", False),
        ("xfs", False),
        ("btrfs", False),
        ("zfs", False),
        ("f2fs", False),
        ("of-tomorrow", False),
    ],
)
def test_of_what_cannot_be_seen_only_what_is_known_to_be_local_is_trusted(kind, is_network):
    assert Mount(Path("/"), kind).is_network == is_network


def test_the_deepest_mount_counts_and_the_last_of_those_at_one_point():
    found = parse_mounts(TABLE)

    assert mount_of(Path("/srv/books/local/x"), found).kind == "xfs"
    assert mount_of(Path("/twice/x"), found).kind == "tmpfs"
    assert mount_of(Path("/x"), ()) is None


def test_the_mount_that_counts_is_that_of_the_file_behind_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "riskmark.db").symlink_to(tmp_path / "far" / "riskmark.db")
    table = f"1 0 0:1 / {tmp_path / 'far'} rw - nfs files:/ rw\n"

    with pytest.raises(NetworkFileSystem):
        check_file_system(f"sqlite:///{tmp_path / 'riskmark.db'}", is_allowed=False, table=table)


def test_an_installation_there_does_not_open_unless_its_settings_say_so(tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / {tmp_path} rw - nfs files:/ rw\n")
    monkeypatch.setattr(mounts, "MOUNT_TABLE", table)
    url = f"sqlite:///{tmp_path / 'riskmark.db'}"
    allowed = {"RISKMARK_SQLITE__ALLOW_NETWORK_FILE_SYSTEM": "true"}

    with pytest.raises(NetworkFileSystem, match=r"allow_network_file_system = true"):
        build(load_settings(None, {}, database_url=url), FixedClock(None))
    build(load_settings(None, allowed, database_url=url), FixedClock(None)).database.close()


def test_a_system_without_such_a_table_refuses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(mounts, "MOUNT_TABLE", tmp_path / "missing")

    check_file_system(f"sqlite:///{tmp_path / 'riskmark.db'}", is_allowed=False)
