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
--      voter, 16 bytes; ballot, 16 bytes; entry; its school; evidence, JSON
--      how: `c` to be counted, `h` to be held, a capital when the pass had been in the hall; behind it, where one
--        of them is not empty, `|reasons|refusal|policy|life`: reasons, space between; a refusal decided before;
--        version of the policy that holds it; how long a solved challenge is remembered, in ms
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
  local voter, ballot, entry, how = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 5]
  local letter, reasons, refusal, policy, life = how, '', '', nil, ''
  if #how > 1 then letter, reasons, refusal, policy, life = string.match(how, '^(%a)|([^|]*)|([^|]*)|([^|]*)|([^|]*)$') end
  local cast = {
    voter = voter, ballot = ballot, id = ballot .. voter, entry = entry, school = ARGV[at + 3], seen = ARGV[at + 4],
    standing = (letter == 'c' or letter == 'C') and 'counted' or 'held', present = letter == 'C' or letter == 'H',
    reasons = reasons, refusal = refusal, policy = policy, life = life, voters = KEYS[key], ballots = KEYS[key + 1],
  }
  key = key + 2
  local first = redis.call('HGET', cast.ballots, cast.id)
  if first then cast.first = ballot_of(first) end
  cast.turns = turns_of(redis.call('HGET', cast.voters, voter), start)
  if life ~= '' then
    cast.solved = KEYS[key]
    cast.served = redis.call('GET', cast.solved)
    key = key + 1
  end
  counter(cast.standing == 'counted' and entry or '/held')
  if cast.present then counter(entry .. '/home') end
  if cast.standing == 'held' then redis.call('ZCARD', HELD) end
  casts[#casts + 1] = cast
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
  local first, turns, entry = cast.first, cast.turns, cast.entry
  if changed[cast.voter] or (cast.solved and changed[cast.solved]) then return { 'again' } end
  if first then
    return { first.entry == entry and 'duplicate' or 'ballot-reused', turns.used,
      first.standing, first.at, first.offset, first.entry, first.reasons, first.present and 1 or 0 }
  end
  if turns.into then return { 'joined', turns.into } end
  if cast.refusal ~= '' then return { cast.refusal, turns.used } end
  if cast.served and cast.served ~= cast.ballot then return { 'challenge-used', turns.used } end
  if box.state ~= 'open' then return { 'phase-closed', turns.used } end
  local spent = turns.entries[entry] or 0
  if turns.used >= box.max or (box.per_entry < box.max and spent >= box.per_entry) then
    return { 'already-voted', turns.used }
  end

  local standing, actor = cast.standing, 'voter'
  changed[cast.voter] = true
  -- Before the record: where a kill leaves this alone, the challenge is good for the
  -- same ballot, which is not in the box, and for no other.
  if cast.solved then
    changed[cast.solved] = true
    redis.call('SET', cast.solved, cast.ballot, 'PX', cast.life)
  end
  if standing == 'held' then actor = 'screen' end
  record(box, 'cast', actor, cast.reasons, nil, cast.id, standing, entry, cast.school, cast.present, standing == 'held' and cast.policy)
  if standing == 'counted' then
    add(entry)
    if cast.present then add(entry .. '/home') end
    if box.ties == 'earliest' then news[#news + 1], news[#news + 2] = entry .. '/last', text(box.at) end
  else
    add('/held')
    redis.call('ZADD', HELD, text(box.at), cast.id)
  end
  redis.call('HSET', cast.ballots, cast.id, ballot_text({
    standing = standing, at = box.at, offset = box.offset, entry = entry, reasons = cast.reasons, present = cast.present,
  }))
  turns.used, turns.ballots = turns.used + 1, turns.ballots .. cast.ballot
  if box.per_entry < box.max then turns.entries[entry] = spent + 1 end
  redis.call('HSET', cast.voters, cast.voter, turns_text(turns))
  seen[#seen + 1], seen[#seen + 2] = text(box.offset), cast.seen
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
