-- Let a fan go: the address is deleted, and with it every request that waits.
--
-- KEYS 1 members  2 ledger  3 pending of the fan
-- ARGV 1 fan
--
-- Replies {code}
--   left   the fan was a member; the ledger has a record of it
--   gone   it was none; what waited for a confirmation is deleted

local members, ledger, pending = KEYS[1], KEYS[2], KEYS[3]
local fan = ARGV[1]
local member = member_of(members, fan)
redis.call('XLEN', ledger)
pending_of(pending, 0)
local count = member and count_of(members, member.school)
if member and count < 1 then error('corrupt fans: a school lacks a member') end

if member then
  redis.call('XADD', ledger, '*', 'kind', 'leave', 'fan', fan, 'school', member.school, 'wording', member.wording, 'page', member.page, 'channel', member.channel)
  redis.call('HSET', members, fan, '', '/' .. member.school, text(count - 1)) -- one command, as in confirm.lua
end
redis.call('HDEL', members, fan)
redis.call('DEL', pending)
return { member and 'left' or 'gone' }
