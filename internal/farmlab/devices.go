package farmlab

// gadget is what a page sees of a phone or a computer: strangers who bought the
// same model show the same one.
type gadget struct {
	device, agent string
	phone         bool
}

// gadgets are what is in people's pockets.
type gadgets struct {
	models []gadget
	sold   odds
	shared float64 // share of the voters whose model shows as all of its kind do
	agents []string
	used   odds
}

func (w *world) newGadgets() {
	g := &w.gadgets
	g.shared = w.real(0.3, 0.5)
	for range w.between(35, 160) {
		g.agents = append(g.agents, w.name())
	}
	g.used = zipf(w.dice, len(g.agents), w.real(0.7, 1.3))
	for range w.between(30, 250) {
		g.models = append(g.models, gadget{w.name(), g.agents[g.used.draw(w.dice)], w.chance(0.85)})
	}
	g.sold = zipf(w.dice, len(g.models), w.real(0.8, 1.15))
	if w.chance(0.4) { // one phone that is everywhere: up to a fifth of all voters
		share := w.real(0.08, 0.2) / g.shared
		rest := g.sold[len(g.sold)-1]
		for i := range g.sold {
			g.sold[i] += rest * share / (1 - share)
		}
	}
}

// own is the gadget of an honest person. The page of a model in an older state
// of its software says another agent.
func (w *world) own() gadget {
	g := &w.gadgets
	if !w.chance(g.shared) {
		return gadget{w.name(), g.agents[g.used.draw(w.dice)], w.chance(0.7)}
	}
	model := g.models[g.sold.draw(w.dice)]
	if w.chance(0.12) {
		model.agent = g.agents[g.used.draw(w.dice)]
	}
	return model
}

// racks are n gadgets of a farm, which has few agents; popular is the share of
// them that show as a phone that people have.
func (w *world) racks(n, agents int, popular float64) []gadget {
	names := some(w.dice, w.gadgets.agents, agents)
	all := make([]gadget, max(1, n))
	for i := range all {
		if w.chance(popular) {
			all[i] = w.gadgets.models[w.gadgets.sold.draw(w.dice)]
		} else {
			all[i] = gadget{w.name(), pick(w.dice, names), true}
		}
	}
	return all
}
