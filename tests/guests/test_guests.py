"""Programs that never heard of us pass the same of their own tests with the library preloaded
and every kind of profile on."""

import pytest

import suites
from harness import need


def suite_of(name):
    try:
        return suites.SUITES[name]()
    except suites.Missing as e:
        pytest.skip(str(e))


def check(name, cases, build, tmp_path):
    plain, differ = suites.compare(suite_of(name), cases, tmp_path, build / "libeverprof.so")
    good = sum(o in ("ok", "passed") for o in plain.values())
    print(f"{name}: {len(plain)} outcomes, {good} of them good, {len(differ)} differ")
    assert good > 20 and differ == {}


@pytest.mark.parametrize("name", suites.SUITES)
def test_some_of_its_tests(name, build, tmp_path):
    check(name, suites.SUITES[name].SHORT, build, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", suites.SUITES)
def test_its_tests(name, build, tmp_path):
    check(name, suites.SUITES[name].LONG, build, tmp_path)


# Tests without signals of their own: whatever is broken off, we broke off.
QUIET = {"cpython": ["test_select", "test_thread", "test_queue"], "redis": ["unit/type/list"]}


@pytest.mark.long
@pytest.mark.parametrize("name", suites.SUITES)
def test_the_tracer_sees_no_more_calls_broken_off(name, build, tmp_path):
    need("strace")
    suite = suite_of(name)
    alone, early_alone = suites.broken_off(suite, QUIET[name], tmp_path / "plain")
    both, early = suites.broken_off(suite, QUIET[name], tmp_path / "with", build / "libeverprof.so")
    print(f"{name}: calls broken off: {len(early_alone)} alone, {len(early)} with the library")
    assert suites.differing(alone, both) == {}
    assert len(early) <= len(early_alone), early[:20]
