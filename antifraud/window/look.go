package window

import "github.com/joute/joute/antifraud"

// look is one look at a window, under its lock.
type look struct {
	window      *Window
	now, before perSpan // which part of either generation is in the window
}

// perSpan is a number for each of Spans.
type perSpan [len(Spans)]float64

// of is how many there were of a key.
func (l *look) of(role, a, b uint64) perSpan {
	n := l.window.numbers(key(role, a, b))
	return perSpan{
		l.now[0]*float64(n.hour) + l.before[0]*float64(n.hourBefore),
		l.now[1]*float64(n.day) + l.before[1]*float64(n.dayBefore),
	}
}

// where is of, in the spans where as many are a crowd: elsewhere nobody asks.
func (l *look) where(many perSpan, role, a, b uint64) (n perSpan) {
	if many[0] < antifraud.Crowd && many[1] < antifraud.Crowd {
		return n
	}
	n = l.of(role, a, b)
	for i := range n {
		if many[i] < antifraud.Crowd {
			n[i] = 0
		}
	}
	return n
}

func (l *look) counts(s *Sighting) (c [len(Spans)]antifraud.Counts) {
	var block, via, device, deviceOnEntry, deviceInBlock, deviceByVia, agent, agentOnEntry perSpan
	var kind, kindOnEntry, old, minute, onward perSpan
	all, entry := l.of(roleAll, 0, 0), l.of(roleEntry, s.Entry, 0)
	if netKinds[s.Kind].Suspicious() {
		kind, kindOnEntry = l.of(roleKind, uint64(s.Kind), 0), l.of(roleKindOnEntry, uint64(s.Kind), s.Entry)
	}
	if s.Via != 0 {
		via = l.of(roleVia, s.Via, 0)
		onward = l.where(via, roleOnward, s.Via, 0)
	}
	if s.Device != 0 {
		deviceOnEntry = l.of(roleDeviceOnEntry, s.Device, s.Entry)
		if s.Block != 0 {
			deviceInBlock = l.of(roleDeviceInBlock, s.Device, s.Block)
		}
		deviceByVia = l.where(via, roleDeviceByVia, s.Device, s.Via)
		block = l.where(deviceInBlock, roleBlock, s.Block, 0)
		most := deviceOnEntry
		for i := range most {
			most[i] = max(most[i], deviceInBlock[i], deviceByVia[i])
		}
		device = l.where(most, roleDevice, s.Device, 0)
	}
	if s.Agent != 0 {
		agentOnEntry = l.of(roleAgentOnEntry, s.Agent, s.Entry)
		agent = l.where(agentOnEntry, roleAgent, s.Agent, 0)
	}
	dwell, dwellNear := l.tempo(s.Dwell, s.Entry, roleDwellSame, roleDwellNear)
	confirm, confirmNear := l.tempo(s.Confirm, s.Entry, roleConfirmSame, roleConfirmNear)
	sign := func(bit byte) (n perSpan) {
		if s.Signs&bit != 0 {
			n = l.of(roleSign, uint64(bit), 0)
		}
		return n
	}
	fast, quick, hidden, driven := sign(signFast), sign(signQuick), sign(signHidden), sign(signDriven)
	if s.Issued != 0 {
		old, minute = l.of(roleOld, 0, 0), l.of(roleIssued, uint64(s.Issued), 0)
	}
	for i := range c {
		c[i] = antifraud.Counts{
			All: all[i], OfEntry: entry[i], OfBlock: block[i], OfVia: via[i],
			OfDevice: device[i], DeviceOnEntry: deviceOnEntry[i], DeviceInBlock: deviceInBlock[i], DeviceByVia: deviceByVia[i],
			OfAgent: agent[i], AgentOnEntry: agentOnEntry[i], OfKind: kind[i], KindOnEntry: kindOnEntry[i],
			DwellSame: dwell[i], DwellNear: dwellNear[i], ConfirmSame: confirm[i], ConfirmNear: confirmNear[i],
			Fast: fast[i], Quick: quick[i], Hidden: hidden[i], Driven: driven[i],
			OldPasses: old[i], OfMinute: minute[i], Onward: onward[i],
		}
	}
	return c
}

// asked are the keys that counts asks for of most sightings.
func (s *Sighting) asked(into []uint64) []uint64 {
	into = append(into, key(roleAll, 0, 0), key(roleEntry, s.Entry, 0))
	if s.Via != 0 {
		into = append(into, key(roleVia, s.Via, 0))
	}
	if s.Device != 0 {
		into = append(into, key(roleDeviceOnEntry, s.Device, s.Entry))
		if s.Block != 0 {
			into = append(into, key(roleDeviceInBlock, s.Device, s.Block))
		}
	}
	if s.Agent != 0 {
		into = append(into, key(roleAgentOnEntry, s.Agent, s.Entry))
	}
	for _, tempo := range [...]struct {
		ms   int32
		same uint64
	}{{s.Dwell, roleDwellSame}, {s.Confirm, roleConfirmSame}} {
		if tempo.ms >= 0 {
			from, to := slotsBeside(tempo.ms)
			for slot := from; slot <= to; slot++ {
				into = append(into, key(tempo.same, s.Entry, uint64(slot)))
			}
		}
	}
	return into
}

// slotsBeside are the first and the last slot of about as long.
func slotsBeside(ms int32) (from, to int64) {
	slot := antifraud.Slot(int64(ms))
	return max(slot-1, 0), slot + 1
}

// tempo is how many took about as long for an entry, and around as long.
func (l *look) tempo(ms int32, entry, same, near uint64) (pile, around perSpan) {
	if ms < 0 {
		return pile, around
	}
	from, to := slotsBeside(ms)
	for beside := from; beside <= to; beside++ {
		for i, n := range l.of(same, entry, uint64(beside)) {
			pile[i] += n
		}
	}
	return pile, l.where(pile, near, entry, uint64(antifraud.Near(int64(ms))))
}
