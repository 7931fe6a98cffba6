-- Bring the box to a version of its contest. Older versions change nothing, so
-- any server may send this at any time.
--
-- KEYS 5 evidence   6 appeals   7 findings   8 sweeps
-- ARGV 1 version  2 opens  3 closes  4 max  5 per  6 per_entry  7 undo  8 freeze (0: never)
--      9 ties    10 when 5 to 8 expire; all instants and durations in ms
--      11 `1`: a box that is not there is set up
--
-- Replies: {changed}, {unchanged}; {unconfigured}: it is not there; {torn}

local box, missing = open_box()
if not box and (missing[1] == 'torn' or ARGV[11] ~= '1') then return missing end
redis.call('XLEN', KEYS[5])
for i = 6, 8 do redis.call('HLEN', KEYS[i]) end
redis.call('HLEN', TALLY)
redis.call('HLEN', FROZEN)
local version = integer(ARGV[1])
if box and box.version >= version then return { 'unchanged' } end
local rules = table.concat(ARGV, '|', 1, 10)
if not box then
  redis.call('HSET', META, 'place', 'waiting|0|0|0|0', 'rules', rules)
  return { 'changed' }
end

turn(box)
local thaw = integer(ARGV[8])
if box.frozen and thaw ~= box.freeze and (thaw == 0 or thaw > box.now) then
  redis.call('DEL', FROZEN)
  box.frozen = false
end
box.freeze = thaw
for i = 5, 8 do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('PEXPIREAT', KEYS[i], ARGV[10]) end
end
if box.state == 'open' then
  record(box, 'rules', 'organizer', 'changed', ARGV[1])
end
redis.call('HSET', META, 'place', place_text(box), 'rules', rules)
return { 'changed' }
