// A program that profiles itself with Grafana's Go client and says what it did.
// usage: client SERVER SECONDS
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/grafana/pyroscope-go"
)

var sink int

//go:noinline
func checkout(until time.Time) {
	for time.Now().Before(until) {
		for i := 0; i < 1000; i++ {
			sink += i
		}
	}
}

//go:noinline
func search(until time.Time) {
	for time.Now().Before(until) {
		for i := 0; i < 1000; i++ {
			sink -= i
		}
	}
}

func main() {
	seconds, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	p, err := pyroscope.Start(pyroscope.Config{
		ApplicationName: "go.client",
		ServerAddress:   os.Args[1],
		Tags:            map[string]string{"region": "eu-west"},
		UploadRate:      2 * time.Second,
		ProfileTypes: []pyroscope.ProfileType{
			pyroscope.ProfileCPU, pyroscope.ProfileAllocSpace, pyroscope.ProfileInuseSpace,
			pyroscope.ProfileGoroutines,
		},
	})
	if err != nil {
		panic(err)
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for time.Now().Before(end) {
		pyroscope.TagWrapper(context.Background(), pyroscope.Labels("controller", "checkout"), func(context.Context) {
			checkout(time.Now().Add(75 * time.Millisecond))
		})
		pyroscope.TagWrapper(context.Background(), pyroscope.Labels("controller", "search"), func(context.Context) {
			search(time.Now().Add(25 * time.Millisecond))
		})
	}
	if err := p.Stop(); err != nil {
		panic(err)
	}
	fmt.Println("done", sink)
}
