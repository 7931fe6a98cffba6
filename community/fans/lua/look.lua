-- Say where a fan stands. Reads only.
--
-- KEYS 1 members  2 pending of the fan
-- ARGV 1 fan  2 ask, '' for any
--
-- Replies {code, value}; value is the request's or the member's, '' for none
--   already   a member by this very request
--   member    a member
--   asked     the request waits for its confirmation
--   none      neither

local member = member_of(KEYS[1], ARGV[1])
local waiting = pending_of(KEYS[2], now())
if member then return { member.ask == ARGV[2] and 'already' or 'member', member.value } end
local request = find(waiting, ARGV[2])
if ARGV[2] == '' then request = waiting[#waiting] end
if not request then return { 'none', '' } end
return { 'asked', '0-0|' .. request.ask .. '|' .. text(request.asked) .. '|' .. request.rest }
