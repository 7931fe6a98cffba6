// What a vote form saw of its page, for screening (docs/PRIVACY.md): added when it is sent, kept nowhere. Without this script the vote is the same.
(function () {
  'use strict';
  var origin = Date.now(), since = new Map(); // button -> since when it is on the screen; 0: it is not
  addEventListener('pageshow', function (e) { if (e.persisted) origin = Date.now(); });
  var watch = window.IntersectionObserver && new IntersectionObserver(function (entries) {
    entries.forEach(function (now) {
      var button = now.target;
      since.set(button, now.isIntersecting ? since.get(button) || Date.now() : 0);
    });
  }, { threshold: 0.5 });
  [].forEach.call(document.querySelectorAll('form'), function (form) {
    var button = form.querySelector('button.vote');
    if (!button || !form.querySelector('[name=ballot]')) return;
    if (watch) watch.observe(button);
    form.addEventListener('formdata', function (e) {
      var now = Date.now(), shown = since.get(button);
      e.formData.set('device', device());
      e.formData.set('dwell_ms', Math.min(now - origin, 86400000));
      if (shown !== undefined) e.formData.set('visible', String(shown > 0));
      if (shown) e.formData.set('confirm_ms', Math.min(now - shown, 86400000));
    });
  });
  // The same as in frame.js: a phone is the same on both.
  function device() {
    var n = navigator, s = screen;
    return [s.width, s.height, s.colorDepth, window.devicePixelRatio, Intl.DateTimeFormat().resolvedOptions().timeZone,
      (n.languages || []).slice(0, 4).join(), n.platform, n.hardwareConcurrency, n.maxTouchPoints].join('|').replace(/[^ -~]/g, '').slice(0, 256);
  }
}());
