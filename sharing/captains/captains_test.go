package captains

import (
	"context"
	"errors"
	"testing"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
)

func TestMain(m *testing.M) { redistest.Main(m) }

func open(t *testing.T, url, key string) *Captains {
	t.Helper()
	st, err := store.Open(context.Background(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	c, err := New(st, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// One link a school, on every server, until it is renewed; then that one alone.
func TestToken_IsOneUntilItIsRenewed(t *testing.T) {
	for name, url := range map[string]string{"redis": redistest.Shared(t).URL(), "embedded": ""} {
		t.Run(name, func(t *testing.T) {
			one := open(t, url, "a key")
			two := one
			if url != "" {
				two = open(t, url, "a key")
			}
			ctx, contest := t.Context(), "captains-"+name
			token := func(c *Captains, school string) string {
				t.Helper()
				text, err := c.Token(ctx, contest, school)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			first, other := token(one, "lumiere"), token(one, "vercors")
			if token(two, "lumiere") != first || first == other {
				t.Error("a school has not one token")
			}
			renewed, err := two.Renew(ctx, contest, "lumiere")
			if err != nil || renewed == first || token(one, "lumiere") != renewed {
				t.Errorf("renewed: %v", err)
			}
			if _, err := one.Read(ctx, first); !errors.Is(err, sharing.ErrCaptain) {
				t.Errorf("the token before: %v", err)
			}
			for _, text := range []string{renewed, other} {
				if who, err := two.Read(ctx, text); err != nil || who.Contest != contest {
					t.Errorf("%v, %v", who, err)
				}
			}
			if _, err := one.Read(ctx, "forged"); !errors.Is(err, sharing.ErrCaptain) {
				t.Errorf("forged: %v", err)
			}
			if err := one.Forget(ctx, contest); err != nil || token(one, "lumiere") != first {
				t.Errorf("forgotten: %v", err)
			}
		})
	}
}

func TestRead_AStoreThatIsAwayIsNoForgery(t *testing.T) {
	redis := redistest.Start(t)
	c := open(t, redis.URL(), "a key")
	token, err := c.Token(t.Context(), "cv", "lumiere")
	if err != nil {
		t.Fatal(err)
	}
	redis.Kill()
	if _, err := c.Read(t.Context(), token); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, sharing.ErrCaptain) {
		t.Errorf("%v", err)
	}
}
