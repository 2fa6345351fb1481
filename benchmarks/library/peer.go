// peer.go - the same figures of Go's runtime/pprof: labels, custom profiles, goroutines.
//
// Prints lines "RESULT key=value ...", as the workloads in C do.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var sink uint64

func cpuNs() int64 {
	var t [2]int64
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 2, uintptr(unsafe.Pointer(&t)), 0)
	return t[0]*1e9 + t[1]
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

// Nanoseconds a call, of the wall clock and of CPU: medians of 15 rounds.
func measure(times int, f func()) (wall, cpu float64) {
	var walls, cpus []float64
	for round := 0; round < 15; round++ {
		w, c := time.Now(), cpuNs()
		for i := 0; i < times; i++ {
			f()
		}
		walls = append(walls, float64(time.Since(w).Nanoseconds())/float64(times))
		cpus = append(cpus, float64(cpuNs()-c)/float64(times))
	}
	return median(walls), median(cpus)
}

func allocations(f func()) float64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	for i := 0; i < 1000; i++ {
		f()
	}
	runtime.ReadMemStats(&b)
	return float64(b.Mallocs-a.Mallocs) / 1000
}

func nothing(context.Context) {}

func labels() {
	none := context.Background()
	set := pprof.Labels("endpoint", "/cart", "method", "GET", "tenant", "acme")
	with := pprof.WithLabels(none, set)
	forms := []struct {
		name string
		f    func()
	}{
		{"strings", func() {
			pprof.Do(none, pprof.Labels("endpoint", "/cart", "method", "GET", "tenant", "acme"), nothing)
		}},
		{"prebuilt", func() { pprof.Do(none, set, nothing) }},
		{"attach", func() { pprof.SetGoroutineLabels(with); pprof.SetGoroutineLabels(none) }},
	}
	for _, form := range forms {
		wall, _ := measure(200000, form.f)
		fmt.Printf("RESULT form=%s ns=%.2f allocations=%.0f\n", form.name, wall, allocations(form.f))
	}
}

//go:noinline
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	sink++
}

type thing struct{ _ int }

func custom() {
	p := pprof.NewProfile("bench_things")
	live := 0
	for _, want := range []int{0, 1000, 100000} {
		for ; live < want; live++ {
			p.Add(new(thing), 0)
		}
		var one, two float64
		deep(24, func() {
			key := new(thing)
			one, _ = measure(20000, func() { p.Add(key, 0); p.Remove(key) })
		})
		var group sync.WaitGroup
		times := make([]float64, 2)
		for i := range times {
			group.Add(1)
			go deep(24, func() {
				key := new(thing)
				times[i], _ = measure(20000, func() { p.Add(key, 0); p.Remove(key) })
				group.Done()
			})
		}
		group.Wait()
		two = (times[0] + times[1]) / 2
		fmt.Printf("RESULT live=%d ns=%.1f two=%.3f\n", want, one, 2*one/two)
	}
	wall, cpu := measure(1, func() { p.WriteTo(io.Discard, 0) })
	fmt.Printf("RESULT things=%d write_ms=%.3f write_cpu_ms=%.3f\n", p.Count(), wall/1e6, cpu/1e6)
}

func goroutines() {
	block := make(chan int)
	for i := 0; i < 1000; i++ {
		go deep(24, func() { <-block })
	}
	time.Sleep(200 * time.Millisecond)
	for _, debug := range []int{0, 2} {
		var to bytes.Buffer
		wall, cpu := measure(1, func() { to.Reset(); pprof.Lookup("goroutine").WriteTo(&to, debug) })
		fmt.Printf("RESULT debug=%d ms=%.3f cpu_ms=%.3f\n", debug, wall/1e6, cpu/1e6)
	}
}

func main() {
	map[string]func(){"labels": labels, "custom": custom, "threads": goroutines}[os.Args[1]]()
}
