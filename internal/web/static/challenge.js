// The price of an act: find the number whose digits after the salt have the hash (ALTCHA v1). Solved while a form is filled in, in slices that leave
// the page its time; jouteSolve does the same for a frame. SHA-256 is our own: crypto.subtle takes
// several times as long over so many short texts (docs/MEASUREMENTS.md), and is not there without https.
(function () {
  'use strict';
  var rounds = new Int32Array(64), start = new Int32Array(8), w = new Int32Array(64);
  function fraction(x) { return (x - Math.floor(x)) * 4294967296 | 0; }
  // The constants are those of the first primes' square and cube roots.
  for (var prime = 2, k = 0; k < 64; prime++) {
    for (var d = 2; prime % d; d++);
    if (d < prime) continue;
    if (k < 8) start[k] = fraction(Math.sqrt(prime));
    rounds[k++] = fraction(Math.cbrt(prime));
  }

  // digest works a text's padded words into state.
  function digest(words, state) {
    state.set(start);
    for (var block = 0; block < words.length; block += 16) {
      var a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7], i, x, y, s, t;
      for (i = 0; i < 64; i++) {
        if (i < 16) {
          w[i] = words[block + i];
        } else {
          x = w[i - 15];
          y = w[i - 2];
          w[i] = w[i - 16] + w[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
        }
        s = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + rounds[i] + w[i] | 0;
        t = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
        h = g; g = f; f = e; e = d + s | 0; d = c; c = b; b = a; a = s + t | 0;
      }
      state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
  }

  // padded is a text of ASCII as words, with the end that SHA-256 gives it.
  function padded(text) {
    var words = new Int32Array((text.length + 8 >> 6) + 1 << 4);
    for (var i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << 24 - (i & 3) * 8;
    words[i >> 2] |= 128 << 24 - (i & 3) * 8;
    words[words.length - 1] = text.length * 8;
    return words;
  }

  // find gives the number that solves a challenge; slice is how long to be at it at once, in ms.
  function find(puzzle, slice) {
    var want = puzzle.challenge.match(/.{8}/g).map(function (hex) { return parseInt(hex, 16) | 0; });
    var state = new Int32Array(8), turn = new MessageChannel(), n = 0;
    var work = new Promise(function (found, failed) {
      turn.port1.onmessage = function () {
        var until = performance.now() + slice;
        while (n <= puzzle.maxnumber) {
          digest(padded(puzzle.salt + n), state);
          if (state[0] === want[0] && want.every(function (word, i) { return word === state[i]; })) return found(n);
          if (++n % 64 === 0 && performance.now() > until) return turn.port2.postMessage(0);
        }
        failed(new Error('no number solves it'));
      };
      turn.port2.postMessage(0);
    });
    function end() { turn.port1.close(); }
    work.then(end, end);
    return work;
  }

  window.jouteSolve = function (puzzle) {
    return find(puzzle, 12).then(function (number) {
      return btoa(JSON.stringify({ algorithm: puzzle.algorithm, challenge: puzzle.challenge, number: number, salt: puzzle.salt, signature: puzzle.signature }));
    });
  };

  var field = document.querySelector('[data-challenge]');
  if (!field) return;
  var form = field.form, said = form.querySelector('[data-working]'), waiting = 'auto' in field.dataset;
  said.textContent = said.dataset.working;
  function early(e) {
    e.preventDefault();
    waiting = true;
  }
  form.addEventListener('submit', early);
  jouteSolve(JSON.parse(field.dataset.challenge)).then(function (payload) {
    field.value = payload;
    said.textContent = said.dataset.done;
    form.removeEventListener('submit', early);
    if (waiting) form.requestSubmit();
  }, function () {
    said.textContent = said.dataset.failed;
    form.removeEventListener('submit', early);
  });
}());
