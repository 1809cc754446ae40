"""Clocks that jump: the wall clock must not matter, whichever way it goes.

A library that is loaded before all others adds an offset to the wall clock of the process and of all that it starts; the monotonic clock
stays as it is, as when somebody sets the machine's clock. (libfaketime 0.9.10 cannot do that: Python's sleep fails under it.)
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from benchmarks.chaos.case import Stage, case
from benchmarks.chaos.place import must

DAYS = 24 * 3600
SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile long *offset;
__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("CLOCK_OFFSET");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *seen = file < 0 ? MAP_FAILED : mmap(0, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    if (seen != MAP_FAILED) offset = seen;
    if (file >= 0) close(file);
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, id, now);
    if (!failed && offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
    return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) { now->tv_sec = exact.tv_sec; now->tv_usec = exact.tv_nsec / 1000; }
    return 0;
}
time_t time(time_t *out) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out) *out = exact.tv_sec;
    return exact.tv_sec;
}
"""


@case("clock-forward", "the wall clock jumps ten years ahead in the middle of a search", "cc")
def forward(stage: Stage) -> str:
    """No limit of time is reached, no box is taken for abandoned."""
    return _jumped(stage, 3650 * DAYS)


@case("clock-back", "the wall clock jumps ten years back in the middle of a search", "cc", quick=False)
def back(stage: Stage) -> str:
    """The same."""
    return _jumped(stage, -3650 * DAYS)


def _jumped(stage: Stage, seconds: int) -> str:
    with stage.place() as made:
        offset = made.folder / "offset"
        offset.write_bytes(struct.pack("l", 0))
        made.environ |= {"LD_PRELOAD": str(_shim(made.folder)), "CLOCK_OFFSET": str(offset)}
        running = made.fix()
        running.until_nodes(3)
        with offset.open("r+b") as file:
            file.write(struct.pack("l", seconds))
        running.ends(0)
        took = float(running.events[-1]["seconds"])
        must(0 < took < 600, f"it says that it took {took} s")
        seen = subprocess.run(["date", "+%Y"], env=made.environment(), capture_output=True, text=True, check=True).stdout.strip()
        real = subprocess.run(["date", "+%Y"], capture_output=True, text=True, check=True).stdout.strip()
        must(abs(int(seen) - int(real)) >= 9, f"the clock did not jump: {seen}")
        made.environ.clear()
        stage.whole(made)
        return f"the run does not notice: the same result, after {took:.0f} s by its own count"


def _shim(folder: Path) -> Path:
    """The library, compiled."""
    made = folder / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(made)], input=SHIM.encode(), check=True)
    return made
