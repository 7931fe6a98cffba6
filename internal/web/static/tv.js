// The screen in the hall: it runs for days and nobody touches it. Numbers come
// from the feed; everything else comes with the page itself, asked for again
// every few seconds, so that a wall never has to go anywhere to be right.
(function () {
  'use strict';
  var root = document.documentElement, lang = root.lang, still = window.matchMedia('(prefers-reduced-motion: reduce)');
  var second = 1000, minute = 60 * second, hour = 60 * minute;
  var all = 10, pinned = 3, others = 5; // schools at once; when there are more, the first stay and the others take turns
  var units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  var began = Date.now(), moved = began, changed = began, told = 0, contact = began, live = true;
  var clock = 0; // the server's, ahead of ours
  var body, list, seats, follower, waiting = null, drawing = 0, drawn = 0, asking = false, asked = began, seen, behind = null, turn = 0, rolling = 0;

  function one(selector) { return document.querySelector(selector); }
  function now() { return Date.now() + clock; }
  function set(element, text) { if (element && element.textContent !== text) element.textContent = text; }
  function number(n, digits) {
    return new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  }
  function hourOf(t) {
    return new Intl.DateTimeFormat(lang, { timeZone: body.dataset.zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(t + clock);
  }
  // place is how far a position is along: [epoch, records folded].
  function place(position) { return position.split('-').map(Number); }
  function before(a, b) { return a[0] < b[0] || a[0] === b[0] && a[1] < b[1]; }

  // take makes the body at hand ours.
  function take() {
    body = document.body;
    list = one('[data-rows]');
    seats = {};
    [].forEach.call(list.children, function (item) { seats[item.dataset.id] = { item: item, votes: +item.dataset.votes, at: -1 }; });
    clock = body.dataset.now - Date.now();
    seen = place(body.dataset.position);
    page([].slice.call(list.children));
    tick();
  }

  // page hides all rows but those whose turn it is.
  function page(order) {
    var pages = order.length > all ? Math.ceil((order.length - pinned) / others) : 1;
    var from = pinned + Math.min(turn % pages * others, order.length - pinned - others);
    order.forEach(function (item, i) { item.hidden = pages > 1 && i >= pinned && (i < from || i >= from + others); });
    list.dataset.pages = pages;
    set(one('[data-page]'), pages > 1 ? turn % pages + 1 + ' / ' + pages : '');
  }
  function tops() {
    var at = {};
    [].forEach.call(list.children, function (item) { if (!item.hidden) at[item.dataset.id] = item.offsetTop; });
    return at;
  }
  // slide lets rows go from where they were to where they are.
  function slide(from) {
    if (still.matches || !list.animate) return;
    var late = 0;
    [].forEach.call(list.children, function (item) {
      if (item.hidden) return;
      var was = from[item.dataset.id], by = was - item.offsetTop;
      if (was === undefined) item.animate([{ opacity: 0, transform: 'translateX(4%)' }, { opacity: 1, transform: 'none' }], { duration: 500, delay: 70 * late++, fill: 'backwards', easing: 'ease-out' });
      else if (by) item.animate([{ transform: 'translateY(' + by + 'px)', zIndex: by > 0 ? 2 : 1 }, { transform: 'none', zIndex: by > 0 ? 2 : 1 }], { duration: 750, easing: 'cubic-bezier(.3,1.35,.5,1)' });
    });
  }
  function flip() {
    var from = tops();
    turn++;
    page([].slice.call(list.children));
    slide(from);
  }

  function fill(seat, row, digits, best, none, hall) {
    var item = seat.item, n = row.trend, trend = item.querySelector('[data-trend]'), gain = item.querySelector('[data-gain]'), width = (best > 0 ? Math.round(100 * row.score / best) : 0) + '%';
    item.dataset.place = row.votes ? row.rank : '';
    set(item.querySelector('[data-rank]'), none ? '–' : String(row.rank)); // nobody is first while nobody has a vote
    set(item.querySelector('[data-score]'), number(row.score, digits));
    set(item.querySelector('[data-home]'), hall ? '⌂ ' + number(row.home || 0, 0) + ' · ' + number(row.votes - (row.home || 0), 0) : '');
    trend.dataset.trend = n;
    set(trend.firstElementChild, n ? (n > 0 ? '▲ ' : '▼ ') + Math.abs(n) : '');
    [].forEach.call(item.querySelectorAll('rect'), function (bar) { if (bar.getAttribute('width') !== width) bar.setAttribute('width', width); });
    if (row.votes > seat.votes && !still.matches && gain.animate) {
      set(gain, '+' + number(row.votes - seat.votes, 0));
      gain.animate([{ opacity: 0, transform: 'translateY(60%)' }, { opacity: 1, transform: 'none', offset: 0.15 }, { opacity: 1, offset: 0.75 }, { opacity: 0 }], { duration: 2200 });
    }
    seat.votes = row.votes;
  }
  function shine(item) {
    if (!still.matches && item.animate) item.animate([{ filter: 'brightness(1)' }, { filter: 'brightness(1.5)', offset: 0.2 }, { filter: 'brightness(1)' }], { duration: 1800 });
  }
  // lead is the moment the hall cheers; it is told at most every twenty seconds.
  function lead(item) {
    if (Date.now() - told < 20 * second) return;
    told = Date.now();
    set(one('[data-cheer]'), body.dataset.leads.replace('{n}', item.querySelector('.who bdi').textContent));
  }
  function roll(total, to) {
    var from = +total.dataset.total, start = 0;
    cancelAnimationFrame(rolling);
    total.dataset.total = to;
    if (still.matches || from === to) { set(total, number(to, 0)); return; }
    (function step(at) {
      start = start || at;
      var share = Math.min((at - start) / 900, 1);
      set(total, number(Math.round(from + (to - from) * (1 - Math.pow(1 - share, 3))), 0));
      if (share < 1) rolling = requestAnimationFrame(step);
    }(performance.now()));
  }

  // draw shows a leaderboard. What the page says otherwise, the page itself brings.
  function draw(board) {
    var order = [], best = 0, first = list.firstElementChild, from, digits = +list.dataset.digits || 0, total = one('[data-total]'), rises = [], hall;
    if (board.phase !== body.dataset.phase) return ask();
    if (body.dataset.state === 'coming') return;
    if ((board.totals.counted !== null) !== Boolean(total)) return ask();
    if (!total) return;
    changed = Date.now();
    roll(total, board.totals.counted);
    set(total.nextElementSibling, total.nextElementSibling.dataset[board.totals.counted === 1 || board.totals.counted === 0 && lang === 'fr' ? 'singular' : 'plural']);
    board.schools.forEach(function (row) { best = Math.max(best, row.score); });
    hall = board.schools.some(function (row) { return row.home; });
    one('[data-legend]').hidden = !hall;
    board.schools.forEach(function (row) {
      var seat = seats[row.id];
      if (!seat) return;
      fill(seat, row, digits, best, board.totals.counted === 0, hall);
      if (seat.at >= 0 && order.length < seat.at) rises.push(seat.item);
      seat.at = order.length;
      order.push(seat.item);
    });
    from = tops();
    order.forEach(function (item, i) { if (list.children[i] !== item) list.insertBefore(item, list.children[i]); });
    page([].slice.call(list.children));
    slide(from);
    rises.forEach(shine);
    if (first && first !== list.firstElementChild && best > 0) lead(list.firstElementChild);
  }
  // A screen that changes more than once a second is not read.
  function receive(board) {
    seen = place(board.position);
    contact = Date.now();
    waiting = board;
    if (!drawing) drawing = setTimeout(function () {
      drawing = 0;
      drawn = Date.now();
      draw(waiting);
    }, Math.max(0, drawn + second - Date.now()));
  }
  function follow() {
    if (follower) follower.close();
    behind = null;
    follower = window.joute.follow({
      feed: body.dataset.feed, poll: body.dataset.poll, board: receive,
      state: function (state) { live = state === 'live'; if (live) contact = Date.now(); }
    });
  }

  // ask fetches this very page. Only an answer that is a wall changes anything,
  // so no error ever gets onto the screen.
  function ask() {
    if (asking) return;
    asking = true;
    asked = Date.now();
    var stop = new AbortController(), limit = setTimeout(function () { stop.abort(); }, 8 * second);
    fetch(location.href, { cache: 'no-store', credentials: 'omit', signal: stop.signal }).then(function (answer) {
      if (!answer.ok) throw answer.status;
      return answer.text();
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, 'text/html');
      if (fresh.body.dataset.print) compare(fresh);
    }).catch(function () { /* the age of the numbers says it */ }).then(function () {
      clearTimeout(limit);
      asking = false;
    });
  }
  function compare(fresh) {
    var data = fresh.body.dataset, at = place(data.position), age = Date.now() - began;
    // Servers of two versions may answer in turn: no more than a reload a minute.
    if (data.build !== body.dataset.build ? age > minute : tired(age)) { location.reload(); return; }
    if (data.print !== body.dataset.print) { become(fresh); return; }
    clock = data.now - Date.now();
    if (!before(seen, at)) contact = Date.now();
    if (behind && before(seen, behind)) follow(); // the feed has had ten seconds, and is dead
    behind = at;
    ['[data-best]', '[data-codes]'].forEach(function (part) {
      var mine = one(part), theirs = fresh.querySelector(part);
      if (mine && theirs && mine.outerHTML !== theirs.outerHTML) mine.replaceWith(document.adoptNode(theirs));
    });
  }
  // A browser that runs for days wants a fresh start: when nothing happens and
  // nothing is about to, or at last anyway.
  function tired(age) {
    var next = +body.dataset.next, soon = next && next - now() < 5 * minute && next > now() - minute;
    return age > 5 * hour && !soon && (age > 6 * hour || Date.now() - changed > minute);
  }
  function become(fresh) {
    function change() {
      document.title = fresh.title;
      one('[data-colours]').href = fresh.querySelector('[data-colours]').getAttribute('href');
      document.body.replaceWith(document.adoptNode(fresh.body));
      take();
      contact = Date.now();
    }
    if (document.startViewTransition && !still.matches) document.startViewTransition(change);
    else change();
  }

  function countdown() {
    var left = body.dataset.until - now(), sum = Math.max(Math.ceil(left / second), 0), shown = 0, most = body.dataset.state === 'coming' ? 4 : 2, last = one('[data-last]');
    units.forEach(function (unit) {
      var cell = one('[data-unit=' + unit[0] + ']'), n = Math.floor(sum / unit[1]);
      sum -= n * unit[1];
      if (n || shown || unit[1] === 1) shown++;
      cell.hidden = !shown || shown > most;
      if (cell.hidden) return;
      set(cell.firstElementChild, String(n));
      set(cell.lastElementChild, name(n, unit[0]));
    });
    // The whole hall counts the last ten seconds.
    last.hidden = left > 10 * second || left < -12 * second;
    last.classList.toggle('word', left <= 0);
    set(last, left > 0 ? String(Math.ceil(left / second)) : body.dataset.state === 'coming' ? '' : body.dataset.over);
  }
  function name(n, unit) {
    return new Intl.NumberFormat(lang, { style: 'unit', unit: unit, unitDisplay: 'long' }).formatToParts(n).filter(function (part) { return part.type === 'unit'; })[0].value;
  }
  function connection() {
    var stale = Date.now() - contact > 15 * second, label = one('[data-link]'), text = body.dataset.off;
    label.dataset.on = label.dataset.on || label.textContent;
    if (stale) text = body.dataset.stale.replace('{t}', hourOf(contact));
    else if (live) text = label.dataset.on;
    set(label, text);
    root.dataset.connection = stale ? 'stale' : live ? 'live' : 'off';
    one('.as-of').hidden = stale;
    set(one('[data-as-of]'), hourOf(contact));
  }
  function tick() {
    var next = +body.dataset.next, code = one('[data-code]'), ends = code && +code.dataset.ends;
    // No code is better than a dead one: without the server there is no other.
    if (code) code.hidden = now() > ends + 10 * second;
    if (body.dataset.until) countdown();
    connection();
    if (told && Date.now() - told > 6 * second) set(one('[data-cheer]'), '');
    root.classList.toggle('idle', Date.now() - moved > 3 * second);
    // When the hour has come, the page says something else very soon; and so it has
    // another code as soon as this one's time is over.
    if (Date.now() - asked > (next && now() > next || code && now() > ends ? 2 : 10) * second) ask();
  }
  // beat is the one timer there is: at the full second of the hall's clock.
  function beat(n) {
    setTimeout(function () {
      tick();
      if (n % 10 === 9 && +list.dataset.pages > 1) flip();
      beat(n + 1);
    }, second - now() % second + 5);
  }
  function awake() {
    if (navigator.wakeLock && !document.hidden) navigator.wakeLock.request('screen').catch(function () { /* then the screen's own settings decide */ });
  }

  ['mousemove', 'mousedown'].forEach(function (kind) {
    document.addEventListener(kind, function () { moved = Date.now(); root.classList.remove('idle'); });
  });
  document.addEventListener('visibilitychange', awake);
  awake();
  take();
  follow();
  beat(0);
}());
