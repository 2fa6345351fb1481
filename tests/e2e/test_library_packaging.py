"""What a C project finds when everprof is installed: names, versions, places, examples."""

import os
import re
import subprocess
import sys

import pytest

from harness import ROOT, need
from pprof import Profile
from test_library import run

MACHINE = os.uname().machine


@pytest.fixture(scope="session")
def installed(build, tmp_path_factory):
    """`meson install` into a folder of its own, as a packager does; its /usr/local."""
    destdir = tmp_path_factory.mktemp("install")
    command = [need("meson"), "install", "--no-rebuild", "-C", build, "--destdir", destdir]
    subprocess.run([str(c) for c in command], check=True, capture_output=True)
    return destdir / "usr/local"


@pytest.fixture(scope="session")
def libdir(installed):
    return next(installed.rglob("libeverprof.so")).parent


def test_the_abi_is_the_recorded_one(build, data):
    """CONTRIBUTING.md says what to do about a difference."""
    need("nm")
    recorded = data / "abi" / f"{MACHINE}.txt"
    if not recorded.exists():
        pytest.skip(f"no ABI is recorded for {MACHINE}")
    before = recorded.read_text().splitlines()
    now = subprocess.run([ROOT / "tools/abi", build], check=True, capture_output=True, text=True).stdout.splitlines()
    assert not set(before) - set(now), "programs that are compiled already rely on these"
    assert not set(now) - set(before), "new: record it"
    assert before == now


def test_every_function_of_the_header_is_exported_by_name_with_a_version(build):
    header = (ROOT / "include/everprof.h").read_text()
    code = re.sub(r"/\*.*?\*/|static inline [^;{]*;|static inline .*?\n}|^#.*?[^\\]$", "", header, flags=re.S | re.M)
    declared = set(re.findall(r"\b(everprof_\w+)\(", code))
    mapped = set(re.findall(r"^\t(\w+);", (ROOT / "src/inproc/libeverprof.map").read_text(), re.M))
    exported = run([need("nm"), "-D", "--defined-only", "--with-symbol-versions", build / "libeverprof.so"]).stdout
    assert len(declared) > 20
    assert declared == mapped == set(re.findall(r"(\w+)@@EVERPROF_0$", exported, re.M))


def test_what_is_installed_and_where(installed, libdir):
    for name in ("bin/everprof", "include/everprof.h", "include/everprof.hpp", "share/man/man1/everprof.1", "share/man/man3/everprof.h.3"):
        assert (installed / name).exists(), name
    names = {f.name for f in libdir.iterdir() if f.is_file()}
    assert {"libeverprof.a", "libeverprof.so", "libeverprof.so.0"} <= names
    assert (libdir / "libeverprof.so").resolve().name == "libeverprof.so.0.1.0"
    assert "[libeverprof.so.0]" in run([need("readelf"), "-d", libdir / "libeverprof.so"]).stdout


def test_pkg_config_links_a_program(installed, libdir, tmp_path):
    need("pkg-config")
    env = {"PKG_CONFIG_PATH": libdir / "pkgconfig", "PKG_CONFIG_SYSROOT_DIR": installed.parent.parent}
    p = run(["pkg-config", "--cflags", "--libs", "--print-errors", "everprof"], **env)
    assert p.returncode == 0, p.stderr
    program = tmp_path / "pool"
    subprocess.run(["cc", ROOT / "examples/pool/pool.c", "-o", program, "-pthread", *p.stdout.split()], check=True)
    assert run([program, 50], LD_LIBRARY_PATH=libdir).returncode == 0
    assert run(["pkg-config", "--modversion", "everprof"], **env).stdout.strip() == "0.1.0"


WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wcast-qual", "-Wwrite-strings", "-Werror"]
CXX_WARNINGS = WARNINGS + ["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]


@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("std", ["c99", "c11", "c17", "gnu17"])
def test_the_macros_in_odd_places_in_c_and_without_a_warning(installed, libdir, tmp_path, cc, std):
    source, program = ROOT / "tests/e2e/library/macros.c", tmp_path / "macros"
    flags = [f"-std={std}", *WARNINGS, f"-I{installed}/include", f"-L{libdir}", "-leverprof"]
    subprocess.run([need(cc), source, "-o", program, *flags], check=True)
    p = run([program], LD_LIBRARY_PATH=libdir)
    assert (p.returncode, p.stdout, p.stderr) == (0, "", "")


@pytest.mark.parametrize("cxx", ["g++", "clang++"])
@pytest.mark.parametrize("std", ["c++11", "c++17", "c++20"])
def test_the_headers_in_cxx_without_a_warning(installed, tmp_path, cxx, std):
    source = tmp_path / "x.cpp"
    source.write_text(
        "#include <everprof.hpp>\n"
        "template <class T> T f(T x, const std::string &path) {\n"
        '\tEVERPROF_LABELS("a", path.c_str()) { EVERPROF_WITH(nullptr) { return x; } }\n'
        '\teverprof::labels here{"a", path, "b", "c"};\n'
        '\teverprof::with nothing{nullptr};\n'
        '\teverprof::task t{"Job"};\n'
        '\teverprof::entry e{everprof_profile_lookup("jobs")};\n'
        "\treturn x;\n}\n"
        'int main() { return f(0, "/"); }\n'
    )
    subprocess.run([need(cxx), "-fsyntax-only", f"-std={std}", *CXX_WARNINGS, f"-I{installed}/include", source], check=True)


@pytest.mark.parametrize("cc,language", [("gcc", "c"), ("clang", "c"), ("g++", "c++"), ("clang++", "c++")])
@pytest.mark.parametrize(
    "labels,said",
    [
        ('"status", 200', "int"),
        ('"endpoint"', "everprof_labels_come_in_pairs_of_key_and_value"),
        ('"a", "1", "b"', "everprof_labels_come_in_pairs_of_key_and_value"),
        (", ".join(['"a", "1"'] * 9), "everprof_labels_takes_8_pairs_at_most"),
    ],
)
def test_labels_that_are_none_do_not_compile(installed, tmp_path, cc, language, labels, said):
    source = tmp_path / "x"
    source.write_text(f"#include <everprof.h>\nint main(void) {{ EVERPROF_LABELS({labels}) return 0; return 1; }}\n")
    flags = ["-fsyntax-only", "-x", language, "-Wall", "-Werror", f"-I{installed}/include"]
    p = run([need(cc), *flags, source])
    assert p.returncode and said in p.stderr


def check_open(text):
    """Of each place the number that is open there."""
    assert re.findall(r"^(\w+) profile: total (\d+)$", text, re.M) == [
        ("descriptors", "1"),
        ("requests", "3"),
        ("cache", "40"),
        ("workers", "3"),
    ]
    first = re.findall(r"^(\d+) @ .*\n(?:# labels: (.*)\n)?#\t\S+\t(\w+)\+", text, re.M)
    assert sorted(first) == sorted([
        ("1", "", "read_and_forget"),
        ("2", '{"endpoint":"/search"}', "handle"),
        ("1", '{"endpoint":"/cart"}', "handle"),
        ("30", "", "fill_for_search"),
        ("10", "", "fill_for_cart"),
        ("3", "", "start_pool"),
    ])


def test_cmake_builds_the_examples_shared_and_static(installed, libdir, tmp_path):
    cmake = need("cmake")
    p = run([cmake, "-G", "Ninja", "-S", ROOT / "examples", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={installed}",
             "-DCMAKE_BUILD_TYPE=Release"])  # where last calls are jumps
    assert p.returncode == 0, p.stderr
    p = run([cmake, "--build", tmp_path])
    assert p.returncode == 0, p.stdout + p.stderr
    for program in ("pool", "pool-static"):
        p = run([tmp_path / program, 50])
        assert (p.returncode, p.stderr) == (0, "")
    p = run([tmp_path / "open"])
    assert (p.returncode, p.stderr) == (0, "")
    check_open(p.stdout)
    needed = run([need("readelf"), "-d", tmp_path / "pool"]).stdout
    assert "libeverprof.so.0" in needed
    assert "libeverprof" not in run(["readelf", "-d", tmp_path / "pool-static"]).stdout


@pytest.mark.parametrize("version,found", [("0.1", True), ("0.1.0", True), ("0.2", False), ("1.0", False)])
def test_cmake_is_told_which_versions_this_one_replaces(installed, tmp_path, version, found):
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.16)\nproject(x C)\nfind_package(everprof {version} REQUIRED)\n"
    )
    p = run([need("cmake"), "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "b", f"-DCMAKE_PREFIX_PATH={installed}"])
    assert (p.returncode == 0) == found, p.stderr


def check_first(p, folder):
    assert (p.returncode, p.stdout, p.stderr) == (0, "everprof 0.1.0, 1 job open\n", "")
    endpoints = Profile(folder / "cpu.pb.gz").shares_by_label("endpoint")
    assert endpoints["/search"] > endpoints["/cart"] > 0.1
    assert Profile(folder / "open_jobs.pb.gz").total("open_jobs") == 1


def test_python_through_the_c_api(libdir, tmp_path):
    env = {"LD_LIBRARY_PATH": libdir, "LD_PRELOAD": libdir / "libeverprof.so.0"}
    p = run([sys.executable, ROOT / "examples/other-languages/first.py"], EVERPROF_OUT=f"{tmp_path}/out/", **env)
    check_first(p, tmp_path / "out")


def test_rust_through_the_c_api(libdir, tmp_path):
    rustc = need("rustc")
    if subprocess.run([rustc, "--version"], capture_output=True).returncode:
        pytest.skip("rustc has no toolchain")
    source, program = ROOT / "examples/other-languages/first.rs", tmp_path / "first"
    flags = ["--edition=2021", "-g", "-O", "-L", libdir, "-l", "everprof"]
    subprocess.run([rustc, *flags, source, "-o", program], check=True)
    check_first(run([program], EVERPROF_OUT=f"{tmp_path}/out/", LD_LIBRARY_PATH=libdir), tmp_path / "out")
