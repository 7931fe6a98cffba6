// A film stays on its site until it is asked for: the link becomes a button that puts the player in its place.
(function () {
  'use strict';
  var link = document.querySelector('[data-player]');
  if (!link) return;
  var button = document.createElement('button');
  button.type = 'button';
  while (link.firstChild) button.appendChild(link.firstChild);
  button.lastElementChild.textContent = link.dataset.says;
  link.replaceWith(button);
  button.addEventListener('click', function () {
    var player = document.createElement('iframe');
    player.title = link.dataset.title;
    player.allow = 'autoplay; encrypted-media; fullscreen; picture-in-picture';
    // YouTube plays only for who says which site it is; the page is nobody's business.
    player.referrerPolicy = 'strict-origin';
    player.src = link.dataset.player;
    button.replaceWith(player);
    player.focus();
  });
}());
