"""Becomes a process that cannot outlive its parent: asks the kernel for a signal at the parent's death, then execs.

    python -I child.py PARENT_PID SIGNAL COMMAND...

A process of its own, since code between fork and exec is unsafe in a program with threads. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def bound_to_us(number: int) -> tuple[str, ...]:
    """What to put before a command, so that its process gets this signal when we die."""
    return (sys.executable, "-I", __file__, str(os.getpid()), str(int(number)))


def main() -> None:
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
