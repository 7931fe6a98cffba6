// A frame of ours on another site's page: the board that moves, or the vote in two steps. See docs/EMBED.md for its selectors.
(function () {
  'use strict';
  var main = document.querySelector('main'), origin = Date.now(), last = 0;
  function tell(type, more) {
    if (parent !== window) parent.postMessage(Object.assign({ v: 1, type: type }, more), '*');
  }
  function measure() {
    var height = Math.ceil(main.getBoundingClientRect().height) + 5; // and the card's border
    if (height !== last) tell('height', { height: last = height });
  }
  if (window.ResizeObserver) new ResizeObserver(measure).observe(main);
  measure();
  tell('ready');

  function one(name, inside) { return (inside || document).querySelector('[data-joute=' + name + ']'); }
  function number(n, digits) {
    return new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  }

  // A signal that gives up after some seconds, where a browser has it: a network that swallows everything is noticed by itself after minutes.
  function patience(seconds) { return window.AbortSignal && AbortSignal.timeout ? AbortSignal.timeout(1000 * seconds) : undefined; }

  // The board: asked while somebody can see it.
  var list = document.querySelector('[data-feed]');
  if (list && window.IntersectionObserver) board();
  function board() {
    var seen = false, paused = false, timer = 0, old = '', pause = one('pause');
    function ask() {
      clearTimeout(timer);
      if (!seen || paused || document.hidden) return;
      fetch(list.dataset.feed, { credentials: 'omit', signal: patience(8) }).then(function (a) { if (!a.ok) throw 0; return a.text(); }).then(function (text) {
        if (text !== old && !paused) fill(JSON.parse(old = text));
      }).catch(function () {}).then(function () {
        clearTimeout(timer);
        // Apart by chance, so that a thousand frames do not ask at once.
        timer = setTimeout(ask, 4000 + 2000 * Math.random());
      });
    }
    function fill(b) {
      if (b.phase !== list.dataset.phase) { location.reload(); return; }
      var rows = b.schools.slice(0, +list.dataset.rows), items = {};
      [].forEach.call(list.children, function (item) { items[item.dataset.id] = item; });
      var kept = rows.map(function (r) { return items[r.id]; }).filter(Boolean);
      var spare = [].filter.call(list.children, function (item) { return kept.indexOf(item) < 0; });
      rows.forEach(function (r) {
        if (r.rank === null || r.score === null) return;
        var item = items[r.id] || spare.shift();
        if (!item) return;
        if (item.dataset.id !== r.id) { item.dataset.id = r.id; item.querySelector('[data-name]').textContent = r.name; }
        // Nobody is first while nobody has a vote.
        item.dataset.place = b.totals.counted ? r.rank : '';
        item.querySelector('[data-rank]').textContent = b.totals.counted ? r.rank : '·';
        item.querySelector('[data-score]').textContent = number(r.score, +list.dataset.digits || 0);
        list.appendChild(item);
      });
    }
    pause.hidden = false;
    pause.addEventListener('click', function () {
      paused = !paused;
      pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
      ask();
    });
    new IntersectionObserver(function (e) { seen = e[e.length - 1].isIntersecting; ask(); }).observe(list);
    document.addEventListener('visibilitychange', ask);
  }

  var act = document.querySelector('.act');
  if (act) vote();
  function vote() {
    var link = one('window'), form = act.querySelector('form'), status = one('status'), retry = one('retry'), receipt = one('receipt'), share = one('share');
    var place = document.getElementById('place'), body = '', busy = false;

    function say(kind, title, text) {
      status.className = kind;
      status.textContent = '';
      var strong = document.createElement('strong');
      strong.textContent = title;
      status.append(title ? strong : '', text);
      retry.parentNode.hidden = retry.hidden && receipt.hidden;
    }
    // The device's own menu, where the page around lets us; else the app that the link leads to.
    function offer(what) {
      share.href = what.app;
      share.hidden = false;
      if (navigator.share) share.addEventListener('click', function (e) {
        e.preventDefault();
        navigator.share({ title: what.title, text: what.text, url: what.url }).catch(function (error) {
          if (error.name !== 'AbortError') window.open(what.app, '_blank', 'noopener');
        });
      });
    }
    // Numbers as they are now, from the page that showed them.
    function refresh() {
      if (document.hidden) return;
      fetch(location.href, { credentials: 'same-origin' }).then(function (a) { return a.ok ? a.text() : ''; }).then(function (text) {
        var now = text && new DOMParser().parseFromString(text, 'text/html').getElementById('place');
        if (now) place.textContent = now.textContent;
      }).catch(function () {});
    }
    function opened() {
      say('wait', '', act.dataset.opened);
      addEventListener('focus', refresh);
    }
    link.addEventListener('click', opened);
    // A sandboxed frame has no origin: nothing it sends can be told from a forgery. It shows who leads, and the address to vote at, as
    // it may not even be allowed to open it.
    if (self.origin === 'null') [].forEach.call(document.querySelectorAll('[data-sandbox]'), function (part) { part.hidden = false; });
    if (!form || !window.fetch || self.origin === 'null') return;
    var press = one('vote'), two = form.querySelector('.two'), confirm = one('confirm'), cancel = one('cancel');
    var asked = 0, armed = 0, visible, since = 0, timer = 0, watch;
    link.hidden = true;
    form.hidden = false;
    form.addEventListener('submit', function (e) { e.preventDefault(); });

    // Two steps, at two places, some time apart: nobody votes by one click that a page talked them into.
    function step(second) {
      press.hidden = second;
      two.hidden = !second;
      confirm.classList.remove('armed');
      clearInterval(timer);
      if (watch) watch.disconnect();
      watch = visible = undefined;
      if (!second) return;
      asked = Date.now();
      since = 0;
      var options = { trackVisibility: true, delay: 100, threshold: [0, 1] };
      if (window.IntersectionObserverEntry && 'isVisible' in IntersectionObserverEntry.prototype) {
        visible = false;
        watch = new IntersectionObserver(function (entries) {
          var now = entries[entries.length - 1], shown = now.isVisible && now.intersectionRatio >= 0.99;
          if (shown && !visible) since = Date.now();
          visible = shown;
        }, options);
        watch.observe(confirm);
      }
      timer = setInterval(function () { confirm.classList.toggle('armed', ready() || blocked()); }, 100);
    }
    function age() { return Date.now() - asked; }
    // Shown whole, with nothing over it, long enough to be read; where a browser cannot tell, the steps stand alone.
    function ready() { return age() >= 600 && (visible === undefined || visible && Date.now() - since >= 800); }
    function blocked() { return visible === false && age() >= 1200; }

    press.addEventListener('click', function (e) {
      if (!e.isTrusted || busy) return;
      step(true);
      if (e.detail === 0) confirm.focus();
    });
    cancel.addEventListener('click', function (e) {
      if (!e.isTrusted || age() < 600) return;
      step(false);
      press.focus();
    });
    confirm.addEventListener('click', function (e) {
      if (!e.isTrusted || busy) return;
      if (ready()) return send(true);
      if (!blocked()) return;
      // Covered, faded or scaled, as far as the browser can tell: our own window asks.
      step(false);
      form.hidden = true;
      link.hidden = false;
      say('wait', '', act.dataset.covered);
      window.open(link.href, '_blank', 'noopener');
      addEventListener('focus', refresh);
    });
    retry.addEventListener('click', function (e) { if (e.isTrusted && !busy) send(false); });

    function device() {
      var n = navigator, s = screen;
      return [s.width, s.height, s.colorDepth, window.devicePixelRatio, Intl.DateTimeFormat().resolvedOptions().timeZone,
        (n.languages || []).slice(0, 4).join(), n.platform, n.hardwareConcurrency, n.maxTouchPoints].join('|').replace(/[^ -~]/g, '').slice(0, 256);
    }
    function send(first) {
      if (first) {
        // The same ballot whenever it is sent again.
        var fields = new URLSearchParams(new FormData(form));
        fields.set('dwell_ms', Math.min(Date.now() - origin, 86400000));
        fields.set('confirm_ms', Math.min(age(), 86400000));
        if (visible !== undefined) fields.set('visible', String(visible));
        fields.set('device', device());
        body = fields.toString();
      }
      busy = true;
      step(false);
      form.hidden = retry.hidden = true;
      say('wait', '', act.dataset.sending);
      fetch(location.pathname + location.search, {
        method: 'POST', body: body, credentials: 'same-origin', signal: patience(15), headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' }
      }).then(function (a) {
        return a.json().then(function (said) { busy = false; answer(a, said); });
      }).catch(function () { busy = false; lost(); });
    }
    // A little work first: the script that does it is loaded when it is needed.
    function solve(puzzle) {
      busy = true;
      say('wait', '', act.dataset.checking);
      new Promise(function (loaded, failed) {
        var script = document.createElement('script');
        script.onload = loaded;
        script.onerror = failed;
        script.src = act.dataset.solver;
        document.head.append(script);
      }).then(function () { return jouteSolve(puzzle); }).then(function (payload) {
        var fields = new URLSearchParams(body);
        fields.set('challenge', payload);
        body = fields.toString();
        send(false);
      }).catch(function () { busy = false; lost(); });
    }
    function lost() {
      retry.hidden = false;
      say('bad', act.dataset.offlineTitle, act.dataset.offline);
    }
    function answer(a, said) {
      if (a.ok) {
        receipt.href = said.receipt;
        receipt.textContent = said.name;
        receipt.hidden = false;
        if (said.share) offer(said.share);
        // One thing to do next: to share what counts, and to make count what is held.
        (said.kind === 'good' ? share : receipt).classList.add('vote');
        say(said.kind, said.title, said.text);
        tell('voted');
        setTimeout(refresh, 1000);
      } else if (a.status >= 500) {
        lost();
      } else if (a.headers.get('X-Joute-Form')) {
        // Too long ago: the very same ballot under a new token, once pressed again.
        var fields = new URLSearchParams(body);
        fields.set('token', a.headers.get('X-Joute-Form'));
        body = fields.toString();
        retry.hidden = false;
        say('wait', '', act.dataset.expired);
      } else if (said.challenge && body.indexOf('&challenge=') < 0) {
        solve(said.challenge);
      } else {
        link.hidden = said.code === 'already-voted' || said.code === 'phase-closed';
        say(said.code === 'already-voted' ? 'wait' : 'bad', said.title, said.detail);
      }
    }
  }
}());
