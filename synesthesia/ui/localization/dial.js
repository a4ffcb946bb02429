// The tab Locate: the dot around the head, number boxes that were cleared, and scrolling to the answer on a phone.
(() => {
  // The dot and the azimuth slider follow each other. Up is front, clockwise is right.
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

  // A box that is empty or holds no number keeps its last value and shows it again when it loses focus.
  const last = new WeakMap();
  const box = (event) => event.target.matches?.('#place input[type=number]') ? event.target : null;
  for (const kind of ['focusin', 'input']) document.addEventListener(kind, (event) => {
    if (!box(event)) return;
    if (box(event).value !== '') last.set(box(event), box(event).value);
    else if (kind === 'input') event.stopImmediatePropagation();
  }, true);
  document.addEventListener('focusout', (event) => {
    if (box(event)?.value === '' && last.has(box(event))) box(event).value = last.get(box(event));
  }, true);

  // On a phone the answer is below the panel. The page may be too short to scroll there before the answer arrives, so
  // it scrolls again then, unless the page is touched in between.
  const shown = (selector) => document.querySelector(selector)?.offsetParent;
  let awaited = false;
  const toCard = () => document.querySelector('#bearing')?.scrollIntoView({behavior: 'smooth', block: 'start'});
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#place-make') || innerWidth > 760) return;
    awaited = !shown('#dial');
    toCard();
  });
  addEventListener('pointerdown', () => { awaited = false; });
  const arrived = () => {
    if (!awaited || !shown('#dial img')) return;
    awaited = false;
    requestAnimationFrame(toCard);
  };

  new MutationObserver(arrived).observe(document.documentElement, {childList: true, subtree: true});
})();
