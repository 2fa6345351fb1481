"""Random profiles from a seed: everything the format allows and real profilers write."""

from compat import model

CXX = [
    "main", "std::vector<int, std::allocator<int> >::push_back(int const&)",
    "(anonymous namespace)::helper(int)", "a::(anonymous namespace)::Worker::run()",
    "ns::Map<std::string, ns::Pair<int, (anonymous namespace)::T> >::operator()(int) const",
    "operator new(unsigned long)", "std::function<void (int)>::operator()(int) const",
    "std::map<int, char>::operator[](int&&)", "bool operator< <char>(Str<char> const&, Str<char> const&)",
    "foo::Bar<lambda(int)>::~Bar()", "_ZN3foo3barEv", "malloc", "free", "__libc_start_main", "void f<int>(int)",
]
GO = [
    "main.main", "runtime.mallocgc", "runtime.gopanic", "net/http.(*conn).serve",
    "example.com/shop/v2/internal/api.(*Server).Handle.func1", "github.com/a/b-c.d/pkg/v3.Do[...]",
    "main.Map[go.shape.int,go.shape.string].Get", "slices.SortFunc[go.shape.[]uint8]",
    "gopkg.in/yaml%2ev3.Unmarshal", "main.init.0", "main.(*T).M-fm", "type:.eq.main.pair", "runtime.goexit",
]
RUST = [
    "core::ops::function::FnOnce::call_once{{vtable.shim}}", "<alloc::vec::Vec<T> as core::iter::Extend<T>>::extend",
    "<&mut F as core::ops::FnMut<A>>::call_mut", "tokio::runtime::task::raw::poll::h0123456789abcdef",
    "std::rt::lang_start::{{closure}}", "_RNvCs1234_7mycrate4main", "<T as core::convert::Into<U>>::into",
]
JAVA = [
    "java.util.concurrent.ThreadPoolExecutor$Worker.run", "com.example.Shop.lambda$main$0", "java.lang.Thread.run()V",
    "com.foo.Bar.<init>", "org.example.A_B.c", "com.google.common.base.Joiner.on(Ljava/lang/String;)V",
]
OTHER = [
    "", " ", "a b", 'say "hi"', "back\\slash", "tab\there", "line\nbreak", "naïve", "日本語::関数", "🔥", "bad\udcff\udcfename",
    "<module>", "handler.<locals>.inner", "(anonymous)", "Array.map", "./a.js:render:10", "x" * 150, "[kernel]", "%s%d",
    "a.b.c.d.e", "::lead", "trail::", ".dot", "a/b/c", "...", "[...]", "f(int)(char)", "<b>&amp;</b>", "$1", "-dash", "0x10",
]
FILES = [
    "", "main.go", "/usr/src/app/main.go", "/home/u/src/lib/util.cc", "src/../lib/a.c", "./b.c", "/a//b/./c.h",
    "C:\\src\\win.cpp", "/proc/self/cwd/./base/x.cc", "/proc/self/cwd/y.cc", "/with space/f.py", "ünï.rs",
    "<string>", "[eval]", "bad\udcc3.c", "/go/pkg/mod/github.com/a/b@v1.2.3/c.go", "..", "/", "src/a.c", "src/b.c",
]
MAPS = [
    "", "/usr/bin/shop", "/usr/lib/x86_64-linux-gnu/libc.so.6.none", "[vdso]", "[kernel.kallsyms]", "//anon", "app", "/opt/My App/bin",
    "/memfd:jit (deleted)", "bad\udcff.so", "/usr/lib/libmüsli.so.1",
]
TYPES = [
    ["samples", "count"], ["cpu", "nanoseconds"], ["wall", "microseconds"], ["alloc_objects", "count"],
    ["alloc_space", "bytes"], ["inuse_objects", "count"], ["inuse_space", "bytes"], ["contentions", "count"],
    ["delay", "nanoseconds"], ["delay", "milliseconds"], ["space", "kb"], ["cycles", "count"], ["gcu", "GCU"],
    ["events", "samples"], ["odd", "widgets"], ["plain", ""], ["cpu", "seconds"], ["mem", "mebibytes"], ["t", "s"],
]
KINDS = [
    [["samples", "count"], ["cpu", "nanoseconds"]],
    [["alloc_objects", "count"], ["alloc_space", "bytes"], ["inuse_objects", "count"], ["inuse_space", "bytes"]],
    [["contentions", "count"], ["delay", "nanoseconds"]], [["goroutine", "count"]], [["wall", "microseconds"]],
    [["objects", "count"], ["space", "bytes"]],
]
KEYS = ["endpoint", "tenant", "thread", "bytes", "request", "alignment", "kind", "span id", "clé", "x.y", "latency", "size"]
WORDS = [
    "/search", "eu-1", "a", "b", "worker-1", "worker-2", "true", "x=y", "a,b", "long " * 8, "ünï", "1kb", "0", "v1:v2", 'q"q',
    "<b>", "bad\udcfe",
]
UNITS = ["", "", "bytes", "kb", "MB", "nanoseconds", "ms", "seconds", "widgets", "count", "hours"]
EDGES = [0, 1, -1, 999, 1000, 1023, 1024, 1025, 1 << 20, 10**9, -(10**9), 3_600_000_000_000, 123_456_789_012, 1 << 40]


