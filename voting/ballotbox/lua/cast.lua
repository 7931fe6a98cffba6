-- Cast one ballot, at most once.
--
-- KEYS 5 voters   hash    voter -> turns used in the voter's newest period, and ballots
--      6 ballots  hash    ballot .. voter -> what became of the ballot
--      7 evidence stream  what was seen of the attempt, same ids as the ledger
--      8 held    zset     ballot .. voter of those held, by the instant of the cast
--      9 solved  string   the ballot that a challenge was solved for; no key where none was
-- ARGV 1 voter, 16 bytes    2 ballot, 16 bytes    3 entry    4 its school
--      5 standing, `counted` or `held`            6 reasons, space between
--      7 a refusal decided before, or empty       8 evidence, JSON
--      9 `1` when the pass had been in the hall, or empty
--      10 version of the policy that holds it, or empty
--      11 how long a solved challenge is remembered, in ms, or empty
--      12 and on: bounds of the periods around now, in ms, ascending; none for `contest`
--
-- Replies (shape: answer in box.lua)
--   counted, held    accepted by this call
--   duplicate        accepted before: the values are the first ones, standing and reasons today's
--   ballot-reused    this voter sent this ballot with another entry
--   phase-closed     before opens, at or after closes
--   already-voted    no turn left in the period, or none for this entry
--   ARGV[7]          as decided before, on a ballot not seen before
--   challenge-used   the challenge was solved for another ballot
--   joined           {joined, voter}: this voter is that one; cast again as that one
--   bounds           now is in none of the periods: call again with bounds around now
--   unconfigured, torn   see open_box

local box, missing = open_box()
if not box then return missing end
local voter, entry, standing = ARGV[1], ARGV[3], ARGV[5]
local id = ARGV[2] .. voter
local first = redis.call('HGET', KEYS[6], id)
local kept = redis.call('HGET', KEYS[5], voter)
local unseen = redis.call('XLEN', KEYS[7]) == 0
local field = standing == 'counted' and entry or '/' .. standing
integer(redis.call('HGET', TALLY, field))
local present = ARGV[9] == '1'
if present then integer(redis.call('HGET', TALLY, entry .. '/home')) end
if standing == 'held' then redis.call('ZCARD', KEYS[8]) end
local solved = KEYS[9] and redis.call('GET', KEYS[9])

local start, next = 0, 0
if box.per ~= 'contest' then
  start = nil
  for i = 12, #ARGV - 1 do
    local from, to = integer(ARGV[i]), integer(ARGV[i + 1])
    if box.now >= from and box.now < to then start, next = from, to end
  end
  if not start then return answer('bounds', box, 0, 0) end
end
local turns = turns_of(kept, start)
if first then first = ballot_of(first) end

turn(box)

if first then
  local code = first.entry == entry and 'duplicate' or 'ballot-reused'
  return answer(code, box, turns.used, next, first)
end
if turns.into then
  commit(box)
  return { 'joined', turns.into }
end
if ARGV[7] ~= '' then return answer(ARGV[7], box, turns.used, next) end
if solved and solved ~= ARGV[2] then return answer('challenge-used', box, turns.used, next) end
if box.state ~= 'open' then return answer('phase-closed', box, turns.used, next) end
local spent = turns.entries[entry] or 0
if turns.used >= box.max or (box.per_entry < box.max and spent >= box.per_entry) then
  return answer('already-voted', box, turns.used, next)
end

-- Before the record: where a kill leaves this alone, the challenge is good for the
-- same ballot, which is not in the box, and for no other.
if KEYS[9] then redis.call('SET', KEYS[9], ARGV[2], 'PX', ARGV[11]) end

local actor, policy = 'voter', nil
if standing == 'held' then actor, policy = 'screen', ARGV[10] end
local cast = record(box, 'cast', actor, ARGV[6], nil, id, standing, entry, ARGV[4], present, policy)
redis.call('HINCRBY', TALLY, field, 1)
if present and standing == 'counted' then redis.call('HINCRBY', TALLY, entry .. '/home', 1) end
if standing == 'counted' and box.ties == 'earliest' then
  redis.call('HSET', TALLY, entry .. '/last', text(box.at))
end
local ballot = { standing = standing, at = box.at, offset = box.offset, entry = entry, reasons = ARGV[6], present = present }
redis.call('HSET', KEYS[6], id, ballot_text(ballot))
if standing == 'held' then redis.call('ZADD', KEYS[8], text(box.at), id) end
turns.used, turns.ballots = turns.used + 1, turns.ballots .. ARGV[2]
if box.per_entry < box.max then turns.entries[entry] = spent + 1 end
redis.call('HSET', KEYS[5], voter, turns_text(turns))
redis.call('XADD', KEYS[7], cast, 'seen', ARGV[8])
if unseen then redis.call('PEXPIREAT', KEYS[7], text(box.expires)) end
return answer(standing, box, turns.used, next, ballot)
