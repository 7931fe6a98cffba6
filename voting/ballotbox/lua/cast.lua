-- Cast ballots, each at most once.
--
-- KEYS 5 evidence stream  what was seen of attempts: an entry has those of one run of this script, its id
--                         is the last one's, its fields are the offsets of the records
--      6 held     zset    ballot .. voter of those held, by the instant of the cast
--      then of each ballot
--      voters     hash    voter -> turns used in the voter's newest period, and ballots
--      ballots    hash    ballot .. voter -> what became of the ballot
--      solved     string  the ballot that a challenge was solved for; only of a ballot for which one was
-- ARGV 1 how many bounds follow: of the periods around now, in ms, ascending; none for `contest`
--      then of each ballot
--      voter, 16 bytes; ballot, 16 bytes; entry; the ledger's record of it, as record in box.lua writes them;
--      evidence, JSON
--      how: `c` to be counted, `h` to be held, a capital when the pass had been in the hall; behind it, where one
--        of them is not empty, `|reasons|refusal|life`: reasons, space between; a refusal decided before; how long
--        a solved challenge is remembered, in ms
--
-- Replies {shared, answer, …}, one answer a ballot
--   shared {state, now, max, next, opens, closes}   next is when the period ends, 0 for never
--   answer {code, used, …}
--     counted, held    … offset: accepted by this call, now
--     duplicate        … standing, at, offset, entry, reasons, present: accepted before, with today's standing and reasons
--     ballot-reused    this voter sent this ballot with another entry
--     phase-closed     before opens, at or after closes
--     already-voted    no turn left in the period, or none for this entry
--     the refusal      as decided before, on a ballot not seen before
--     challenge-used   the challenge was solved for another ballot
--   answer {joined, voter}: this voter is that one; cast again as that one
--   answer {again}: another ballot of this call has just changed what this one rests on: call again
-- or, for all, {shared}
--   {bounds, now}    now is in none of the periods: call again with bounds around now
--   {unconfigured}, {torn}   see open_box
--
-- All of it is read and checked before the first write, so a ballot that cannot be is no other's harm.

local box, missing = open_box()
if not box then return { missing } end
local EVIDENCE, HELD = KEYS[5], KEYS[6]
local unseen = redis.call('XLEN', EVIDENCE) == 0

local bounds = integer(ARGV[1])
local start, next = 0, 0
if box.per ~= 'contest' then
  start = nil
  for i = 2, bounds do
    local from, to = integer(ARGV[i]), integer(ARGV[i + 1])
    if box.now >= from and box.now < to then start, next = from, to end
  end
  if not start then return { { 'bounds', box.now } } end
end

local casts, fields, places = {}, {}, {}
local function counter(field)
  if not places[field] then
    fields[#fields + 1] = field
    places[field] = #fields
  end
end
local key = 7
for at = bounds + 2, #ARGV, 6 do
  local voter, ballot, entry, letter = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 5]
  local cast = { at = at, key = key, id = ballot .. voter, reasons = '', refusal = '' }
  if #letter > 1 then
    local life
    letter, cast.reasons, cast.refusal, life = string.match(letter, '^(%a)|([^|]*)|([^|]*)|([^|]*)$')
    if life ~= '' then
      cast.solved, cast.life = KEYS[key + 2], life
      cast.served = redis.call('GET', cast.solved)
      key = key + 1
    end
  end
  cast.letter = letter
  if letter == 'c' then
    counter(entry)
  elseif letter == 'C' then
    counter(entry)
    counter(entry .. '/home')
  else
    counter('/held')
    redis.call('ZCARD', HELD)
  end
  local first = redis.call('HGET', KEYS[cast.key + 1], cast.id)
  if first then cast.first = ballot_of(first) end
  cast.turns = turns_of(redis.call('HGET', KEYS[cast.key], voter), start)
  casts[#casts + 1] = cast
  key = key + 2
end
local counts = redis.call('HMGET', TALLY, unpack(fields))
for i = 1, #fields do counts[i] = integer(counts[i], 0) end

turn(box)

-- changed has the voters and challenges of which what was read is not so any more,
-- moved the places of the counts that are not; news is what is to be written to the
-- tally, seen to the evidence.
local changed, moved, news, seen = {}, {}, {}, {}
local function add(field)
  local place = places[field]
  counts[place] = counts[place] + 1
  moved[place] = true
end

local function decide(cast)
  local first, turns = cast.first, cast.turns
  local voter, ballot, entry, letter = ARGV[cast.at], ARGV[cast.at + 1], ARGV[cast.at + 2], cast.letter
  if changed[voter] or (cast.solved and changed[cast.solved]) then return { 'again' } end
  if first then
    return { first.entry == entry and 'duplicate' or 'ballot-reused', turns.used,
      first.standing, first.at, first.offset, first.entry, first.reasons, first.present and 1 or 0 }
  end
  if turns.into then return { 'joined', turns.into } end
  if cast.refusal ~= '' then return { cast.refusal, turns.used } end
  if cast.served and cast.served ~= ballot then return { 'challenge-used', turns.used } end
  if box.state ~= 'open' then return { 'phase-closed', turns.used } end
  local spent = turns.entries[entry] or 0
  if turns.used >= box.max or (box.per_entry < box.max and spent >= box.per_entry) then
    return { 'already-voted', turns.used }
  end

  changed[voter] = true
  -- Before the record: where a kill leaves this alone, the challenge is good for the
  -- same ballot, which is not in the box, and for no other.
  if cast.solved then
    changed[cast.solved] = true
    redis.call('SET', cast.solved, ballot, 'PX', cast.life)
  end
  append(box, 'cast', ARGV[cast.at + 3])
  local standing = 'counted'
  if letter == 'c' or letter == 'C' then
    add(entry)
    if letter == 'C' then add(entry .. '/home') end
    if box.ties == 'earliest' then news[#news + 1], news[#news + 2] = entry .. '/last', text(box.at) end
  else
    standing = 'held'
    add('/held')
    redis.call('ZADD', HELD, text(box.at), cast.id)
  end
  redis.call('HSET', KEYS[cast.key + 1], cast.id,
    ballot_text(letter, box.at, box.offset, cast.reasons == '' and entry or entry .. '|' .. cast.reasons))
  turns.used, turns.ballots = turns.used + 1, turns.ballots .. ballot
  if box.per_entry < box.max then turns.entries[entry] = spent + 1 end
  redis.call('HSET', KEYS[cast.key], voter, turns_text(turns))
  seen[#seen + 1], seen[#seen + 2] = text(box.offset), ARGV[cast.at + 4]
  return { standing, turns.used, box.offset }
end

local answers = { { box.state, box.now, box.max, next, box.opens, box.closes } }
for _, cast in ipairs(casts) do answers[#answers + 1] = decide(cast) end
if #seen > 0 then
  for place, field in ipairs(fields) do
    if moved[place] then news[#news + 1], news[#news + 2] = field, text(counts[place]) end
  end
  redis.call('HSET', TALLY, unpack(news))
  redis.call('XADD', EVIDENCE, string.format('%d-%d', box.at, box.offset), unpack(seen))
  if unseen then redis.call('PEXPIREAT', EVIDENCE, text(box.expires)) end
end
commit(box)
return answers
