package detect

import "testing"

// A room's few bad accounts say nothing where, in all, its accounts are as everybody's. A
// machine whose users are bad nearly all keeps what they say, and so does whoever shares
// theirs with nobody, or shows none.
func TestFarm_AccountsOfOneMachineAreJudgedTogether(t *testing.T) {
	const room, lone, own = 0, 1, 2
	var devices []int32
	f := farm{}
	member := func(device int32, account float64) {
		f.who, f.w, f.by = append(f.who, int32(len(devices))), append(f.w, 1), append(f.by, [families]float64{byAccount: account})
		f.confirmed = append(f.confirmed, confirmed{1, f.by[len(f.by)-1]})
		devices = append(devices, device)
	}
	for n := range 10 {
		account := 1.0 // ln: no profile
		if n >= 3 {
			account = -0.8
		}
		member(room, account)
		member(lone, -account)
	}
	member(own, 1)
	member(unseen, 1)
	f.together(&table{device: column{of: devices}})
	for n, device := range devices {
		speaks := f.by[n][byAccount] > 0
		if voids := f.confirmed[n].by[byAccount] > 0; voids != speaks {
			t.Errorf("member %d: speaks %v, voids %v", n, speaks, voids)
		}
		want := device == own || device == unseen || device == lone && n >= 6
		if speaks != want {
			t.Errorf("member %d, of device %d: %v", n, device, f.by[n][byAccount])
		}
	}
	if f.by[6][byAccount] != -0.8 {
		t.Error("what speaks for a member was touched")
	}
}