def value(r, style):
    if style == "small":
        return r.randint(0, 20)
    if style == "spread":
        return int(10 ** r.uniform(0, 12))
    if style == "negative":
        return r.randint(-1000, 1000)
    return r.choice(EDGES)


def names(r):
    pools = [CXX, GO, RUST, JAVA, OTHER]
    if r.random() < 0.4:
        return r.choice(pools[:4])
    return [n for p in r.sample(pools, r.randint(1, 5)) for n in p]


def functions(r, p):
    pool, files = names(r), r.sample(FILES, r.randint(1, 6))
    for _ in range(r.choice([1, 2, 3, 5, 8, 12, 20])):
        name = r.choice(pool)
        system = name if r.random() < 0.8 else r.choice(["_ZN3foo3barEv", "", name + ".sys"])
        start = r.choice([0, 0, 1, 10, r.randint(1, 500)])
        p["functions"].append({"name": name, "system": system, "file": r.choice(files), "start": start})


def mappings(r, p):
    base = 0x400000
    for file in r.sample(MAPS, r.choice([0, 1, 1, 1, 2, 4])):
        size = r.choice([0x1000, 0x10000, 0x1234])
        flags = [True] * 4 if r.random() < 0.7 else [r.random() < 0.5 for _ in range(4)]
        p["mappings"].append(
            {"start": base, "limit": base + size, "offset": r.choice([0, 0, 0x1000]), "file": file,
             "build_id": r.choice(["", "abcdef0123456789", "ff" * 20]), "flags": flags}
        )
        base += size + r.choice([0, 0x100000, 0x7F0000000000 if base < 1 << 40 else 0x10000])


def locations(r, p, style):
    columns, unnamed = r.random() < 0.2, r.choice([0, 0, 0.2])
    for i in range(r.choice([1, 2, 3, 5, 8, 15, 30])):
        m = r.randrange(len(p["mappings"])) if p["mappings"] and r.random() < 0.9 else None
        low, high = (p["mappings"][m]["start"], p["mappings"][m]["limit"]) if m is not None else (0x1000, 0x9000)
        address = 0 if style == "no addresses" else r.randrange(low, high)
        lines = []
        for _ in range(r.choice([1, 1, 1, 1, 2, 3]) if r.random() >= unnamed else 0):
            f = r.randrange(len(p["functions"]))
            line = r.choice([0, p["functions"][f]["start"] + r.randint(0, 12), r.randint(1, 40)])
            lines.append([f, line, r.randint(0, 80) if columns else 0])
        p["locations"].append({"address": address, "mapping": m, "lines": lines, "folded": r.random() < 0.03})


def labels(r, p, style, keys):
    out = []
    if style == "none":
        return out
    for key in keys:
        if r.random() < 0.5:
            continue
        numeric = key in ("bytes", "request", "alignment", "latency", "size")
        for _ in range(r.choice([1, 1, 1, 2]) if style == "many" else 1):
            if numeric and (style != "many" or r.random() < 0.9):
                unit = p["_units"].get(key, "") if r.random() < 0.95 else r.choice(UNITS)
                number = r.choice([r.choice(EDGES), r.randint(0, 5000), 16 << r.randint(0, 12)])
                out.append([key, number, unit] if number or unit else [key, 1, unit])
            else:
                out.append([key, r.choice(p["_words"])])
    r.shuffle(out)
    return out


