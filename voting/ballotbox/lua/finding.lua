-- Keep what the detectors say of ballots; of each the last word.
--
-- KEYS 5 findings   hash   ballot .. voter -> the finding, JSON
-- ARGV in pairs: ballot .. voter, 32 bytes, and the finding
--
-- Replies: {kept}; {forgotten}: the contest is, nothing is kept; {unconfigured}, {torn}

local box, missing = open_box()
if not box then return missing end
redis.call('HLEN', KEYS[5])
if redis.call('HGET', META, 'forgotten') == '1' then return { 'forgotten' } end
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', KEYS[5], text(box.expires))
return { 'kept' }
