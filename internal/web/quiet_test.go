//go:build linux && !race

package web

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	measure "runtime/metrics"
	"testing"
)

// inUse is what objects and stacks take of this process's memory.
func inUse() (objects, stacks float64) {
	read := []measure.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	measure.Read(read)
	return float64(read[0].Value.Uint64()), float64(read[1].Value.Uint64())
}

// A connection whose ballot is counted holds 8 KiB of stack and hardly anything else, this
// end's part of it included. The control has connections that keep their buffers.
func TestConnections_HoldLittleWhileTheyAreQuiet(t *testing.T) {
	const connections = 600
	held := func(t *testing.T, frugal bool) (objects, stacks float64) {
		e := startOn(t, sharedURL(t), func(s *Server) { s.app.Server().ReduceMemoryUsage = frugal })
		_, path := e.contest(`,"rules":{"ballots":{"max":100000}},"antifraud":{"policy":"observe"}`)
		passes := make([]string, connections) // ballots of one voter wait for one another
		for i := range passes {
			passes[i] = e.pass(path)
		}
		runtime.GC()
		runtime.GC() // what pools had is gone
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		objectsBefore, stacksBefore := inUse()
		open := make([]net.Conn, connections)
		for i := range open {
			c, err := net.Dial("tcp", e.addr)
			must(t, err)
			defer c.Close()
			body := `{"ballot":"` + newBallot() + `","entry":"lumiere-1","client":{"device":"phone of a make","dwell_ms":9000,"confirm_ms":800,"visible":true,"referrer":"social"}}`
			_, err = fmt.Fprintf(c, "POST %s/ballots HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla/5.0 (phone)\r\nContent-Type: application/json\r\n%s\r\nContent-Length: %d\r\n\r\n%s", path, passes[i], len(body), body)
			must(t, err)
			open[i] = c
		}
		answer := make([]byte, 4<<10)
		for _, c := range open {
			_, err := io.ReadFull(c, answer[:12])
			if must(t, err); string(answer[:12]) != "HTTP/1.1 201" {
				n, _ := c.Read(answer[12:])
				t.Fatalf("%s", answer[:12+n])
			}
			_, err = c.Read(answer)
			must(t, err)
		}
		_, stacksAfter := inUse()
		runtime.GC()
		runtime.GC()
		objectsAfter, _ := inUse()
		runtime.KeepAlive(open)
		return (objectsAfter - objectsBefore) / connections / 1024, (stacksAfter - stacksBefore) / connections / 1024
	}
	objects, stacks := held(t, true)
	keeping, _ := held(t, false)
	t.Logf("%.1f KiB of objects a connection, %.1f where they keep their buffers; %.1f KiB of stack", objects, keeping, stacks)
	if objects > 4 || stacks > 10 {
		t.Errorf("%.1f KiB of objects and %.1f of stack a connection", objects, stacks)
	}
	if keeping < 12 {
		t.Errorf("%.1f KiB a connection that keeps its buffers: nothing is measured", keeping)
	}
}
