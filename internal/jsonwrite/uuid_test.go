package jsonwrite_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/jsonwrite"
)

func TestUUID(t *testing.T) {
	for range 100 {
		id := uuid.New()
		want, _ := json.Marshal(id)
		if got := jsonwrite.UUID(nil, id); string(got) != string(want) {
			t.Fatalf("%s is written %s", want, got)
		}
	}
}
