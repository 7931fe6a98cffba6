package web

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

const (
	// maxBody is for everything but contest documents, which are maxDocument.
	maxBody     = 16 << 10
	maxDocument = 4 << 20
)

// bodyLimit bounds a body before any of it is read: by its Content-Length, and
// while it comes when it is chunked. Only an organizer may send a large one.
func (s *Server) bodyLimit(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if isDocumentCall(h.Method(), h.RequestURI()) && s.isOrganizer(string(h.Peek("Authorization"))) {
		return fasthttp.RequestConfig{MaxRequestBodySize: maxDocument}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: maxBody}
}

func isDocumentCall(method, uri []byte) bool {
	return string(method) == fasthttp.MethodPut && bytes.HasPrefix(uri, []byte("/v1/contests/"))
}
