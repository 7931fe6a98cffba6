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
local fields = { 'version', ARGV[1], 'opens', ARGV[2], 'closes', ARGV[3], 'max', ARGV[4], 'per', ARGV[5],
  'per_entry', ARGV[6], 'undo', ARGV[7], 'freeze', ARGV[8], 'ties', ARGV[9], 'expires', ARGV[10] }
if not box then
  redis.call('HSET', META, 'state', 'waiting', 'frozen', '0', 'at', '0', 'mark', '0', 'offset', '0', unpack(fields))
  return { 'changed' }
end

turn(box)
local thaw = integer(ARGV[8])
if box.frozen and thaw ~= box.freeze and (thaw == 0 or thaw > box.now) then
  redis.call('DEL', FROZEN)
  box.frozen = false
  fields[#fields + 1], fields[#fields + 2] = 'frozen', '0'
end
box.freeze = thaw
for i = 5, 8 do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('PEXPIREAT', KEYS[i], ARGV[10]) end
end
if box.state == 'open' then
  record(box, 'kind', 'rules', 'reasons', 'changed', 'actor', 'organizer', 'version', ARGV[1])
end
if box.recorded then
  commit(box, unpack(fields))
else
  redis.call('HSET', META, unpack(fields))
end
return { 'changed' }
