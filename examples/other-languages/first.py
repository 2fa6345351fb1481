#!/usr/bin/env python3
"""Labels, a profile of open things, and the heap of a Python program, through the C API.

    EVERPROF_OUT=first/ LD_PRELOAD=libeverprof.so python3 first.py

Python's own functions are the interpreter's code to a C profiler: the stacks are CPython's, and
the labels say which part of the program they were.
"""

import contextlib
import ctypes
import sys

lib = ctypes.CDLL("libeverprof.so.0")
lib.everprof_version.restype = ctypes.c_char_p
lib.everprof_labels_current.restype = ctypes.c_void_p
lib.everprof_labels_attach.argtypes = [ctypes.c_void_p]
lib.everprof_labels_attach.restype = ctypes.c_void_p
lib.everprof_labels_derive_v.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.POINTER(ctypes.c_char_p)]
lib.everprof_labels_derive_v.restype = ctypes.c_void_p
lib.everprof_profile_new.argtypes = [ctypes.c_char_p]
lib.everprof_profile_new.restype = ctypes.c_void_p
lib.everprof_profile_add.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint]
lib.everprof_profile_remove.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
lib.everprof_profile_count.argtypes = [ctypes.c_void_p]
lib.everprof_profile_count.restype = ctypes.c_size_t


@contextlib.contextmanager
def labels(**pairs):
    """with labels(endpoint="/search"): ..."""
    strings = [s.encode() for pair in pairs.items() for s in pair]
    array = (ctypes.c_char_p * len(strings))(*strings)
    derived = lib.everprof_labels_derive_v(lib.everprof_labels_current(), len(strings), array)
    before = lib.everprof_labels_attach(derived)
    try:
        yield
    finally:
        lib.everprof_labels_attach(before)


def work(n):
    return sum(i * i % 7 for i in range(n))


def main():
    rc = lib.everprof_start_sized(None, 0)
    if rc < 0:
        sys.exit(f"everprof_start: {rc}")
    jobs = lib.everprof_profile_new(b"open_jobs")
    for key, endpoint in enumerate(["/search", "/cart", "/search"], start=1):
        lib.everprof_profile_add(jobs, key, 0)
        with labels(endpoint=endpoint):
            work(1_000_000)
        lib.everprof_profile_remove(jobs, key)
    lib.everprof_profile_add(jobs, 99, 0)
    print(f"everprof {lib.everprof_version().decode()}, {lib.everprof_profile_count(jobs)} job open")
    lib.everprof_stop()


if __name__ == "__main__":
    main()
