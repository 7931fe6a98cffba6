-- Read the box's counts and the place they hold at, in one step. Writes nothing.
--
-- Replies: {state, now, closes, offset, at of the newest record, freeze instant or 0,
-- 1 when frozen is kept apart, tally, frozen}; both last as field, value, …; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
local frozen = {}
if box.frozen then frozen = redis.call('HGETALL', FROZEN) end
return { box.state, box.now, box.closes, box.offset, box.at, box.freeze,
  box.frozen and 1 or 0, redis.call('HGETALL', TALLY), frozen }
