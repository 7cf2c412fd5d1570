"""A command whose file locks are refused by the system, as on a share without a lock service.

`python -m tests.faults.locks_refused ENOLCK COMMAND …`: a filter of system calls (seccomp), which ends with the
process, answers flock and the locks of fcntl with that error. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

FLOCK_FCNTL = {"x86_64": (73, 72), "aarch64": (32, 25)}
LOCK_COMMANDS = (5, 6, 7, 36, 37, 38)  # F_GETLK, F_SETLK, F_SETLKW, and those of open file descriptions
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def refuse(number: int) -> None:
    """From here on, this process and its children get the error `number` for every lock on a file."""
    flock, fcntl = FLOCK_FCNTL[platform.machine()]
    tests = [(LOAD, 0, 0, 0), (EQUAL, len(LOCK_COMMANDS) + 3, 0, flock), (EQUAL, 0, len(LOCK_COMMANDS) + 1, fcntl)]
    tests += [(LOAD, 0, 0, 24)]  # fcntl's second argument
    tests += [(EQUAL, len(LOCK_COMMANDS) - n, 0, command) for n, command in enumerate(LOCK_COMMANDS)]
    tests += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO | number)]
    code = b"".join(struct.pack("HBBI", *test) for test in tests)
    program = struct.pack("HxxxxxxP", len(tests), ctypes.addressof(buffer := ctypes.create_string_buffer(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((NO_NEW_PRIVS, 1, 0, 0, 0), (SECCOMP, FILTER, program, 0, 0)):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), "prctl")
    del buffer  # it had to live until the kernel had copied it


if __name__ == "__main__":
    refuse(getattr(errno, sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the point of this command
