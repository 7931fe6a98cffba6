package detect

// Costs are the records that a run now would judge: what it costs, in the unit that
// does not depend on the machine.
func (d *Detector) Costs() int { return len(d.lately()) }
