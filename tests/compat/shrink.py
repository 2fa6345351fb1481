"""A failing case made small: as long as it fails in the same way, leave things out."""

import copy

from compat import model


def shrink(case, fails, tries=400):
    """The smallest case found for which fails(case) holds."""
    left = tries

    def attempt(candidate):
        nonlocal left, case
        if left <= 0:
            return False
        left -= 1
        try:
            good = fails(candidate)
        except (KeyError, IndexError, ValueError):
            return False
        if good:
            case = candidate
        return good

    changed = True
    while changed and left > 0:
        changed = False
        for step in (_arguments, _script, _files, _samples, _stacks, _lines, _labels, _columns, _words, _numbers):
            for candidate in step(lambda: case):
                changed |= attempt(candidate)
    return case


def _with_profile(case, name, p):
    return {**case, "files": {**case["files"], name: p}}


def _arguments(now):
    for i in reversed(range(len(now()["args"]))):
        args = now()["args"]
        if i < len(args) and (args[i].startswith("-") or len([a for a in args if not a.startswith("-")]) > 1):
            yield {**now(), "args": args[:i] + args[i + 1 :]}


def _script(now):
    if now()["stdin"] is None:
        return
    for i in reversed(range(len(now()["stdin"].split("\n")))):
        lines = now()["stdin"].split("\n")
        if i < len(lines):
            yield {**now(), "stdin": "\n".join(lines[:i] + lines[i + 1 :])}


def _files(now):
    for name in list(now()["files"]):
        if not any(name in a for a in now()["args"]):
            yield {**now(), "files": {k: v for k, v in now()["files"].items() if k != name}}
    yield {**now(), "zone": "UTC"}


def _samples(now):
    for name in list(now()["files"]):
        size = max(1, len(now()["files"][name]["samples"]) // 2)
        while size:
            at = 0
            while at < len(now()["files"].get(name, {}).get("samples", [])):
                p = now()["files"][name]
                before = len(p["samples"])
                yield _with_profile(now(), name, model.compact({**p, "samples": p["samples"][:at] + p["samples"][at + size :]}))
                if len(now()["files"][name]["samples"]) == before:
                    at += size
            size //= 2


def _each(now, table):
    """(profile's name, index) of each element, from the last on."""
    for name in list(now()["files"]):
        for i in reversed(range(len(now()["files"][name][table]))):
            if i < len(now()["files"][name][table]):
                yield name, i


def _changed(now, name, change):
    p = copy.deepcopy(now()["files"][name])
    change(p)
    return _with_profile(now(), name, model.compact(p))


def _stacks(now):
    for name, i in _each(now, "samples"):
        for at in reversed(range(len(now()["files"][name]["samples"][i]["locs"]))):
            if at < len(now()["files"][name]["samples"][i]["locs"]):
                yield _changed(now, name, lambda p: p["samples"][i]["locs"].pop(at))


def _lines(now):
    for name, i in _each(now, "locations"):
        for at in reversed(range(len(now()["files"][name]["locations"][i]["lines"]))):
            if i >= len(now()["files"][name]["locations"]) or at >= len(now()["files"][name]["locations"][i]["lines"]):
                break
            yield _changed(now, name, lambda p: p["locations"][i]["lines"].pop(at))


def _labels(now):
    for name, i in _each(now, "samples"):
        for at in reversed(range(len(now()["files"][name]["samples"][i]["labels"]))):
            if at >= len(now()["files"][name]["samples"][i]["labels"]):
                continue
            yield _changed(now, name, lambda p: p["samples"][i]["labels"].pop(at))


def _columns(now):
    def drop(p, at):
        p["types"].pop(at)
        for s in p["samples"]:
            s["values"].pop(at)

    for name, i in _each(now, "types"):
        if len(now()["files"][name]["types"]) > 1:
            yield _changed(now, name, lambda p: drop(p, i))


def _words(now):
    for name in list(now()["files"]):
        for key, blank in model.empty().items():
            if key not in ("types", "samples", "locations", "functions", "mappings") and now()["files"][name].get(key) != blank:
                yield _changed(now, name, lambda p: p.update({key: blank}))
    for name, i in _each(now, "functions"):
        for key, blank in {"name": "f", "system": "", "file": "", "start": 0}.items():
            value = f"f{i}" if key == "name" else blank
            if now()["files"][name]["functions"][i][key] != value:
                yield _changed(now, name, lambda p: p["functions"][i].update({key: value}))


def _numbers(now):
    for name, i in _each(now, "samples"):
        p = now()["files"][name]
        if p["samples"][i]["values"] != [i + 1] * len(p["types"]):
            yield _changed(now, name, lambda p: p["samples"][i].update(values=[i + 1] * len(p["types"])))
    for name, i in _each(now, "locations"):
        for key, blank in {"address": 0, "mapping": None, "folded": False}.items():
            if now()["files"][name]["locations"][i][key] != blank:
                yield _changed(now, name, lambda p: p["locations"][i].update({key: blank}))
        lines = [[f, 0, 0] for f, _, _ in now()["files"][name]["locations"][i]["lines"]]
        if now()["files"][name]["locations"][i]["lines"] != lines:
            yield _changed(now, name, lambda p: p["locations"][i].update(lines=lines))
    for name, i in _each(now, "mappings"):
        for key, blank in {"file": "", "build_id": "", "offset": 0}.items():
            if now()["files"][name]["mappings"][i][key] != blank:
                yield _changed(now, name, lambda p: p["mappings"][i].update({key: blank}))
