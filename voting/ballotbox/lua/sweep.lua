-- Keep one sweep of the detectors under its number, once, and where they are.
--
-- KEYS 5 sweeps   hash   number -> the sweep, JSON; `now` -> where they are, JSON
-- ARGV 1 the number, or empty: only say where they are   2 the sweep   3 where they are
--
-- Replies
--   kept, instant    by this call
--   taken            another sweep has the number: another server is at it
--   forgotten        the contest is: nothing is kept
--   unconfigured, torn   see open_box
--
-- When it expires comes first, with a field that says nothing: of a write that a kill tears
-- nothing stays for good. See docs/decisions/0005-torn-writes.md.

local box, missing = open_box()
if not box then return missing end
local known = redis.call('HGET', KEYS[5], ARGV[1])
if redis.call('HGET', META, 'forgotten') == '1' then return { 'forgotten' } end
if ARGV[1] ~= '' and known then
  return { known == ARGV[2] and 'kept' or 'taken', box.now }
end
redis.call('HSET', KEYS[5], '', '')
redis.call('PEXPIREAT', KEYS[5], text(box.expires))
redis.call('HSET', KEYS[5], 'now', ARGV[3], unpack(ARGV, 1, ARGV[1] ~= '' and 2 or 0))
redis.call('HDEL', KEYS[5], '')
return { 'kept', box.now }
