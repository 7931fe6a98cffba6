// Copies a snippet; without it the text is selected by hand.
(function () {
  'use strict';
  if (!navigator.clipboard) return;
  [].forEach.call(document.querySelectorAll('[data-copy]'), function (button) {
    button.hidden = false;
    button.addEventListener('click', function () {
      navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value).then(function () {
        document.getElementById('copied').textContent = button.dataset.done;
      });
    });
  });
}());
