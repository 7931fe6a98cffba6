package farmlab

// forgetMembers takes from the evidence what this contest's pages do not send.
func (w *world) forgetMembers() {
	m := w.mix.Members
	for i := range w.ballots {
		e := &w.ballots[i].Evidence
		if m.NoDevice {
			e.Device = ""
		}
		if m.NoAgent {
			e.Agent = ""
		}
		if m.NoDwell {
			e.DwellMS = nil
		}
		if m.NoConfirm {
			e.ConfirmMS = nil
		}
		if m.NoVisible {
			e.Visible = nil
		}
		if m.NoVia {
			e.Via, e.Opened = "", false
		}
		if m.NoReferrer {
			e.Referrer, e.EmbedOrigin = "", ""
		}
	}
}
