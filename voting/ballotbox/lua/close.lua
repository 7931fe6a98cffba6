-- Close the box now, by an organizer.
--
-- ARGV 1 reason
--
-- Replies: {closed, when}: closed by this call or before. No cast is stamped at
-- or after when. {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
turn(box)
if box.state ~= 'closed' then
  -- The close has a millisecond of its own, after any cast of this one.
  box.now = math.max(box.now, box.at + 1)
  box.state, box.closes = 'closed', box.now
  record(box, 'kind', 'close', 'reasons', ARGV[1], 'actor', 'organizer')
  commit(box, 'closes', text(box.closes))
  return { 'closed', box.now }
end
commit(box)
return { 'closed', box.closes }
