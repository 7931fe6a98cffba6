-- Cast ballots, each at most once.
--
-- KEYS 5 evidence stream  what was seen of attempts: an entry has those of one sheet of the ledger and its id;
--                         they are one field, in their order, apart by line ends
--      6 held     zset    ballot .. voter of those held, by the instant of the cast
--      then of each ballot
--      voters     hash    voter -> turns used in the voter's newest period, and ballots
--      ballots    hash    ballot .. voter -> what became of the ballot
--      solved     string  the ballot that a challenge was solved for; only of a ballot for which one was
-- ARGV 1 how many bounds follow: of the periods around now, in ms, ascending; none for `contest`
--      then of each ballot
--      ballot and voter, 16 bytes each
--      the ledger's record of it, as record in box.lua writes them, without these two at its end
--      evidence, JSON
--      how: `c` to be counted, `h` to be held, a capital when the pass had been in the hall; the entry; behind it, where
--        one of them is not empty, `|reasons|refusal|life`: reasons, space between; a refusal decided before; how long
--        a solved challenge is remembered, in ms
--
-- Replies {shared, answer, …}, one answer a ballot
--   shared {state, now, max, next, opens, closes}   next is when the period ends, 0 for never
--   answer `code|used`, as a text, since Redis takes its time with tables
--     counted, held    …|offset: accepted by this call, now
--     duplicate        …|standing|at|offset|entry|reasons|present: accepted before, with today's standing and reasons
--     ballot-reused    this voter sent this ballot with another entry
--     phase-closed     before opens, at or after closes
--     already-voted    no turn left in the period, or none for this entry
--     the refusal      as decided before, on a ballot not seen before
--     challenge-used   the challenge was solved for another ballot
--   answer `joined|voter`: this voter is that one; cast again as that one
--   answer `again`: another ballot of this call has just changed what this one rests on: call again
-- or, for all, {shared}
--   {bounds, now}    now is in none of the periods: call again with bounds around now
--   {unconfigured}, {torn}   see open_box
--
-- All of it is read and checked before the first write, so a ballot that cannot be is no other's harm.

local box, missing = open_box()
if not box then return { missing } end
local EVIDENCE, HELD = KEYS[5], KEYS[6]
local call, sub = redis.call, string.sub
local unseen = call('XLEN', EVIDENCE) == 0

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
local key, n = 7, 0
for at = bounds + 2, #ARGV, 4 do
  local id, how = ARGV[at], ARGV[at + 3]
  local letter, entry, reasons, refusal, life = sub(how, 1, 1), sub(how, 2), '', '', ''
  if string.find(entry, '|', 1, true) then
    entry, reasons, refusal, life = string.match(entry, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
  end
  local voter, ballots, voters = sub(id, 17), KEYS[key + 1], KEYS[key]
  key = key + 2
  local solved, served
  if life ~= '' then
    solved, key = KEYS[key], key + 1
    served = call('GET', solved)
  end
  if letter == 'c' then
    counter(entry)
  elseif letter == 'C' then
    counter(entry)
    counter(entry .. '/home')
  else
    counter('/held')
    call('ZCARD', HELD)
  end
  local first, turns = call('HGET', ballots, id), call('HGET', voters, voter)
  n = n + 1
  casts[n] = {
    id = id, record = ARGV[at + 1], evidence = ARGV[at + 2], letter = letter, entry = entry, reasons = reasons, refusal = refusal,
    voter = voter, voters = voters, ballots = ballots, solved = solved, life = life, served = served,
    first = first and ballot_of(first), turns = turns and turns_of(turns, start),
  }
end
local counts = call('HMGET', TALLY, unpack(fields))
for i = 1, #fields do counts[i] = integer(counts[i], 0) end

turn(box)

-- changed has the voters and challenges of which what was read is not so any more,
-- moved the places of the counts that are not; news is what is to be written to the
-- tally, records and seen what was made of the accepted ones.
local changed, moved, news = {}, {}, {}
local accepted, records, seen = 0, {}, {}
local function add(field)
  local place = places[field]
  counts[place] = counts[place] + 1
  moved[place] = true
end
local function refused(code, used) return code .. '|' .. text(used) end
local limited = box.per_entry < box.max

local function decide(cast)
  local first, turns, entry, voter = cast.first, cast.turns, cast.entry, cast.voter
  if changed[voter] or (cast.solved and changed[cast.solved]) then return 'again' end
  local used = turns and turns.used or 0
  if first then
    return table.concat({ first.entry == entry and 'duplicate' or 'ballot-reused', text(used),
      first.standing, text(first.at), text(first.offset), first.entry, first.reasons, first.present and '1' or '0' }, '|')
  end
  if turns and turns.into then return 'joined|' .. turns.into end
  if cast.refusal ~= '' then return refused(cast.refusal, used) end
  local ballot = sub(cast.id, 1, 16)
  if cast.served and cast.served ~= ballot then return refused('challenge-used', used) end
  if box.state ~= 'open' then return refused('phase-closed', used) end
  local spent = turns and turns.entries[entry] or 0
  if used >= box.max or (limited and spent >= box.per_entry) then return refused('already-voted', used) end

  changed[voter] = true
  if cast.solved then changed[cast.solved] = true end
  accepted = accepted + 1
  records[accepted], seen[accepted] = cast.record .. cast.id, cast.evidence
  local letter, standing, offset = cast.letter, 'counted', box.offset + accepted
  if letter == 'c' or letter == 'C' then
    add(entry)
    if letter == 'C' then add(entry .. '/home') end
    if box.ties == 'earliest' then news[#news + 1], news[#news + 2] = entry .. '/last', text(box.now) end
  else
    standing = 'held'
    add('/held')
  end
  cast.kept = ballot_text(letter, box.now, offset, cast.reasons == '' and entry or entry .. '|' .. cast.reasons)
  turns = turns or turns_of(nil, start)
  turns.used, turns.ballots = used + 1, turns.ballots .. ballot
  if limited then turns.entries[entry] = spent + 1 end
  cast.turns = turns
  return standing .. '|' .. text(turns.used) .. '|' .. text(offset)
end

local answers = { { box.state, box.now, box.max, next, box.opens, box.closes } }
for i = 1, n do answers[i + 1] = decide(casts[i]) end
if accepted == 0 then
  commit(box)
  return answers
end

-- Before the records: where a kill leaves these alone, a challenge is good for the same
-- ballot, which is not in the box, and for no other.
for _, cast in ipairs(casts) do
  if cast.kept and cast.solved then call('SET', cast.solved, sub(cast.id, 1, 16), 'PX', cast.life) end
end
append(box, 'cast', table.concat(records), accepted)
for _, cast in ipairs(casts) do
  if cast.kept then
    call('HSET', cast.ballots, cast.id, cast.kept)
    call('HSET', cast.voters, cast.voter, turns_text(cast.turns))
    if cast.letter == 'h' or cast.letter == 'H' then call('ZADD', HELD, text(box.at), cast.id) end
  end
end
for place, field in ipairs(fields) do
  if moved[place] then news[#news + 1], news[#news + 2] = field, text(counts[place]) end
end
call('HSET', TALLY, unpack(news))
call('XADD', EVIDENCE, string.format('%d-%d', box.at, box.offset), 'seen', table.concat(seen, '\n'))
if unseen then call('PEXPIREAT', EVIDENCE, text(box.expires)) end
commit(box)
return answers
