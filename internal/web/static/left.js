// Counts down what is left, in the words of the page. Without it the page says what it was when it was made.
(function () {
  'use strict';
  var left = document.querySelector('[data-until]'), lang = document.documentElement.lang;
  if (!left || !window.Intl) return;
  function show() {
    var minutes = (Date.parse(left.dataset.until) - Date.now()) / 60000;
    if (minutes <= 0) return;
    var unit = minutes >= 2880 ? 'day' : minutes >= 120 ? 'hour' : 'minute';
    var n = unit === 'day' ? Math.floor(minutes / 1440) : unit === 'hour' ? Math.floor(minutes / 60) : Math.ceil(minutes);
    left.textContent = new Intl.NumberFormat(lang, { style: 'unit', unit: unit, unitDisplay: 'long' }).format(n);
    setTimeout(show, 20000);
  }
  show();
}());
