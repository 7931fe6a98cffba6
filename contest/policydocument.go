package contest

// ParsePolicy reads a policy by itself, YAML or JSON: the name of a built-in one, or
// a policy document. The error is a Faults, with paths from the document's beginning.
func ParsePolicy(data []byte) (Policy, error) {
	root, fault := parseTree(data)
	if fault != nil {
		return Policy{}, Faults{*fault}
	}
	r := &reader{}
	p := readPolicy(value{root, r, ""})
	if len(r.faults) > 0 {
		r.faults.sort()
		return Policy{}, r.faults
	}
	return p, nil
}
