// What the page does beside what it is: it finds readers as one types, and
// loads itself anew when a file that it was made of has changed. Everything
// but the second works without this file.
'use strict';

const room = document.body.dataset.room || '';

// --- finding readers ---

const search = document.querySelector('form[data-search]');
if (search) {
  const found = document.getElementById('found');
  const said = document.getElementById('found-said');
  let waiting;
  let asking;

  const look = async () => {
    if (asking) asking.abort();
    asking = new AbortController();
    const query = new URLSearchParams(new FormData(search));
    try {
      const answer = await fetch(`readers?${query}`, { signal: asking.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      found.replaceChildren(...page.body.childNodes);
      said.textContent = found.querySelector('[data-said]')?.dataset.said || '';
    } catch (error) {
      // Another letter was typed meanwhile, or the preview has ended.
    }
  };

  search.elements.q.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 150);
  });
}

// --- the profile ---

let isTyped = false;
const profile = document.querySelector('form[data-profile]');
if (profile) {
  profile.addEventListener('input', () => { isTyped = true; });
  profile.addEventListener('submit', () => { isTyped = false; });
}

for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText);
    button.textContent = 'Copied';
  });
}

// --- loading anew ---

const live = document.getElementById('live');
const { stamp } = document.body.dataset;
if (live && stamp) {
  let stream;

  const changed = () => {
    stream.close();
    if (!isTyped) {
      location.reload();
      return;
    }
    // What was typed would be lost.
    const link = document.createElement('a');
    link.href = location.href;
    link.textContent = 'look again';
    live.replaceChildren('Files have changed: ', link, ' (what you typed goes)');
  };

  const listen = () => {
    stream = new EventSource(`${room}events?since=${encodeURIComponent(stamp)}`);
    stream.addEventListener('open', () => { live.textContent = ''; });
    stream.addEventListener('changed', changed);
    stream.addEventListener('error', () => {
      // The browser tries again by itself, unless it was turned away: then
      // another preview, with another address, listens here.
      live.textContent = stream.readyState === EventSource.CLOSED
        ? 'This preview has ended. Open the address of the new one.'
        : 'The preview does not answer; trying again.';
    });
  };

  // A page that nobody sees keeps no connection: browsers allow few of them.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) stream?.close();
    else listen();
  });
  if (!document.hidden) listen();
}
