// Command mailsink is the mail server of the browser tests, in a process of its
// own: internal/mail/mailsink, with its switches and mails over HTTP on the
// loopback interface. It ends with whoever holds its standard input.
//
//	GET  /messages?to=ADDRESS   what came for an address, oldest first, as JSON
//	POST /down, POST /up        the server hangs up on everybody, and comes back
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/joute/joute/internal/mail/mailsink"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mailsink:", err)
		os.Exit(1)
	}
}

// run serves until in ends; the two addresses are the first line of out.
func run(in io.Reader, out io.Writer) error {
	sink, err := mailsink.Start()
	if err != nil {
		return err
	}
	defer sink.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- http.Serve(l, handler(sink)) }()
	ended := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, in); ended <- err }()
	fmt.Fprintf(out, "mail %s http://%s\n", sink.URL(), l.Addr())
	select {
	case err := <-served:
		return err
	case err := <-ended:
		return err
	}
}

func handler(sink *mailsink.Sink) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(sink.Messages(r.FormValue("to"))) // a reader who is gone needs nothing
	})
	mux.HandleFunc("POST /down", func(http.ResponseWriter, *http.Request) { sink.Down(true) })
	mux.HandleFunc("POST /up", func(http.ResponseWriter, *http.Request) { sink.Down(false) })
	return mux
}
