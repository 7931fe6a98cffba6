-- Confirm a request by the link of its mail: the fan is a member from now on.
--
-- KEYS 1 members  2 ledger  3 pending of the fan
-- ARGV 1 fan  2 ask
--
-- Replies {code, value}; value is the member's, '' for expired
--   joined    the fan is in, the ledger has a record of it
--   already   it was in by this very request
--   member    it was in by another one
--   expired   no such request waits: it is too old, or its fan has left since

local members, ledger, pending = KEYS[1], KEYS[2], KEYS[3]
local fan, ask = ARGV[1], ARGV[2]
local member = member_of(members, fan)
local request = find(pending_of(pending, now()), ask)
redis.call('XLEN', ledger)
if member then return { member.ask == ask and 'already' or 'member', member.value } end
if not request then return { 'expired', '' } end
local school, wording, page, channel = string.match(request.rest, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|')
if not school then error('corrupt fans: expected a request') end
local count = count_of(members, school)

local position = redis.call('XADD', ledger, '*', 'kind', 'join', 'fan', fan, 'school', school, 'wording', wording, 'page', page, 'channel', channel)
local value = position .. '|' .. ask .. '|' .. text(request.asked) .. '|' .. request.rest
redis.call('HSET', members, fan, value, '/' .. school, text(count + 1)) -- one command: never one without the other
redis.call('DEL', pending)
return { 'joined', value }
