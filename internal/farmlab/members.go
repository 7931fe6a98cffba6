package farmlab

import "github.com/joute/joute/antifraud"

// forgetMembers takes from the evidence what this contest's pages do not send.
func (w *world) forgetMembers() {
	for i := range w.ballots {
		w.forget(&w.ballots[i].Evidence)
	}
}

func (w *world) forget(e *antifraud.Evidence) {
	m := w.mix.Members
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
