package store

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/redistest"
)

func TestDeleteAll_DeletesWhatBeginsSoAndNothingElse(t *testing.T) {
	for name, url := range map[string]string{"redis": redistest.Start(t).URL(), "embedded": ""} {
		t.Run(name, func(t *testing.T) {
			st, err := Open(t.Context(), Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			ctx := t.Context()
			_, err = st.Client().Pipelined(ctx, func(p redis.Pipeliner) error {
				for n := range 2500 { // more than one step looks at
					p.Set(ctx, fmt.Sprintf("joute:{a/uses/%d}", n), n, 0)
					p.Set(ctx, fmt.Sprintf("joute:{a-b/uses/%d}", n), n, 0)
				}
				p.SAdd(ctx, "joute:{a/uses/set}", "x")
				p.Set(ctx, "joute:{a/0}:meta", "x", 0)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := st.DeleteAll(ctx, "joute:{a/uses/"); err != nil {
					t.Fatal(err)
				}
				if n := st.Client().DBSize(ctx).Val(); n != 2501 {
					t.Fatalf("%d keys are left, want 2501", n)
				}
			}
			for _, bad := range []string{"", "*", "joute:?", "joute:[a", `joute:\`} {
				if err := st.DeleteAll(ctx, bad); err == nil {
					t.Errorf("%q was taken for a prefix", bad)
				}
			}
			if n := st.Client().DBSize(ctx).Val(); n != 2501 {
				t.Errorf("%d keys after what was refused", n)
			}
			if err := st.Rewrite(ctx); err != nil {
				t.Errorf("rewrite: %v", err)
			}
		})
	}
}
