-- Ask for one address to be let in: what was agreed to waits for the mail's confirmation.
--
-- KEYS 1 members  2 wordings  3 budget  4 recent  5 pending of the fan  6 asks of the fan
-- ARGV 1 fan  2 ask: the request  3 call: this call, the same however often it is sent
--      4 wording's version  5 its text  6 the request's own values: school|wording|page|channel|lang|parent|address
--      7 how many mails an hour the contest may cause  8 how many one address may get
--
-- Replies {code}; only the first two are worth a mail
--   asked    it waits for its confirmation
--   member   the address is in already
--   again    this very request was made within the minute: a form pressed twice
--   enough   the address has had its mails of this hour
--   full     the contest has caused all of its mails of this hour; known or not, nobody gets one

local members, wordings, budget, index, pending, asks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local fan, ask, call = ARGV[1], ARGV[2], ARGV[3]
local at = now()
local member = member_of(members, fan)
redis.call('HLEN', wordings)
redis.call('ZCARD', index)
local kept = pending_of(pending, at)
local recent = {}
for when, id, by, code in string.gmatch(redis.call('GET', asks) or '', '(%d+),(%w+),(%w+),(%l+);') do
  if id == ask and by == call then return { code } end
  if tonumber(when) <= at and at < tonumber(when) + HOUR then -- what is of later was before the clock was set back
    if id == ask and at < tonumber(when) + MINUTE then return { 'again' } end
    recent[#recent + 1] = when .. ',' .. id .. ',' .. by .. ',' .. code .. ';'
  end
end
local hour, n = string.match(redis.call('GET', budget) or '', '^(%d+)|(%d+)$')
n = (hour == text(math.floor(at / HOUR))) and tonumber(n) or 0
if n >= tonumber(ARGV[7]) then return { 'full' } end
local enough = #recent >= tonumber(ARGV[8])

local code = member and 'member' or 'asked'
-- Written also where it stays as it was: a refusal is synced to disk like a request, and takes as long.
redis.call('SET', budget, text(math.floor(at / HOUR)) .. '|' .. text(enough and n or n + 1), 'PX', 2 * HOUR)
if enough then return { 'enough' } end
redis.call('ZREMRANGEBYSCORE', index, '-inf', text(at))
redis.call('ZADD', index, text(at + ASK_LIFE), '') -- nobody, and with it the lifetime: of a torn write no fan stays for good
redis.call('PEXPIRE', index, text(ASK_LIFE))
redis.call('ZADD', index, text(at + ASK_LIFE), fan)
redis.call('ZREM', index, '')
if not member then
  redis.call('HSETNX', wordings, ARGV[4], ARGV[5])
  local lines = {}
  for _, one in ipairs(kept) do
    if one.ask ~= ask then lines[#lines + 1] = one.ask .. '|' .. text(one.asked) .. '|' .. one.rest .. '\n' end
  end
  lines[#lines + 1] = ask .. '|' .. text(at) .. '|' .. ARGV[6] .. '\n'
  redis.call('SET', pending, table.concat(lines), 'PX', text(ASK_LIFE))
end
-- Last: until the request is remembered, the same one is made anew.
redis.call('SET', asks, table.concat(recent) .. text(at) .. ',' .. ask .. ',' .. call .. ',' .. code .. ';', 'PX', HOUR)
return { code }
