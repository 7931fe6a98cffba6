// Moves the numbers of a contest page while it is looked at. The page is complete without it.
(function () {
  'use strict';
  var live = document.querySelector('[data-feed]');
  if (!live || !window.fetch || !window.Intl) return;
  var lang = document.documentElement.lang, state = live.querySelector('[data-state]'), button = live.querySelector('button');
  var still = window.matchMedia('(prefers-reduced-motion: reduce)'), paused = false, pressed = false, waiting = null, fresh = Date.now();
  var told = Date.now(), leader = leading(), lead = document.createElement('span'), more = 0, fails = 0, none = false;
  lead.className = 'sr';
  document.getElementById('status').append(lead);

  // A receipt is for whoever voted: it does not belong in an address that is shared.
  if (/[?&](receipt|refused)=/.test(location.search) && history.replaceState) {
    var language = /[?&]lang=(fr|en)/.exec(location.search);
    history.replaceState(null, '', location.pathname + (language ? '?lang=' + language[1] : '') + location.hash); // which leads to the message
  }

  function number(n, digits) {
    return new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  }
  // How a noun is counted: 0 vote in French, 0 votes in English.
  function noun(words, n) { return words[n === 1 || n === 0 && lang === 'fr' ? 'singular' : 'plural']; }
  function set(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }
  function show(name) {
    live.className = 'live' + (name === 'live' ? '' : ' ' + name);
    set(state, live.dataset[name].replace('{at}', new Intl.DateTimeFormat(lang, { timeStyle: 'medium' }).format(fresh)));
  }
  function leading() {
    var first = document.querySelectorAll('[data-rows=schools] > [data-place="1"]');
    return first.length === 1 ? first[0] : null;
  }
  // To who hears the page: that another school leads, and not more often than can be listened to.
  function tell() {
    var now = leading();
    if (!now || now === leader || Date.now() - told < 20000) return;
    leader = now;
    told = Date.now();
    set(lead, live.dataset.leads.replace('{name}', now.querySelector('strong').textContent));
  }
  function fill(item, row, digits, best) {
    // Nobody is first while nobody has a vote.
    item.dataset.place = none ? '' : row.rank;
    set(item.querySelector('[data-rank]'), none ? '–' : String(row.rank));
    set(item.querySelector('[data-votes]'), number(row.votes, 0));
    set(item.querySelector('[data-noun]'), noun(live.dataset, row.votes));
    if (row.score !== undefined) {
      set(item.querySelector('[data-score]'), number(row.score, digits));
      var bar = item.querySelector('rect');
      if (bar) bar.setAttribute('width', (best > 0 ? Math.round(100 * row.score / best) : 0) + '%');
    }
    var trend = item.querySelector('[data-trend]'), n = row.trend;
    trend.dataset.trend = n;
    set(trend.firstElementChild, n ? (n > 0 ? '▲ ' : '▼ ') + Math.abs(n) : '');
    set(trend.lastElementChild, n ? (n > 0 ? live.dataset.rise : live.dataset.fall).replace('{n}', Math.abs(n)) : '');
  }
  function update(list, rows) {
    var items = {}, from = {}, order = [], best = 0, moved = false, focus = document.activeElement;
    [].forEach.call(list.children, function (item) { items[item.dataset.id] = item; });
    rows.forEach(function (row) {
      var item = items[row.id];
      if (row.score > best) best = row.score;
      if (!item || row.votes === null || row.rank === null) return;
      fill(item, row, +list.dataset.digits || 0, best);
      order.push(item);
    });
    // A row under a finger or about to be pressed stays where it is.
    order.forEach(function (item, i) { if (list.children[i] !== item) moved = true; });
    if (!moved) return;
    order.forEach(function (item) { from[item.dataset.id] = item.getBoundingClientRect().top; });
    order.slice().reverse().forEach(function (item) { list.insertBefore(item, list.firstChild); });
    if (focus && focus !== document.activeElement) focus.focus({ preventScroll: true });
    if (still.matches || !list.animate) return;
    order.forEach(function (item) {
      var by = from[item.dataset.id] - item.getBoundingClientRect().top;
      if (by) item.animate([{ transform: 'translateY(' + by + 'px)' }, { transform: 'none' }], { duration: 450, easing: 'ease-out' });
    });
  }
  function apply(board) {
    if (board.phase !== live.dataset.phase) {
      document.querySelector('[data-over]').hidden = false;
      paused = true;
      live.hidden = true;
      return;
    }
    var total = document.querySelector('[data-total]');
    if (total && board.totals.counted !== null) {
      set(total, number(board.totals.counted, 0));
      set(total.nextElementSibling, noun(total.nextElementSibling.dataset, board.totals.counted));
    }
    if (board.phase !== 'voting') return; // there are no numbers yet
    none = board.totals.counted === 0;
    var first = document.querySelector('[data-none]');
    if (first) first.hidden = !none;
    [].forEach.call(document.querySelectorAll('[data-rows]'), function (list) { update(list, board[list.dataset.rows]); });
    tell();
  }
  // Nothing moves under a finger that is about to press: it waits.
  function settle() {
    if (!waiting || paused || pressed || more) return;
    if (!live.dataset.more) {
      apply(waiting);
      waiting = null;
      return;
    }
    // Of a long list the feed has the beginning: that it came is the news, the rows are asked for, and not of
    // a cache that was filled before it. News that could not be shown is still news.
    more = setTimeout(function () {
      var news = waiting;
      waiting = null;
      fetch(live.dataset.poll, { credentials: 'omit', cache: 'no-cache', signal: joute.patience() }).then(function (answer) {
        if (!answer.ok) throw answer.status;
        return answer.json();
      }).then(function (whole) {
        fails = 0;
        if (paused || pressed) waiting = waiting || news;
        else apply(whole);
      }).catch(function () {
        fails++;
        waiting = waiting || news;
      }).then(function () { more = 0; settle(); });
    }, Math.min(400 * Math.pow(2, fails), 20000) + 200 * Math.random());
  }
  button.addEventListener('click', function () {
    paused = !paused;
    set(button, paused ? button.dataset.resume : button.dataset.pause);
    show(paused ? 'paused' : 'live');
    settle();
  });
  document.addEventListener('pointerdown', function () { pressed = true; });
  ['pointerup', 'pointercancel'].forEach(function (name) { document.addEventListener(name, function () { pressed = false; settle(); }); });
  live.hidden = live.dataset.phase !== 'voting' || Boolean(live.dataset.frozen); // nothing moves: it only waits for the end
  joute.follow({
    feed: live.dataset.feed, poll: live.dataset.poll,
    board: function (board) { waiting = board; fresh = Date.now(); settle(); },
    state: function (name) { if (!paused) show(name); }
  });
}());
