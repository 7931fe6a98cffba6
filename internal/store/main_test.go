package store

import (
	"testing"

	"github.com/joute/joute/internal/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }
