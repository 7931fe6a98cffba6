// The window that asks once more may have opened under a double click: its button waits until the window has been looked at.
(function () {
  'use strict';
  var button = document.querySelector('[data-joute=confirm]'), timer = 0;
  function arm() {
    clearTimeout(timer);
    button.disabled = true;
    if (document.hidden) return;
    timer = setTimeout(function () { button.disabled = false; }, 600);
  }
  document.addEventListener('visibilitychange', arm);
  addEventListener('pageshow', arm);
  arm();
}());
