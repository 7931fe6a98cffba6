-- Take a lease, or keep it.
--
-- KEYS 1 lease   string   who has it
-- ARGV 1 who   2 for how long, in ms; 0: give it back
--
-- Replies: {mine}, {given}, or {others}

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return { 'others' } end
if ARGV[2] == '0' then
  if holder then redis.call('DEL', KEYS[1]) end
  return { 'given' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 'mine' }
