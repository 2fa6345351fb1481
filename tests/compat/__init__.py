"""Is `everprof pprof` the same as `go tool pprof`?  Random profiles, random command lines.

tests/compat/run says how to use it; docs/pprof-compat.md what came of it.
"""
