package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs the certificate of servers that speak TLS, and nothing else. Its own
// is in File: a program that is to trust them is started with SSL_CERT_FILE set to it.
// A nil one has servers that speak in clear.
type Authority struct {
	File      string
	cert, key string // files of what its servers show: for 127.0.0.1 and localhost
	roots     *x509.CertPool
}

// NewAuthority makes one, in a folder that ends with the test.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("redistest: certificate: %v", err)
		}
	}
	dir := t.TempDir()
	a := &Authority{File: filepath.Join(dir, "ca.pem"), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: x509.NewCertPool()}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return k
	}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests of a store"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a store"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, // nodes of a cluster are both
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	rootKey, leafKey := key(), key()
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	must(err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	must(err)
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{a.File, "CERTIFICATE", rootDER}, {a.cert, "CERTIFICATE", leafDER}, {a.key, "PRIVATE KEY", keyDER}} {
		must(os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600))
	}
	trusted, err := x509.ParseCertificate(rootDER)
	must(err)
	a.roots.AddCert(trusted)
	return a
}

// Start is Start of a server that speaks TLS only.
func (a *Authority) Start(t testing.TB, conf ...string) *Server {
	t.Helper()
	s := a.server(t, conf...)
	s.up()
	return s
}

// conf are the lines by which a server speaks TLS at a port, and nothing else.
func (a *Authority) conf(port int) []string {
	return []string{
		"port 0", fmt.Sprintf("tls-port %d", port), "tls-cert-file " + a.cert, "tls-key-file " + a.key, "tls-ca-cert-file " + a.File, "tls-auth-clients no",
	}
}

// trust is how a client of the tests checks who it talks to; nil: it does not use TLS.
func (a *Authority) trust() *tls.Config {
	if a == nil {
		return nil
	}
	return &tls.Config{RootCAs: a.roots}
}

// scheme is how an address of a server begins.
func (a *Authority) scheme(plain string) string {
	if a == nil {
		return plain + "://"
	}
	return "rediss" + plain[len("redis"):] + "://"
}
