-- Write down which counted ballot of an entry is the newest, found in the ledger.
--
-- KEYS 5 the hash that has the mark: tally or frozen
-- ARGV 1 entry   2 the unsettled mark the search was for   3 the ballot's at in ms, 0 for none
--
-- Replies: {settled}; {unchanged} when the mark is no longer there

local field = ARGV[1] .. '/last'
if redis.call('HGET', KEYS[5], field) ~= ARGV[2] then return { 'unchanged' } end
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[5], field)
else
  redis.call('HSET', KEYS[5], field, ARGV[3])
end
return { 'settled' }
