-- Add attempts of the minute to those of all servers, and tell those of the last.
--
-- KEYS 1 pressure  hash  minute .. `/seen`, minute .. `/suspect` -> attempts
-- ARGV 1 seen   2 suspect, since the last call   3 how many minutes count, the running one among them
--
-- Replies: {seen, suspect} of those minutes

local key, minutes = KEYS[1], tonumber(ARGV[3])
local minute = math.floor(tonumber(redis.call('TIME')[1]) / 60)
local counts = redis.call('HGETALL', key)
local seen, suspect, old = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i = 1, #counts, 2 do
  local at, what = string.match(counts[i], '^(%d+)/(%l+)$')
  if not at or tonumber(at) <= minute - minutes or tonumber(at) > minute then -- or the clock was set back
    old[#old + 1] = counts[i]
  elseif what == 'seen' then
    seen = seen + tonumber(counts[i + 1])
  else
    suspect = suspect + tonumber(counts[i + 1])
  end
end
for i = 1, #old do redis.call('HDEL', key, old[i]) end
if ARGV[1] ~= '0' then
  local now = string.format('%.0f', minute)
  redis.call('HINCRBY', key, now .. '/seen', ARGV[1])
  redis.call('HINCRBY', key, now .. '/suspect', ARGV[2])
  redis.call('PEXPIRE', key, minutes * 60000)
end
return { seen, suspect }
