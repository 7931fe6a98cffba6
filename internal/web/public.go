package web

import (
	"sync"

	"github.com/joute/joute/contest/registry"
)

// publicViews keeps the public document of each contest as it was encoded last:
// one of 10,000 entries takes milliseconds, and everybody may ask.
type publicViews struct {
	mu   sync.Mutex
	kept map[string]publicView // by contest id; guarded by mu
}

type publicView struct {
	version int
	epoch   int64
	body    []byte
}

// of is the public view. It is shared: read it only.
func (v *publicViews) of(s *registry.Stored) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if kept, ok := v.kept[s.Contest.ID]; ok && kept.version == s.Version && kept.epoch == s.Epoch {
		return kept.body
	}
	if v.kept == nil {
		v.kept = map[string]publicView{}
	}
	body := s.Contest.Public()
	v.kept[s.Contest.ID] = publicView{s.Version, s.Epoch, body}
	return body
}
