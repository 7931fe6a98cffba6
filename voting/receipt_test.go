package voting_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

func newReceipts(t testing.TB) *voting.Receipts {
	t.Helper()
	receipts, err := voting.NewReceipts(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

var receipt = voting.Receipt{
	Contest: "one", Voter: voting.Voter{1, 2, 3}, Ballot: uuid.MustParse("0198c0de-0000-7000-8000-000000000001"),
	Position: voting.Position{Epoch: 7, Box: 3, Millis: 1_800_000_000_000, Offset: 42},
}

func TestReceipts_SameReceiptSameTextOnEveryServer(t *testing.T) {
	text := newReceipts(t).Seal(receipt)
	if again := newReceipts(t).Seal(receipt); again != text {
		t.Fatalf("%s\n%s", text, again)
	}
	opened, err := newReceipts(t).Open(text)
	if err != nil || opened != receipt {
		t.Fatalf("opened %+v, %v", opened, err)
	}
	other := receipt
	other.Position.Offset++
	if newReceipts(t).Seal(other) == text {
		t.Fatal("two receipts look alike")
	}
	long := receipt
	long.Contest = string(bytes.Repeat([]byte("a"), 64))
	if n := len(newReceipts(t).Seal(long)); n > 250 {
		t.Fatalf("%d characters", n)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || bytes.Contains(raw, receipt.Voter[:]) || bytes.Contains(raw, receipt.Ballot[:]) {
		t.Fatalf("the receipt shows whose it is: %v", err)
	}
}

func TestReceipts_EveryChangedByteIsFound(t *testing.T) {
	receipts := newReceipts(t)
	text := receipts.Seal(receipt)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		forged := bytes.Clone(raw)
		forged[i] ^= 1
		if _, err := receipts.Open(base64.RawURLEncoding.EncodeToString(forged)); !errors.Is(err, voting.ErrReceipt) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range text {
		if _, err := receipts.Open(text[:n]); !errors.Is(err, voting.ErrReceipt) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func FuzzReceipts_Open(f *testing.F) {
	receipts := newReceipts(f)
	text := receipts.Seal(receipt)
	f.Add(text)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := receipts.Open(s); err == nil && receipts.Seal(r) != s {
			t.Fatalf("%q opens as %+v", s, r)
		}
	})
}
