// Joute widgets: <joute-vote contest="…" entry="…"> and <joute-board contest="…">, with lang, theme and via if wanted.
// Each is a frame of ours in a page of yours. Sizes are set through the CSSOM, so a page's style-src may stay strict.
(function () {
  'use strict';
  var script = document.currentScript || document.querySelector('script[src*="/embed/v1/loader.js"]');
  if (!script || !window.customElements || customElements.get('joute-vote')) return;
  var site = new URL(script.src).origin;
  var words = {
    fr: { vote: 'Voter', board: 'Classement du concours', on: 'Voter sur ' },
    en: { vote: 'Vote', board: 'Contest ranking', on: 'Vote on ' }
  };

  function define(name, kind, reserved) {
    customElements.define(name, class extends HTMLElement {
      static get observedAttributes() { return ['contest', 'entry', 'lang', 'theme', 'via', 'data-via']; }

      constructor() {
        super();
        this.attachShadow({ mode: 'open' });
        this.onmessage = this.onmessage.bind(this);
      }
      connectedCallback() {
        var style = this.style, self = this;
        style.display = 'block';
        // What the page wrote inside may hold more than that already: nothing below it moves.
        this.room = Math.max(reserved, Math.min(2000, this.offsetHeight));
        style.minHeight = this.room + 'px';
        addEventListener('message', this.onmessage);
        this.build();
        if (!window.IntersectionObserver) return this.load();
        this.seen = new IntersectionObserver(function (entries) {
          if (entries.some(function (e) { return e.isIntersecting; })) self.load();
        }, { rootMargin: '300px' });
        this.seen.observe(this);
      }
      disconnectedCallback() {
        removeEventListener('message', this.onmessage);
        if (this.seen) this.seen.disconnect();
        clearTimeout(this.late);
        cancelAnimationFrame(this.tick);
        this.shadowRoot.textContent = '';
        this.frame = this.seen = null;
      }
      attributeChangedCallback() {
        if (!this.isConnected || !this.frame) return;
        var loaded = this.frame.src;
        this.build();
        if (loaded) this.load();
      }
      // What the page wrote inside the element, a link, is there until the frame says it is ready.
      build() {
        var lang = this.getAttribute('lang') || document.documentElement.lang || navigator.language || '';
        var say = words[/^fr/i.test(lang) ? 'fr' : 'en'], root = this.shadowRoot;
        var id = encodeURIComponent, contest = id(this.getAttribute('contest') || ''), entry = this.getAttribute('entry');
        var query = 'origin=' + id(location.origin);
        ['lang', 'theme'].forEach(function (name) {
          var value = this.getAttribute(name);
          if (value) query += '&' + name + '=' + id(value);
        }, this);
        // By whose link: the element says, else the address of the page it is in.
        var via = this.getAttribute('via') || this.getAttribute('data-via') || (/[?&]via=([^&]*)/.exec(location.search) || [])[1] || '';
        via = /^[\w-]{1,64}(\.\w{13})?$/.test(via) ? 'via=' + via : '';
        if (via) query += '&' + via;
        this.address = site + '/embed/' + contest + (kind === 'vote' ? '/' + id(entry || '') : '') + '?' + query;
        var frame = this.frame = document.createElement('iframe'), slot = this.link = document.createElement('slot');
        var link = document.createElement('a');
        link.href = site + '/c/' + contest + (via && '?' + via);
        link.textContent = say.on + site.replace(/^.*\/\//, '');
        slot.appendChild(link);
        frame.title = say[kind];
        frame.allow = 'web-share';
        frame.style.cssText = 'border:0;width:100%;display:block;height:0;visibility:hidden';
        root.textContent = '';
        root.appendChild(slot);
        root.appendChild(frame);
        this.show(false);
      }
      load() {
        var self = this;
        if (this.seen) this.seen.disconnect();
        this.frame.src = this.address;
        clearTimeout(this.late);
        this.late = setTimeout(function () { self.show(false); }, 5000);
      }
      show(ready) {
        if (ready) clearTimeout(this.late);
        this.link.style.display = ready ? 'none' : 'contents';
        this.frame.style.visibility = ready ? 'visible' : 'hidden';
        this.frame.style.height = ready ? Math.max(this.room, this.height || 0) + 'px' : '0';
        this.ready = ready;
      }
      onmessage(event) {
        var self = this, m = event.data;
        // By its window: a sandboxed frame has no origin to know it by.
        if (!this.frame || event.source !== this.frame.contentWindow || !m || m.v !== 1) return;
        if (m.type === 'height' && m.height > 0) {
          this.height = Math.min(2000, Math.max(80, Math.ceil(m.height)));
          if (!this.tick) this.tick = requestAnimationFrame(function () { self.tick = 0; self.show(self.ready); });
        }
        if (m.type === 'ready') this.show(true);
        if (/^(ready|voted)$/.test(m.type)) this.dispatchEvent(new CustomEvent('joute:' + m.type));
      }
    });
  }
  define('joute-vote', 'vote', 300);
  define('joute-board', 'board', 580);
}());
