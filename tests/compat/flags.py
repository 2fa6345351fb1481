"""Random command lines and shell scripts for a profile: all commands, all options."""

import re

PLAIN = ["top"] * 6 + ["text"] * 2 + ["tree"] * 4 + ["traces"] * 3 + ["tags"] * 3 + ["raw"] * 3 + ["comments"]
PLAIN += ["dot"] * 5 + ["callgrind"] * 3 + ["proto"] * 3 + ["topproto"] * 2
WITH_ARGUMENT = ["peek"] * 4 + ["list"] * 2 + ["disasm", "weblist"]
GRANULARITIES = ["functions", "filefunctions", "files", "lines", "addresses"]
UNITS = ["auto", "minimum", "ns", "us", "ms", "s", "seconds", "hrs", "B", "kb", "MB", "gb", "bytes", "GCU", "count", "foo", ""]
FILTERS = ["focus", "ignore", "hide", "show", "show_from", "prune_from"]
TAG_FILTERS = ["tagfocus", "tagignore"]
TAG_NAMES = ["tagshow", "taghide"]
BAD = ["(", "[a", "a**", "*", "(?z)", "\\8", "a{2001}", "(?P<n"]
SOURCE = "".join(f"line {n}\tof <code> & \"text\"\n" for n in range(1, 60))


class Words:
    """What a profile's reader could look for."""

    def __init__(self, p):
        self.names = [f["name"] for f in p["functions"]] + [f["file"] for f in p["functions"]]
        self.names += [m["file"] for m in p["mappings"]]
        self.names = [n for n in self.names if n] or ["main"]
        self.types = [t[0] for t in p["types"]]
        self.keys, self.values, self.numbers = set(), set(), set()
        for s in p["samples"]:
            for label in s["labels"]:
                self.keys.add(label[0])
                if len(label) == 2:
                    self.values.add(label[1])
                else:
                    self.numbers.add((label[0], label[1], label[2]))
        self.keys, self.values = sorted(self.keys) or ["none"], sorted(self.values) or ["none"]
        self.numbers = sorted(self.numbers) or [("bytes", 1024, "")]


def argument(s):
    """Arguments can't hold NUL."""
    return s.replace("\0", "")


def pattern(r, words):
    """A regular expression that has a chance to match one of the words."""
    form = r.random()
    if form < 0.04:
        return r.choice([".", ".*", "^$", "", "nothing_like_it", "^", "a|b", "(?i)MAIN", "\\bmain\\b", "[[:upper:]]", "\\.go$"])
    if form < 0.05:
        return r.choice(BAD)
    word = r.choice(words)
    if form < 0.2:
        return f"^{re.escape(word)}$"
    if form < 0.3:
        return f"{pattern(r, words)}|{re.escape(word)}"
    start = r.randrange(len(word))
    piece = re.escape(word[start : start + r.randint(1, 8)])
    return f"(?i){piece}" if form < 0.36 else piece


def tag_filter(r, w):
    form = r.random()
    if form < 0.45:
        key, number, unit = r.choice(w.numbers)
        unit = r.choice([unit, unit, "", "kb", "b", "ms"])
        low = number + r.choice([0, 0, -1, 1, -100])
        high = low + r.choice([0, 1, 1000, -5])
        text = r.choice([f"{low}{unit}", f"{low}{unit}:", f":{high}{unit}", f"{low}{unit}:{high}{unit}", f"{low}:{high}"])
        return f"{key}={text}" if r.random() < 0.4 else text
    text = ",".join(pattern(r, w.values) for _ in range(r.choice([1, 1, 2])))
    if form < 0.7:
        return f"{r.choice(w.keys)}={text}"
    return text if form < 0.9 else f"{re.escape(r.choice(w.keys))}:{text}"


def sample_index(r, w):
    if r.random() < 0.1:
        return r.choice(["-1", "7", "nothing", "inuse_" + w.types[0]])
    return r.choice([r.choice(w.types), r.choice(w.types), "0", str(len(w.types) - 1)])


