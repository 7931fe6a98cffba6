// Moves the numbers of a contest page while it is looked at. The page is complete without it.
(function () {
  'use strict';
  var live = document.querySelector('[data-feed]');
  if (!live || !window.fetch || !window.Intl) return;
  var lang = document.documentElement.lang, state = live.querySelector('[data-state]'), button = live.querySelector('button');
  var still = window.matchMedia('(prefers-reduced-motion: reduce)'), timer = 0, paused = false, pressed = false, busy = false, seen = '';

  // A receipt is for whoever voted: it does not belong in an address that is shared.
  if (/[?&](receipt|refused)=/.test(location.search) && history.replaceState) {
    var language = /[?&]lang=(fr|en)/.exec(location.search);
    history.replaceState(null, '', location.pathname + (language ? '?lang=' + language[1] : ''));
  }

  function number(n, digits) {
    return new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  }
  function set(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }
  function show(name) {
    live.className = 'live' + (name === 'live' ? '' : ' ' + name);
    set(state, live.dataset[name]);
  }
  function fill(item, row, digits, best) {
    item.dataset.place = row.rank;
    set(item.querySelector('[data-rank]'), String(row.rank));
    set(item.querySelector('[data-votes]'), number(row.votes, 0));
    if (row.score !== undefined) {
      set(item.querySelector('[data-score]'), number(row.score, digits));
      item.querySelector('rect').setAttribute('width', (best > 0 ? Math.round(100 * row.score / best) : 0) + '%');
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
    if (board.totals.counted !== null) set(document.querySelector('[data-total]'), number(board.totals.counted, 0));
    ['schools', 'entries'].forEach(function (name) {
      update(document.querySelector('[data-rows=' + name + ']'), board[name]);
    });
  }
  function ask() {
    if (busy || paused || document.hidden) return;
    busy = true;
    fetch(live.dataset.feed, { credentials: 'omit' }).then(function (answer) {
      if (!answer.ok) throw answer.status;
      return answer.text();
    }).then(function (text) {
      show('live');
      // Nothing moves under a finger that is about to press: it waits for the next time.
      if (paused || text === seen || pressed) return;
      seen = text;
      apply(JSON.parse(text));
    }).catch(function () { if (!paused) show('off'); }).then(function () { busy = false; next(); });
  }
  function next() {
    clearTimeout(timer);
    // Apart by chance, so that a thousand pages do not ask at once.
    if (!paused && !document.hidden) timer = setTimeout(ask, 1600 + 800 * Math.random());
  }
  button.addEventListener('click', function () {
    paused = !paused;
    set(button, paused ? button.dataset.resume : button.dataset.pause);
    show(paused ? 'paused' : 'live');
    next();
  });
  document.addEventListener('visibilitychange', ask);
  document.addEventListener('pointerdown', function () { pressed = true; });
  ['pointerup', 'pointercancel'].forEach(function (name) { document.addEventListener(name, function () { pressed = false; }); });
  live.hidden = false;
  next();
}());
