-- Close the box now, by an organizer.
--
-- ARGV 1 reason
--
-- Replies: {closed, when}: closed by this call or before. No cast is stamped at
-- or after when. {unconfigured}

local box = open_box()
if not box then return { 'unconfigured' } end
turn(box)
if box.state ~= 'closed' then
  -- The close has a millisecond of its own, after any cast of this one.
  box.now = math.max(box.now, box.at + 1)
  redis.call('HSET', META, 'state', 'closed', 'closes', text(box.now))
  record(box, 'kind', 'close', 'reasons', ARGV[1], 'actor', 'organizer')
  return { 'closed', box.now }
end
return { 'closed', box.closes }
