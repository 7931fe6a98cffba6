package detect

// majority is the entry that more than half of the crowd vote for, where enough others are left
// to say what people are like; unseen: there is none.
func (c *crowd) majority() int32 {
	for e, voters := range c.entry {
		if voters > mostShare*c.mass && c.mass-voters >= ampleCrowd {
			return int32(e)
		}
	}
	return unseen
}

// following are those who vote for the entry of a majority, as a cohort, and the odds of all by
// looks, as they are beside those who do not: where a farm is most of a contest everybody looks like
// it on average, and no cohort gains anything.
func (c *crowd) following(x *index, leader int32) (co cohort, odds []float64, renting float64) {
	co = cohort{name: "entry", members: x.group("entry").members(leader)}
	odds, renting = c.looksBeside(x, leader)
	by, surpluses := make([]weight, c.n), make([]float64, c.n)
	for v := range by {
		by[v] = weight{1 - c.taken[v], odds[v]}
		surpluses[v] = by[v].surplus()
	}
	co.weigh(by, surpluses, renting, nil)
	return co, odds, renting
}
