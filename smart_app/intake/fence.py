"""What keeps the child process in: limits of memory, time and files, no network, no other program, no file but its own (safety.md "Parsing").

Limits are `setrlimit`. Files are closed off by Landlock, the network, new programs and other processes by seccomp, both
asked of the kernel directly: no helper program, no privilege. Where a kernel lacks one of them the child says so, and the
parent writes it in its log. Nothing here is undone: a fence holds until the process ends.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 30
"""For one file."""
CHILD_SECONDS = 120
"""For all files that one child reads; a new one takes over long before."""
WORN_BYTES = 350_000_000
OPEN_FILES = 64
FILE_BYTES = 21_000_000_000

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # SECCOMP_RET_ALLOW, _ERRNO with EPERM, _KILL_PROCESS
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
CLONE_THREAD = 0x00010000
LANDLOCK = (444, 445, 446)
"""create_ruleset, add_rule, restrict_self: the same numbers everywhere."""
READ, LIST = 1 << 2, 1 << 3
WORK = (1 << 1) | READ | LIST | (1 << 5) | (1 << 8) | (1 << 14)
"""Write, read, list, remove and make a file, cut it short."""

# socket, socketpair, connect, bind, listen, execve, execveat, fork, vfork, ptrace, process_vm_readv, process_vm_writev,
# mount, unshare, setns, bpf, io_uring_setup, perf_event_open, userfaultfd, open_by_handle_at, keyctl, kill, pidfd_getfd, link, symlink, chmod, chown
REFUSED_CALLS = {
    "x86_64": (41, 53, 42, 49, 50, 59, 322, 57, 58, 101, 310, 311, 165, 272, 308, 321, 425, 298, 323, 304, 250, 62, 438, 86, 88, 90, 92),
    "aarch64": (198, 199, 203, 200, 201, 221, 281, 117, 270, 271, 40, 97, 268, 280, 425, 241, 282, 265, 219, 129, 438, 37, 36, 53, 54),
}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": (56, 435), "aarch64": (220, 435)}


def close(workspace: Path, readable: tuple[Path, ...]) -> tuple[str, ...]:
    """Fence this process in; the names of the fences that stand.

    :param workspace: the only folder it may write in.
    :param readable: code it may still have to load.
    """
    _limits()
    libc = ctypes.CDLL(None, use_errno=True)
    standing = ["limits"]
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return tuple(standing)
    if _files(libc, workspace, readable):
        standing.append("files")
    if _calls(libc):
        standing.append("calls")
    return tuple(standing)


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


def give_time() -> None:
    """From now on, the process may compute for as long as one file may take; then the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (min(spent + CPU_SECONDS, CHILD_SECONDS), CHILD_SECONDS))


def is_worn(statm: int) -> bool:
    """Whether so much of its memory or time is used that the next file would not have its full share.

    :param statm: this process's `/proc/self/statm`, opened before the fence closed. The peak that `getrusage` tells is no use: a child
        inherits its parent's.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    size = int(os.pread(statm, 64, 0).split()[0]) * resource.getpagesize()
    return size > WORN_BYTES or used.ru_utime + used.ru_stime > CHILD_SECONDS - CPU_SECONDS


def code_folders(package: Path) -> tuple[Path, ...]:
    """Where Python and its libraries lie, and nothing else."""
    found = {package, Path(sys.prefix) / "lib", Path(sys.base_prefix) / "lib", Path("/usr/lib"), Path("/lib"), Path("/lib64"), Path("/dev/null"), Path("/dev/urandom")}
    return tuple(sorted(path for path in found if path.exists()))


def _files(libc: ctypes.CDLL, workspace: Path, readable: tuple[Path, ...]) -> bool:
    version = libc.syscall(LANDLOCK[0], None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0) | (1 << 15 if version >= 5 else 0)
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    attributes = struct.pack("QQQ", handled, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = libc.syscall(LANDLOCK[0], attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        ok = all(_allow(libc, ruleset, path, (READ | LIST) & handled) for path in readable)
        return ok and _allow(libc, ruleset, workspace, WORK & handled) and libc.syscall(LANDLOCK[2], ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> bool:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights if path.is_dir() else rights & ~LIST, beneath)
        return bool(libc.syscall(LANDLOCK[1], ruleset, 1, rule, 0) == 0)
    finally:
        os.close(beneath)


def _calls(libc: ctypes.CDLL) -> bool:
    """A filter that refuses the calls of `REFUSED_CALLS`, and new processes but not new threads."""
    machine = platform.machine()
    if machine not in REFUSED_CALLS or sys.byteorder != "little":
        return False
    clone, clone3 = CLONE[machine]
    program = [
        (0x20, 0, 0, 4), (0x15, 1, 0, ARCHITECTURE[machine]), (0x06, 0, 0, KILL),  # another architecture's call numbers: end
        (0x20, 0, 0, 0),
    ]
    if machine == "x86_64":
        program += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, KILL)]  # the x32 numbers of the same calls
    for number in REFUSED_CALLS[machine]:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, REFUSE)]
    program += [(0x15, 0, 1, clone3), (0x06, 0, 0, 0x00050026)]  # ENOSYS: the C library then uses clone, whose flags can be seen
    program += [(0x15, 0, 3, clone), (0x20, 0, 0, 16), (0x45, 1, 0, CLONE_THREAD), (0x06, 0, 0, REFUSE)]
    program += [(0x06, 0, 0, ALLOW)]
    code = b"".join(struct.pack("=HBBI", *line) for line in program)
    held = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    return bool(libc.prctl(SET_SECCOMP, FILTER, header, 0, 0) == 0)