def samples(r, p):
    value_style = r.choice(["small", "spread", "spread", "spread", "negative", "edges"])
    label_style = r.choice(["none", "one each", "one each", "many"])
    keys = r.sample(KEYS, r.randint(1, 4))
    p["_units"] = {k: r.choice(UNITS) for k in keys}
    p["_words"] = r.sample(WORDS, r.randint(1, 5))
    depth, recursion = r.choice([1, 3, 6, 12, 40]), r.random() < 0.3
    n = r.choice([0, 1, 2, 3, 5, 10, 20, 60]) if r.random() < 0.97 else 400
    for _ in range(n):
        d = r.randint(0 if r.random() < 0.05 else 1, depth)
        stack = [r.randrange(len(p["locations"])) for _ in range(d)]
        if not recursion:
            stack = list(dict.fromkeys(stack))
        if p["samples"] and r.random() < 0.5:  # a neighbour of another: it shares the root side
            other = r.choice(p["samples"])["locs"]
            stack = stack[: 1 + d // 3] + other[len(other) // 3 :]
        values = [value(r, value_style) for _ in p["types"]]
        if value_style == "spread" and p["types"][0][1] == "count":
            values[0] = r.randint(1, 100)
        if r.random() < 0.05:
            values = [0] * len(values)
        p["samples"].append({"locs": stack, "values": values, "labels": labels(r, p, label_style, keys)})
    del p["_units"], p["_words"]


def header(r, p):
    p["types"] = [list(t) for t in (r.choice(KINDS) if r.random() < 0.7 else r.sample(TYPES, r.randint(1, 4)))]
    p["period_type"] = r.choice([p["types"][-1], ["cpu", "nanoseconds"], ["space", "bytes"], ["", ""]])
    p["period"] = r.choice([0, 1, 10_000_000, 524288])
    p["time"] = r.choice([0, 1, 1_700_000_000_000_000_000, 1_733_333_333_333_333_333, 951_782_400_000_000_000, -(10**18)])
    p["duration"] = r.choice([0, 0, 1, 30_000_000_000, 10_123_456_789, 59_999_999_999, 86_400_000_000_000, 1_500_000, 999])
    if r.random() < 0.3:
        p["comments"] = r.sample(["a comment", "#hidden", "", "two words", "ünï", "x" * 100, "bad\udcff"], r.randint(1, 4))
    if r.random() < 0.2:
        p["doc_url"] = r.choice(["https://example.com/doc", "http://a b", "ftp://x"])
    if r.random() < 0.3:
        p["default"] = r.choice([p["types"][0][0], p["types"][-1][0], "nothing"])
    p["packed"] = r.random() < 0.8
    p["sparse"] = r.choice([0, 0, 0, 1, 100, 1 << 40])


def frames_to_drop(r, p):
    if r.random() < 0.15:
        p["drop"] = r.choice(["malloc|free", "runtime\\..*", "main", ".*alloc.*", "std::.*", "operator new"])
        if r.random() < 0.4:
            p["keep"] = r.choice(["runtime\\.gopanic", "main", ".*malloc.*"])


def profile(r):
    """One profile; r is a random.Random."""
    p = model.empty()
    header(r, p)
    functions(r, p)
    mappings(r, p)
    locations(r, p, r.choice(["addresses", "addresses", "no addresses"]))
    samples(r, p)
    frames_to_drop(r, p)
    return p


def relative(r, p):
    """Another profile of the same program: to merge, or to compare with."""
    q = {**p, "samples": [dict(s) for s in p["samples"]], "mappings": [dict(m) for m in p["mappings"]]}
    q["locations"] = [dict(l) for l in p["locations"]]
    q["samples"] = [s for s in q["samples"] if r.random() < 0.8]
    for s in q["samples"]:
        if r.random() < 0.6:
            s["values"] = [v + r.randint(-3, 10) for v in s["values"]]
    if q["mappings"] and r.random() < 0.3:  # loaded elsewhere
        shift = r.choice([0x1000, 0x10000000])
        for m in q["mappings"]:
            m["start"], m["limit"] = m["start"] + shift, m["limit"] + shift
        for l in q["locations"]:
            if l["mapping"] is not None and l["address"]:
                l["address"] += shift
    if r.random() < 0.2 and len(q["types"]) > 1:  # one type less
        q["types"] = q["types"][:-1]
        for s in q["samples"]:
            s["values"] = s["values"][:-1]
    other = {"nanoseconds": "microseconds", "bytes": "kb"}
    if r.random() < 0.15:
        q["types"] = [[t, other.get(u, u)] for t, u in q["types"]]
    q["time"] = r.choice([p["time"], p["time"] + 60_000_000_000, 0])
    if r.random() < 0.03:
        q["period_type"] = ["other", "count"]
    q["comments"] = r.choice([p["comments"], ["another"], p["comments"] + ["more"]])
    return q
