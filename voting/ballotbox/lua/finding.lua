-- Keep what the detectors say of ballots; of each the last word.
--
-- KEYS 5 findings   hash   ballot .. voter -> the finding, JSON
-- ARGV in pairs: ballot .. voter, 32 bytes, and the finding
--
-- Replies: {kept}; {forgotten}: the contest is, nothing is kept; {unconfigured}, {torn}
--
-- When it expires comes first, with a field that says nothing: of a write that a kill tears
-- nothing stays for good. See docs/decisions/0005-torn-writes.md.

local box, missing = open_box()
if not box then return missing end
redis.call('HLEN', KEYS[5])
if redis.call('HGET', META, 'forgotten') == '1' then return { 'forgotten' } end
redis.call('HSET', KEYS[5], '', '')
redis.call('PEXPIREAT', KEYS[5], text(box.expires))
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
redis.call('HDEL', KEYS[5], '')
return { 'kept' }
