// The voter's own link, given out by the device's menu, the clipboard or an app. Which one is told to the server: a link counts as a share
// once it was given out. Without this script the link is selected by hand, and counts once somebody opens it.
(function () {
  'use strict';
  var part = document.querySelector('[data-share]');
  if (!part) return;
  function given(channel) {
    if (!window.fetch) return;
    fetch(part.dataset.share, {
      method: 'POST', body: 'channel=' + channel, credentials: 'same-origin', keepalive: true, headers: { 'Content-Type': 'application/x-www-form-urlencoded' }
    }).catch(function () {});
  }
  var native = part.querySelector('[data-native]'), link = part.querySelector('input'), copy = part.querySelector('[data-copied]');
  var said = part.querySelector('[data-said]'), code = part.querySelector('details');
  if (navigator.share) {
    native.hidden = false;
    native.addEventListener('click', function () {
      var what = native.dataset;
      navigator.share({ title: what.title, text: what.text, url: what.native }).then(function () { given('native'); }).catch(function () {});
    });
  }
  [].forEach.call(part.querySelectorAll('[data-channel]'), function (way) {
    way.addEventListener('click', function () { given(way.dataset.channel); });
  });
  link.addEventListener('focus', function () { link.select(); });
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener('click', function () {
      navigator.clipboard.writeText(link.value).then(function () {
        said.textContent = copy.dataset.copied;
        given('copy');
      }).catch(function () { link.focus(); });
    });
  }
  if (code) code.addEventListener('toggle', function () { if (code.open) given('qr'); });
}());
