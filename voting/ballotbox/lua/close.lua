-- Close the box now, by an organizer. What expires after the close does so earlier too.
--
-- KEYS 5 evidence   6 appeals   7 findings   8 sweeps
-- ARGV 1 reason
--
-- Replies: {closed, when}: closed by this call or before. No cast is stamped at
-- or after when. {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
redis.call('XLEN', KEYS[5])
for i = 6, 8 do redis.call('HLEN', KEYS[i]) end
turn(box)
if box.state ~= 'closed' then
  -- The close has a millisecond of its own, after any cast of this one.
  box.now = math.max(box.now, box.at + 1)
  local after = box.expires - box.closes
  box.state, box.closes = 'closed', box.now
  record(box, 'close', 'organizer', ARGV[1])
  for i = 5, 8 do redis.call('PEXPIREAT', KEYS[i], text(box.now + after)) end
  commit(box, 'rules', string.format('%d|%d|%d|%d|%s|%d|%d|%d|%s|%d', box.version, box.opens, box.closes,
    box.max, box.per, box.per_entry, box.undo, box.freeze, box.ties, box.now + after))
  return { 'closed', box.now }
end
commit(box)
return { 'closed', box.closes }
