"""operator new and delete in all forms, over allocators that bring their own: each object is
counted once, goes back to who made it, and a program without memory is told as ever."""

import ctypes.util
import subprocess

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import SOURCES, compiled, run  # noqa: F401  (compiled is a fixture)

ALLOCATORS = [None, "jemalloc", "tcmalloc_minimal"]
HOW = ["preloaded", "shared", "static"]  # how libeverprof gets in


def library(name):
    found = ctypes.util.find_library(name)
    if not found:
        pytest.skip(f"lib{name} is not installed")
    return found


def archive(name):
    need("cc")
    path = subprocess.run(["cc", f"-print-file-name=lib{name}.a"], capture_output=True, text=True).stdout.strip()
    if "/" not in path:
        pytest.skip(f"lib{name}.a is not installed")
    return path


@pytest.fixture(scope="module")
def built(build, tmp_path_factory):
    """built(FLAGS…): new.cpp compiled that way."""
    folder, programs = tmp_path_factory.mktemp("new"), {}

    def program(*flags):
        if flags not in programs:
            out = folder / f"new{len(programs)}"
            command = [need("g++"), "-std=c++17", "-O2", "-g", "-pthread", SOURCES / "new.cpp", "-o", out, *flags]
            subprocess.run([str(c) for c in command], check=True)
            programs[flags] = out
        return programs[flags]

    return program


def linked(build, how):
    starts = ("-DSTARTS", f"-I{ROOT}/include")
    return {
        "preloaded": (),
        "shared": (*starts, f"-L{build}", "-leverprof", f"-Wl,-rpath,{build}"),
        "static": (*starts, str(build / "libeverprof.a")),
    }[how]


def check(argv, folder, build, preload, how="preloaded"):
    """As without profiling; what was printed of each form, and what the profile says of it."""
    plain = run(argv, LD_PRELOAD=" ".join(preload))
    assert (plain.returncode, plain.stderr) == (0, "")
    ours = [str(build / "libeverprof.so")] if how == "preloaded" else []
    p = run(argv, EVERPROF_TYPES="heap", EVERPROF_HEAP_BYTES=1, EVERPROF_OUT=f"{folder}/",
            LD_PRELOAD=" ".join(ours + preload))  # fmt: skip
    assert (p.returncode, p.stdout, p.stderr) == (0, plain.stdout, "")
    forms = [line.split() for line in p.stdout.splitlines() if line.startswith("form_")]
    assert len(forms) == 12
    profile, found = Profile(folder / "heap.pb.gz"), {}
    for s in profile.samples:
        for f in {f for f in s.stack if f.startswith("form_")}:
            found[f] = [a + b for a, b in zip(found.get(f, [0] * 4), s.values)]
    return forms, found


def exactly(forms):
    return {f: [2, int(allocated), 1, int(live)] for f, allocated, live in forms}


@pytest.mark.parametrize("allocator", ALLOCATORS)
@pytest.mark.parametrize("how", HOW)
def test_each_form_is_counted_once(built, build, tmp_path, allocator, how):
    if allocator and how == "shared":
        pytest.skip("what is preloaded comes before what is linked: its malloc is out of sight")
    preload = [library(allocator)] if allocator else []
    program = built(*linked(build, how))
    forms, found = check([program], tmp_path / "out", build, preload, how)
    assert found == exactly(forms)


@pytest.mark.parametrize("allocator", ALLOCATORS[1:])
def test_an_allocator_that_is_linked(built, build, tmp_path, allocator):
    program = built("-Wl,--no-as-needed", f"-l:{library(allocator)}")
    forms, found = check([program], tmp_path / "out", build, [])
    assert found == exactly(forms)


@pytest.mark.parametrize("how", HOW)
def test_a_program_that_replaces_them_is_seen_at_its_malloc(built, build, tmp_path, how):
    forms, found = check([built("-DREPLACED", *linked(build, how))], tmp_path / "out", build, [], how)
    for form, allocated, live in forms:
        objects, n_bytes, live_objects, live_bytes = found[form]
        assert (objects, live_objects) == (2, 1), form
        assert int(live) < live_bytes <= int(live) + 3 * 256 and n_bytes == 2 * live_bytes


def test_a_runtime_of_its_own(built, build, tmp_path):
    forms, found = check([built("-static-libstdc++", "-static-libgcc")], tmp_path / "out", build, [])
    assert found == exactly(forms)


@pytest.mark.parametrize("allocator", [None, "tcmalloc_minimal"])
@pytest.mark.parametrize("more", [(), ("-DREPLACED",), ("-static-libstdc++", "-static-libgcc")])
def test_a_library_that_a_program_in_c_opens(built, compiled, build, tmp_path, allocator, more):  # noqa: F811
    """Only the library can see libstdc++, and it allocates before anybody looked at its code.
    (jemalloc's aligned forms call its malloc, which is seen with no more than itself then.)"""
    preload = [library(allocator)] if allocator else []
    plugin = built("-DLIBRARY", "-shared", "-fPIC", *more)
    forms, found = check([compiled("opens", linked=False), plugin], tmp_path / "out", build, preload)
    for form, allocated, live in forms:
        assert found[form][0::2] == [2, 1], form
        assert found[form][3] >= int(live)


@pytest.mark.parametrize("allocator", ["jemalloc", "tcmalloc_minimal"])
def test_an_allocator_inside_the_program_is_out_of_sight_and_it_is_said(built, build, tmp_path, allocator):
    program = built(archive(allocator), "-lstdc++", "-ldl", "-lm")
    log = tmp_path / "log"
    plain = run([program])
    p = run([program], EVERPROF_TYPES="heap", EVERPROF_HEAP_BYTES=1, EVERPROF_OUT=f"{tmp_path}/out/", EVERPROF_LOG=log,
            LD_PRELOAD=build / "libeverprof.so")  # fmt: skip
    assert (p.returncode, p.stdout, p.stderr) == (0, plain.stdout, "")
    assert "malloc" in log.read_text()
    assert not (tmp_path / "out/heap.pb.gz").exists()
