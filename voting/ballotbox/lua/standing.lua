-- Change the standing of one ballot: hold, release, void, reinstate, withdraw.
--
-- KEYS 5 voters   6 held   as in cast.lua
-- ARGV 1 voter, 16 bytes   2 ballot, 16 bytes   3 the standing to come to
--      4 actor             5 reasons, space between    6 the entry's school
--      7 versions of policy   8 and model that decided, or empty
--      9 `1`: only from standing 10 with reasons 11, as it was seen by who decided
--
-- Replies (shape: answer in box.lua)
--   changed          the ballot has the new standing, the ledger a record of it
--   unchanged        it had that standing already, or is withdrawn, which is final, or
--                    does not stand as it was seen: somebody else was faster; or the actor is
--                    `screen`, and an organizer has decided
--   undo-expired     withdraw: too late, after the close, or the ballot is void
--   no-such-ballot   this voter cast no such ballot
--   unconfigured, torn   see open_box

local box, missing = open_box()
if not box then return missing end
local voter, to = ARGV[1], ARGV[3]
local id = ARGV[2] .. voter
local value = redis.call('HGET', KEYS[5], id)
local kept = redis.call('HGET', KEYS[5], voter)
if not value then return answer('no-such-ballot', box, 0, 0) end
local ballot = ballot_of(value)
-- Start 0: the voter's newest period, whichever it is.
local turns = turns_of(kept, 0)
local was, entry = ballot.standing, ballot.entry
local function field(standing) return standing == 'counted' and entry or '/' .. standing end
local count = integer(redis.call('HGET', TALLY, field(was)), 0)
integer(redis.call('HGET', TALLY, field(to)))
redis.call('ZCARD', KEYS[6])
local last = redis.call('HGET', TALLY, entry .. '/last')
local home = ballot.present and integer(redis.call('HGET', TALLY, entry .. '/home'), 0)

turn(box)

local moved = ARGV[9] == '1' and (was ~= ARGV[10] or ballot.reasons ~= ARGV[11])
moved = moved or (ballot.ruled and ARGV[4] == 'screen')
if was == to or was == 'withdrawn' or moved then return answer('unchanged', box, turns.used, 0, ballot) end
if to == 'withdrawn' and (was == 'void' or box.state ~= 'open' or box.now >= ballot.at + box.undo) then
  return answer('undo-expired', box, turns.used, 0, ballot)
end
if count < 1 or (home == 0 and was == 'counted') then error('corrupt ballot box: the tally lacks a ballot') end

local kinds = { counted = was == 'void' and 'reinstate' or 'release', held = 'hold', void = 'void', withdrawn = 'withdraw' }
record(box, kinds[to], ARGV[4], ARGV[5], nil, id, to, entry, ARGV[6], ARGV[7], ARGV[8])
redis.call('HINCRBY', TALLY, field(was), -1)
redis.call('HINCRBY', TALLY, field(to), 1)
if ballot.present and was == 'counted' then redis.call('HINCRBY', TALLY, entry .. '/home', -1) end
if ballot.present and to == 'counted' then redis.call('HINCRBY', TALLY, entry .. '/home', 1) end
if box.ties == 'earliest' then
  -- When the newest counted ballot of an entry goes, only the ledger knows the
  -- one before. `?offset` says so, and a reader that needs it settles it; every later
  -- change writes another mark, so that one who looked before it settles nothing.
  local marked = last and string.sub(last, 1, 1) == '?'
  if was == 'counted' and last == text(ballot.at) then
    redis.call('HSET', TALLY, entry .. '/last', '?' .. text(box.offset))
  elseif marked and (was == 'counted' or to == 'counted') then
    redis.call('HSET', TALLY, entry .. '/last', '?' .. text(box.offset))
  elseif to == 'counted' and not marked and (not last or tonumber(last) < ballot.at) then
    redis.call('HSET', TALLY, entry .. '/last', text(ballot.at))
  end
end
ballot.standing, ballot.reasons = to, ARGV[5]
local letter, why = string.sub(to, 1, 1), (ARGV[4] == 'organizer' and '!' or '') .. ballot.reasons
redis.call('HSET', KEYS[5], id, ballot_text(ballot.present and string.upper(letter) or letter, ballot.at, ballot.offset,
  entry .. (why ~= '' and '|' .. why or '')))
if to == 'held' then
  redis.call('ZADD', KEYS[6], text(ballot.at), id)
elseif was == 'held' then
  redis.call('ZREM', KEYS[6], id)
end
-- A ballot taken back gives its turn back; a void one does not. Whose voter is now
-- another one has its turns there: see join.go.
if to == 'withdrawn' and not turns.into and ballot.at >= turns.start then
  turns.used = math.max(turns.used - 1, 0)
  turns.entries[entry] = math.max((turns.entries[entry] or 0) - 1, 0)
  redis.call('HSET', KEYS[5], voter, turns_text(turns))
end
return answer('changed', box, turns.used, 0, ballot)
