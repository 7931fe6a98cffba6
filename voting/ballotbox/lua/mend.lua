-- Take records that were never committed out of the ledger, and make what was
-- half-written with them say again what the rest of the ledger says.
--
-- KEYS 5 evidence   6 held   7 and on: hashes of voters
-- ARGV 1 sheets the ledger was seen to have   2 its place as it was seen
--      3 what it was seen to have trimmed, or empty
--      4 an instant in ms that later records must be stamped at or after
--      5 how many sheets to take out, then their stream ids
--        how many values of the tally, then field, value, …
--        then, to the end: number of the key, field, value; an empty value removes the field,
--        and of held the value is a score
--
-- Replies: {mended}; {changed} when the box is no longer as it was seen

local seen = redis.call('HMGET', META, 'place', 'trimmed', 'mark')
if redis.call('XLEN', LEDGER) ~= tonumber(ARGV[1]) or seen[1] ~= ARGV[2] or (seen[2] or '') ~= ARGV[3] then
  return { 'changed' }
end
local at = 5
local function take(values)
  local from, n = at + 1, tonumber(ARGV[at])
  at = from + n
  for i = from, at - 1 do values[#values + 1] = ARGV[i] end
  return values
end
local torn, tally = take({}), take({})

redis.call('DEL', TALLY)
for i = 1, #tally, 2 do redis.call('HSET', TALLY, tally[i], tally[i + 1]) end
for i = at, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if key == KEYS[6] and ARGV[i + 2] == '' then
    redis.call('ZREM', key, ARGV[i + 1])
  elseif key == KEYS[6] then
    redis.call('ZADD', key, ARGV[i + 2], ARGV[i + 1])
  elseif ARGV[i + 2] == '' then
    redis.call('HDEL', key, ARGV[i + 1])
  else
    redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
  end
end
redis.call('HSET', META, 'mark', text(math.max(integer(ARGV[4]), integer(seen[3], 0))))
for _, id in ipairs(torn) do redis.call('XDEL', KEYS[5], id) end
-- Last: until the last of them is gone, the box is known to be torn.
for _, id in ipairs(torn) do redis.call('XDEL', LEDGER, id) end
return { 'mended' }
