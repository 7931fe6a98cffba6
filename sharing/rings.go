package sharing

// rings gives each node of a directed graph the number of its strongly connected
// component: Tarjan, "Depth-first search and linear graph algorithms", SIAM J.
// Comput. 1 (1972), without recursion, as a chain of sharers may be long. Two
// different nodes have one number when a path leads from each to the other: when
// there is a cycle through both.
//
// The edges of node n are to[from[n]:from[n+1]].
func rings(from []int32, to []int32) []int32 {
	nodes := len(from) - 1
	const none = -1
	ring := make([]int32, nodes)
	order := make([]int32, nodes) // in which nodes were met; none: not yet
	low := make([]int32, nodes)   // the earliest node met that can be reached
	for n := range nodes {
		ring[n], order[n] = none, none
	}
	var met, found int32
	var open []int32 // met, and in no component yet
	type step struct{ node, edge int32 }
	var path []step
	enter := func(n int32) {
		order[n], low[n] = met, met
		met++
		open = append(open, n)
		path = append(path, step{n, from[n]})
	}
	for root := range int32(nodes) {
		if order[root] != none {
			continue
		}
		enter(root)
		for len(path) > 0 {
			at := &path[len(path)-1]
			n := at.node
			if at.edge < from[n+1] {
				next := to[at.edge]
				at.edge++
				if order[next] == none {
					enter(next)
				} else if ring[next] == none {
					low[n] = min(low[n], order[next])
				}
				continue
			}
			if low[n] == order[n] { // the first of its component
				for {
					last := open[len(open)-1]
					open = open[:len(open)-1]
					ring[last] = found
					if last == n {
						break
					}
				}
				found++
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				before := path[len(path)-1].node
				low[before] = min(low[before], low[n])
			}
		}
	}
	return ring
}
