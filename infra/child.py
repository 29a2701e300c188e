"""Becomes a part that cannot outlive the supervisor: asks the kernel for SIGKILL at its parent's death, then execs.

    python -I child.py SUPERVISOR_PID COMMAND...

A process of its own, since code between fork and exec is unsafe in a program with threads. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    supervisor, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before we asked
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
