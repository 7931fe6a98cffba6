-- Say of a ballot's appeal that it is answered, or open again.
--
-- KEYS 5 appeals   as in appeal.lua; ballot .. voter .. `!`: it is answered
-- ARGV 1 ballot .. voter, 32 bytes   2 the field of the answer   3 `answered` or `open`
--
-- Replies: {done}, by this call or before; {nothing} without an appeal; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
if redis.call('HEXISTS', KEYS[5], ARGV[1]) == 0 then return { 'nothing' } end
if ARGV[3] == 'answered' then
  redis.call('HSET', KEYS[5], ARGV[2], '1')
else
  redis.call('HDEL', KEYS[5], ARGV[2])
end
return { 'done' }
