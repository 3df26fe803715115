"""The unit's sandbox without systemd as process 1: `python tests/sandbox.py UNIT STATE -- COMMAND ...` runs a command
in it.

Read from the unit itself: the system-call list with its error number, the address families, which folders are hidden.
Everything is read-only but the state folder, homes are empty, there are no capabilities and no new privileges.
Needs root or user namespaces, libseccomp and `systemd-analyze`.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001
_EQUAL = 4
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
_HOMES = ("/home", "/root", "/run/user")

_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This machine cannot build the sandbox; says what is missing."""


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("value", ctypes.c_uint64), ("mask", ctypes.c_uint64),
    )  # fmt: skip


def directives(unit: Path, name: str) -> list[str]:
    """The values of a unit's directive, in order."""
    lines = unit.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.partition("=")[0] == name]


def allowed_calls(unit: Path) -> set[str]:
    """The system calls that a unit allows, its groups expanded as systemd does.

    Raises:
        Unavailable: there is no `systemd-analyze`.
    """
    allowed: set[str] = set()
    for value in directives(unit, "SystemCallFilter"):
        names = _expand(value.removeprefix("~").split())
        allowed = allowed - names if value.startswith("~") else allowed | names
    # systemd always adds these, so that a process can be started and ended at all.
    return allowed | _expand(["@default"]) | {"execve"}


def _expand(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        try:
            listed = subprocess.run(
                ["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True
            )
        except FileNotFoundError:
            raise Unavailable("systemd-analyze is missing: apt-get install systemd") from None
        lines = (line.strip() for line in listed.stdout.splitlines()[1:])
        found |= _expand(line for line in lines if line and not line.startswith("#"))
    return found


def filter_calls(allowed: set[str], families: Iterable[str]) -> None:
    """Refuse every other system call with EPERM, and sockets of every other family.

    Raises:
        Unavailable: there is no libseccomp, or the kernel refuses.
    """
    try:
        seccomp = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        raise Unavailable("libseccomp is missing: apt-get install libseccomp2") from None
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_EPERM)))
    for name in sorted(allowed - {"socket"}):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # negative: another architecture's
            seccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(_ALLOW), number, 0, None)
    call = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        is_family = _Comparison(0, _EQUAL, _FAMILIES[family], 0)
        seccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(_ALLOW), call, 1, ctypes.byref(is_family))
    if seccomp.seccomp_load(rules) != 0:
        raise Unavailable("the kernel takes no seccomp filter")


def read_only_world(state: Path, needed: Iterable[Path]) -> None:
    """A mount name space in which only the state folder can be written, and homes hold only what is needed to run.

    Raises:
        Unavailable: this user may not have one.
    """
    user, group = os.getuid(), os.getgid()
    flags = _CLONE_NEWNS | (0 if user == 0 else _CLONE_NEWUSER)
    if _libc.unshare(flags) != 0:
        raise Unavailable("no mount name space: be root, or allow user name spaces")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    kept = [(path, os.open(path, os.O_PATH)) for path in needed if path.is_relative_to("/")]
    for home in filter(os.path.isdir, _HOMES):
        _mount("tmpfs", home, "tmpfs", 0)
        for path, handle in kept:
            if path.is_relative_to(home):
                path.mkdir(parents=True)
                _mount(f"/proc/self/fd/{handle}", str(path), None, _MS_BIND | _MS_REC)
    _mount(str(state), str(state), None, _MS_BIND)
    for line in Path("/proc/self/mounts").read_text().splitlines():
        point = line.split()[1].encode().decode("unicode_escape")
        if point != str(state) and not Path(point).is_relative_to("/proc"):
            # A mount that cannot be changed (another user's) is not writable for us either.
            _libc.mount(None, point.encode(), None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY, None)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    told = (None if text is None else text.encode() for text in (source, target, kind))
    if _libc.mount(*told, flags, None) != 0:
        raise Unavailable(f"{target} cannot be mounted: {os.strerror(ctypes.get_errno())}")


def give_up_rights() -> None:
    """Drop every capability for good."""
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc.capset(header, nothing) != 0:
        raise Unavailable("capabilities cannot be dropped")
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main() -> None:
    """Build the sandbox around this process and become the command; ends with 77 where that is impossible."""
    unit, state, _, *command = sys.argv[1:]
    needed = {Path(sys.base_prefix), Path(sys.prefix), Path(__file__).resolve().parents[1], Path(state).parent}
    try:
        allowed = allowed_calls(Path(unit))
        read_only_world(Path(state), sorted(needed))
        give_up_rights()
        os.umask(int(directives(Path(unit), "UMask")[-1], 8))
        filter_calls(allowed, directives(Path(unit), "RestrictAddressFamilies")[-1].split())
    except Unavailable as missing:
        sys.stderr.write(f"no sandbox: {missing}\n")
        sys.exit(77)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