def option(r, w):
    """One option as (name, value); value None: a boolean that is set."""
    group = r.choice(["filter", "filter", "tag", "tag names", "roots", "values", "graph", "graph", "look", "sort", "rare"])
    if group == "filter":
        return r.choice(FILTERS), pattern(r, w.names)
    if group == "tag":
        return r.choice(TAG_FILTERS), tag_filter(r, w)
    if group == "tag names":
        return r.choice(TAG_NAMES), pattern(r, w.keys)
    if group == "roots":
        keys = ",".join(r.choice(w.keys + ["absent", ""]) for _ in range(r.choice([1, 1, 2])))
        return r.choice(["tagroot", "tagleaf"]), keys
    if group == "values":
        return r.choice([("sample_index", sample_index(r, w)), ("sample_index", sample_index(r, w)), ("mean", None),
                         ("unit", r.choice(UNITS)), ("unit", r.choice(UNITS)), ("divide_by", r.choice(["2", "10", "0.5", "3", "0", "-1", "1e3", "x"]))])
    if group == "graph":
        return r.choice([("nodecount", r.choice(["0", "1", "2", "3", "5", "10", "-1", "80"])), ("nodefraction", r.choice(["0", "0.01", "0.1", "0.5", "1"])),
                         ("edgefraction", r.choice(["0", "0.05", "0.3", "1"])), ("trim", "false"), ("call_tree", None),
                         ("drop_negative", None), ("noinlines", None)])
    if group == "look":
        return r.choice([(r.choice(GRANULARITIES), None), (r.choice(GRANULARITIES), None), ("showcolumns", None),
                         ("relative_percentages", None), ("compact_labels", None)])
    if group == "sort":
        return r.choice([("cum", None), ("cum", None), ("flat", None)])
    return r.choice([("add_comment", "noted"), ("buildid", "0123abc"), ("intel_syntax", None), ("source_path", "src"), ("trim_path", "/home/u:/usr"),
                     ("normalize", None), ("trim", "maybe"), ("nodecount", "many"), ("alloc_space", None), ("inuse_space", None),
                     ("contentions", None), ("mean_delay", None), ("total_delay", None), ("no_such_flag", "1"), ("tools", "nowhere"),
                     ("sort", "cum"), ("granularity", "lines"), ("output", "out.file"), ("symbolize", r.choice(["none", "fastlocal", "local", "force", "demangle=full", "demangle=templates", "remote", "odd"]))])


def command_line(r, w, sources, base):
    """(arguments, script for standard input or None) of one run."""
    if r.random() < 0.12:
        args = [flag(r, *option(r, w)) for _ in range(r.choice([0, 0, 1]))]
        return [*args, *base_flags(r, base), *sources], script(r, w)
    options = [option(r, w) for _ in range(min(6, int(r.expovariate(0.6))))]
    args = [flag(r, name, value) for name, value in options]
    if r.random() < 0.13:
        args.append(f"-{r.choice(WITH_ARGUMENT)}={pattern(r, w.names)}")
        if args[-1].startswith("-weblist"):  # else it opens a browser
            args.append("-output=out.file")
    else:
        args.append("-" + r.choice(PLAIN))
    if r.random() < 0.005:
        args.append("-top")
    args += base_flags(r, base)
    r.shuffle(args)
    return [*map(argument, args), *sources], None


def base_flags(r, base):
    if not base:
        return []
    flags = [f"-{r.choice(['base', 'diff_base', 'diff_base'])}={b}" for b in base[:1]]
    return flags + (["-normalize"] if r.random() < 0.3 else [])


def flag(r, name, value):
    if value is None:
        return r.choice([f"-{name}", f"-{name}", f"--{name}", f"-{name}=true"])
    return r.choice([f"-{name}={value}", f"-{name}={value}", f"--{name}={value}"])


def script(r, w):
    """What someone types into the shell; no words with spaces or newlines in it."""
    lines = []
    for _ in range(r.randint(1, 6)):
        form = r.random()
        if form < 0.35:
            name, value = option(r, w)
            lines.append(name if value is None else f"{name}={value}" + r.choice(["", "", " //: why"]))
        elif form < 0.75:
            lines.append(typed(r, w))
        else:
            lines.append(r.choice(["o", "options", ":", "help top", "help focus", "help nothing", "help", "nonsense", "focus", "list", "top10",
                                   "tree 3", "", "  ", r.choice(w.types), "mean_" + w.types[-1], "total_" + w.types[0], "sample_index=9",
                                   "trim", "nodecount", "cum", "granularity=lines", "sort=cum", "q", "top >"]))
    return "\n".join(argument(line).replace("\n", " ").replace("\r", " ") for line in lines) + r.choice(["\n", ""])


def typed(r, w):
    plain = ["top", "top", "text", "tree", "traces", "tags", "raw", "dot", "comments", "top5"]
    command = r.choice(plain) if r.random() < 0.75 else f"peek {pattern(r, w.names)}"
    for _ in range(r.choice([0, 0, 1, 2])):
        command += " " + r.choice([str(r.randint(0, 9)), pattern(r, w.names), "-" + pattern(r, w.names), "-cum", "--cum"])
    return command + (r.choice([" >out.file", " > out.file"]) if r.random() < 0.06 else "")
