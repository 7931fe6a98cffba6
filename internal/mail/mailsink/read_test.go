package mailsink

import (
	"strings"
	"testing"
)

func FuzzRead(f *testing.F) {
	f.Add([]byte("Subject: x\r\nContent-Type: text/plain\r\n\r\ntext"))
	f.Add([]byte("Subject: =?utf-8?q?=C3=A0?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A0\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := read(raw)
		if err == nil && (m.Raw != string(raw) || strings.Contains(m.Text+m.HTML, "\r\n")) {
			t.Fatalf("%q: %+v", raw, m)
		}
		if got := Code(m.Text); got != "" && (len(got) != 6 || !strings.Contains(m.Text, got)) {
			t.Fatalf("%q has the code %q", m.Text, got)
		}
	})
}
