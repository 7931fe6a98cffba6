// Follows a leaderboard: joute.follow({feed, poll, board, state}). board(data, text) is called with every new one, state('live' or 'off')
// when that changes. It listens to the feed, asks from time to time where there is none, and comes back by itself from whatever happens.
// Answers {close}.
(function () {
  'use strict';
  window.joute = {
    // A signal that gives a question up, where a browser has it: a network that swallows everything is noticed by itself after minutes.
    patience: function () { return window.AbortSignal && AbortSignal.timeout ? AbortSignal.timeout(8000) : undefined; },
    follow: function (wants) {
      var source = null, timer = 0, watch = 0, hide = 0, said = '', last = '', at = '', heard = 0, fails = 0, closed = false;

      function state(now) { if (now !== said) wants.state(said = now); }
      function got(text) {
        heard = Date.now();
        fails = 0;
        state('live');
        if (text === last) return;
        var board = JSON.parse(last = text);
        at = stand(board);
        wants.board(board, text);
      }
      // How far a board is. A longer one of the same place, as a page may ask for, is no news.
      function stand(board) { return board.position + ' ' + board.phase; }
      // Apart by chance, so that a thousand pages do not ask at once.
      function about(ms) { return ms * (0.8 + 0.4 * Math.random()); }
      function later(what, ms) { clearTimeout(timer); timer = setTimeout(what, about(ms)); }

      function listen() {
        clearTimeout(timer);
        if (closed || document.hidden) return;
        if (!window.EventSource) return ask();
        if (source) source.close();
        var opened = source = new EventSource(wants.feed);
        opened.addEventListener('leaderboard', function (event) { if (source === opened) got(event.data); });
        opened.addEventListener('open', function () { if (source === opened) heard = Date.now(); });
        opened.onerror = function () {
          if (source !== opened) return;
          if (opened.readyState === 2) return leave(); // refused: there is no room, or no feed
          later(leave, 6000); // it connects again by itself; if not, ask
          opened.addEventListener('open', function () { clearTimeout(timer); }, { once: true });
        };
      }
      function leave() {
        if (source) source.close();
        source = null;
        ask();
      }
      // One question. While the feed is silent it finds out whether that is so or the connection is dead.
      function ask() {
        clearTimeout(timer);
        if (closed || document.hidden) return;
        var checked = source;
        fetch(wants.poll, { credentials: 'omit', cache: 'no-cache', signal: joute.patience() }).then(function (answer) {
          if (!answer.ok) throw answer.status;
          return answer.text();
        }).then(function (text) {
          if (closed || checked !== source) return;
          if (checked && stand(JSON.parse(text)) === at) return state('live'); // it is only quiet
          got(text);
          if (checked) listen();
        }, function () {
          if (closed || checked !== source) return;
          fails++;
          state('off');
          if (checked) leave();
        }).then(function () {
          if (closed || source) return;
          // Every so often the feed is tried again.
          if (!fails && Math.random() < 0.05) listen(); else later(ask, Math.min(2000 * Math.pow(1.5, fails), 20000));
        });
      }
      function shown() {
        clearTimeout(hide);
        if (closed) return;
        if (document.hidden) {
          hide = setTimeout(function () { clearTimeout(timer); if (source) source.close(); source = null; }, 60000);
        } else if (!source) listen();
      }
      function online() { if (!closed) listen(); }
      function offline() { state('off'); }

      document.addEventListener('visibilitychange', shown);
      addEventListener('online', online);
      addEventListener('offline', offline);
      watch = setInterval(function () { if (source && Date.now() - heard > 30000) { heard = Date.now(); ask(); } }, 5000);
      listen();
      return {
        close: function () {
          closed = true;
          if (source) source.close();
          clearTimeout(timer);
          clearTimeout(hide);
          clearInterval(watch);
          document.removeEventListener('visibilitychange', shown);
          removeEventListener('online', online);
          removeEventListener('offline', offline);
        }
      };
    }
  };
}());
