package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"time"

	"github.com/joute/joute/contest"
)

// hostPage is a page as a blog would have it, with the widgets pasted in.
var hostPage = template.Must(template.New("host").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A blog</title>
<style>:root{color-scheme:light dark}body{max-width:40rem;margin:2rem auto;padding:0 1rem;font:1.0625rem/1.6 Georgia,serif}</style>
<h1>A blog</h1>
<p>This page is on another site than Joute: {{.Own}}, and Joute is on {{.Joute}}. The contest names it, so the vote is confirmed right here.</p>
<script src="{{.Joute}}/embed/v1/loader.js" async></script>
{{if .Entry}}<joute-vote contest="{{.Contest}}" entry="{{.Entry}}"><table role="presentation" width="100%" height="300"><tr><td align="center"><a href="{{.Joute}}/c/{{.Contest}}">{{.Title}}</a></table></joute-vote>
{{end}}<p>And this is how the schools stand:</p>
<joute-board contest="{{.Contest}}"><table role="presentation" width="100%" height="580"><tr><td align="center"><a href="{{.Joute}}/c/{{.Contest}}">{{.Title}}</a></table></joute-board>
`))

// hostSite is a small site beside the demo, on 127.0.0.1: to a browser another
// site than localhost, where Joute is.
type hostSite struct {
	listener net.Listener
	server   *http.Server
}

// openHost takes a port for the site; serve answers there.
func openHost(ctx context.Context) (*hostSite, error) {
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sample host page: %w", err)
	}
	return &hostSite{listener: l, server: &http.Server{ReadHeaderTimeout: 5 * time.Second}}, nil
}

func (h *hostSite) origin() string { return "http://" + h.listener.Addr().String() }

// serve shows the page with a contest's widgets until close.
func (h *hostSite) serve(joute string, shown *contest.Contest) error {
	data := map[string]string{
		"Own": h.origin(), "Joute": joute, "Contest": shown.ID, "Lang": shown.Locale, "Title": shown.Title.In(shown.Locale, shown.Locale),
	}
	for _, e := range shown.Entries {
		if !e.Hidden {
			data["Entry"] = e.ID
			break
		}
	}
	h.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// As strict as the generator page says a site may be.
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; script-src %s; frame-src %[1]s", joute))
		_ = hostPage.Execute(w, data) // the reader has gone
	})
	if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sample host page: %w", err)
	}
	return nil
}

func (h *hostSite) close() {
	_ = h.server.Close()
	_ = h.listener.Close() // closed already, unless it never served
}
