"""The little that the browser must do itself: dropped and pasted files, one sound at a time, a sweep's order, and the
dot that is dragged around the head.

Plain text in the page's head: no library, nothing fetched.
"""

from __future__ import annotations

HEAD = """<script>
(() => {
  // A dropped or pasted file goes the way of the upload button of the tab that is open.
  const open = (place) => document.querySelector(place)?.offsetParent;
  const chooser = {'#photo': '#choose', '#tap-photo': '#tap-choose', '#clip': '#clip'};
  const uploader = () => {
    const place = Object.keys(chooser).find(open);
    return place && document.querySelector(`${chooser[place]} input[type=file]`);
  };
  const send = (file) => {
    const input = uploader();
    if (!input || !file) return;
    const box = new DataTransfer();
    box.items.add(file);
    input.files = box.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };
  const carries = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
  const frame = (on) => {
    for (const photo of document.querySelectorAll('#photo, #tap-photo')) photo.classList.toggle('dragging', on);
  };
  addEventListener('dragover', (event) => { if (carries(event)) { event.preventDefault(); frame(true); } });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) frame(false); });
  addEventListener('drop', (event) => {
    if (!carries(event) || event.defaultPrevented) return;
    event.preventDefault();
    frame(false);
    send(event.dataTransfer.files[0]);
  });
  addEventListener('paste', (event) => send([...(event.clipboardData?.files ?? [])][0]));

  // One sound at a time. Media events do not bubble, so they are caught on the way down.
  document.addEventListener('play', (event) => {
    for (const other of document.querySelectorAll('audio')) if (other !== event.target) other.pause();
  }, true);

  // A sweep plays its sounds in order as they come, until the person pauses one.
  const heard = new Set();
  let held = '';
  const sweepOf = (player) => player.dataset.auto.split(':')[0];
  const advance = () => {
    const players = [...document.querySelectorAll('#strip audio[data-auto]')];
    if (!players.length || players.some((player) => !player.paused)) return;
    const next = players.find((player) => !heard.has(player.dataset.auto));
    if (!next || held === sweepOf(next)) return;
    heard.add(next.dataset.auto);
    next.play().catch(() => {});
  };
  document.addEventListener('ended', (event) => { if (event.target.dataset?.auto) advance(); }, true);
  document.addEventListener('pause', (event) => {
    const player = event.target;
    if (player.dataset?.auto && !player.ended) held = sweepOf(player);
  }, true);

  // Stop, or another place, ends that.
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#sweep-stop, #photo, #hear, #anyway')) return;
    for (const player of document.querySelectorAll('#strip audio[data-auto]')) {
      held = sweepOf(player);
      player.pause();
    }
  }, true);

  // A new sound starts by itself if the box says so at that moment (gradio's own autoplay, once on, stays on).
  const begun = new Set();
  document.addEventListener('loadedmetadata', (event) => {
    const player = event.target;
    if (!player.matches('#audio-0 audio, #scene-audio audio') || begun.has(player.currentSrc)) return;
    begun.add(player.currentSrc);
    if (document.querySelector('#autoplay input')?.checked) player.play().catch(() => {});
  }, true);

  // The dot around the head and the slider of the azimuth follow one another: up is in front, clockwise is right.
  const slider = () => document.querySelector('#place-azimuth input[type=range]');
  const turn = (degrees) => document.querySelector('#place-dial .source')?.setAttribute(
    'transform', `rotate(${Math.max(-180, Math.min(180, degrees))})`);
  const drag = (event) => {
    const box = document.querySelector('#place-dial').getBoundingClientRect();
    const [x, y] = [event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2];
    const range = slider();
    range.value = Math.round(Math.atan2(x, -y) * 180 / Math.PI);
    range.dispatchEvent(new Event('input', {bubbles: true}));
  };
  let dragging = false;
  addEventListener('pointerdown', (event) => {
    if (!event.target.closest?.('#place-dial') || !slider()) return;
    event.preventDefault();
    dragging = true;
    drag(event);
  });
  addEventListener('pointermove', (event) => { if (dragging) drag(event); });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => { dragging = false; });
  for (const kind of ['input', 'change']) document.addEventListener(kind, (event) => {
    if (event.target.closest?.('#place-azimuth') && event.target.value !== '') turn(event.target.value);
  }, true);

  // A box that was cleared, or holds no number yet, leaves the last one standing, and shows it again when it is left.
  const lasting = new WeakMap();
  const box = (event) => event.target.matches?.('#place input[type=number]') ? event.target : null;
  for (const kind of ['focusin', 'input']) document.addEventListener(kind, (event) => {
    if (!box(event)) return;
    if (box(event).value !== '') lasting.set(box(event), box(event).value);
    else if (kind === 'input') event.stopImmediatePropagation();
  }, true);
  document.addEventListener('focusout', (event) => {
    if (box(event)?.value === '' && lasting.has(box(event))) box(event).value = lasting.get(box(event));
  }, true);

  // On a narrow page the answer lies below the panel that asked for it; before it comes the page may be too short to
  // be scrolled so far. A finger on the page meanwhile ends that.
  let awaited = false;
  const toCard = () => document.querySelector('#bearing')?.scrollIntoView({behavior: 'smooth', block: 'start'});
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#place-make') || innerWidth > 760) return;
    awaited = !open('#dial');
    toCard();
  });
  addEventListener('pointerdown', () => { awaited = false; });
  const come = () => {
    if (!awaited || !open('#dial img')) return;
    awaited = false;
    requestAnimationFrame(toCard);
  };

  // An example is called by what it shows (gradio counts thumbnails).
  const name = () => {
    for (const button of document.querySelectorAll('#examples button[aria-label^=Thumbnail]'))
      button.setAttribute('aria-label', button.innerText || button.querySelector('img')?.alt);
  };

  // What went wrong is said in its card alone, which may be out of sight on a phone.
  const told = new WeakSet();
  const tell = () => {
    for (const card of document.querySelectorAll('.verdict.wrong')) {
      if (!told.has(card)) card.scrollIntoView({block: 'nearest'});
      told.add(card);
    }
  };

  new MutationObserver(() => { advance(); name(); tell(); come(); }).observe(
    document.documentElement, {childList: true, subtree: true, attributeFilter: ['data-auto']});
})();
</script>"""
