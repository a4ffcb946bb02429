"""What the browser does for the tab "Tap": it gathers clicks and drags on the photograph, sends one blow at a time, and
plays what comes back at once.

Plain text: no library, nothing fetched.
"""

from __future__ import annotations

# Runs once for the photograph's component: `element` is its own, `trigger` sends an event to the server. "release" is a
# click, "select" a drag, "end" asks for the figure of the last blow.
STAGE = """
  const STILL = 6;  // pixels of the screen: less is a click
  const MOST = 600;  // points sent
  let path = null, start = null, trail = null;
  const stage = () => element.querySelector('.stage.photo');
  const share = (event) => {
    const box = stage().getBoundingClientRect();
    return [(event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height];
  };
  const point = (event) => {
    const [x, y] = share(event), {width, height} = stage().dataset;
    return [x * width, y * height, Math.max(0, Math.round(event.timeStamp - start.timeStamp))];
  };
  const ripple = (event) => {
    const [x, y] = share(event), mark = document.createElement('i');
    mark.className = 'ripple';
    mark.style.left = 100 * x + '%';
    mark.style.top = 100 * y + '%';
    mark.addEventListener('animationend', () => mark.remove());
    stage().append(mark);
  };
  const line = (event) => {
    if (!trail) {
      const {width, height} = stage().dataset;
      stage().insertAdjacentHTML('beforeend',
        `<svg class="trail" viewBox="0 0 ${width} ${height}" aria-hidden="true">` +
        '<polyline class="rim" vector-effect="non-scaling-stroke"/>' +
        '<polyline class="ink" vector-effect="non-scaling-stroke"/></svg>');
      trail = stage().lastElementChild;
    }
    for (const stroke of trail.children) stroke.setAttribute('points', path.map(([x, y]) => x + ',' + y).join(' '));
  };
  const end = () => {
    path = null;
    const old = trail;
    trail = null;
    if (!old) return;
    old.classList.add('done');
    setTimeout(() => old.remove(), 800);
  };
  // One blow at a time: of those made meanwhile the last one follows, so that sounds never lag behind the hand. Its
  // figure is asked for in a pause.
  const PATIENCE = 10000, PAUSE = 120;  // milliseconds
  let sent = 0, waiting = null, resting = 0;
  const send = (blow) => {
    clearTimeout(resting);
    if (sent && performance.now() - sent < PATIENCE) { waiting = blow; return; }
    sent = performance.now();
    trigger(blow.length > 1 ? 'select' : 'release', {path: blow});
  };
  element.addEventListener('struck', () => {
    const blow = waiting;
    sent = 0;
    waiting = null;
    if (blow) { send(blow); return; }
    clearTimeout(resting);
    resting = setTimeout(() => trigger('end'), PAUSE);
  });
  element.addEventListener('pointerdown', (event) => {
    if (path) end();  // a second finger: no strike
    if (!event.isPrimary || event.button !== 0 || !event.target.closest('.stage.photo')) return;
    start = event;
    path = [point(event)];
    ripple(event);
    stage().setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    if (!path || event.pointerId !== start.pointerId) return;
    const far = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    if (path.length === 1 && far < STILL) return;
    path.push(point(event));
    if (path.length > MOST) path = path.filter((_, at) => at % 2 === 0);
    line();
  });
  element.addEventListener('pointerup', (event) => {
    if (!path || event.pointerId !== start.pointerId) return;
    const done = path;
    end();
    send(done);
  });
  element.addEventListener('pointercancel', end);
"""

# After each blow, whoever asked for it.
STRUCK = "() => document.querySelector('#tap-base .stage')?.dispatchEvent(new Event('struck', {bubbles: true}))"

# Runs once for a player: one element for all sounds, so that a new one takes the place of the last. Its value is a name
# that no other sound has (else the same sound again would not count as a change), a space, and a data address.
PLAYER = """
  watch('value', () => {
    const player = element.querySelector('audio');
    if (!props.value) { player.removeAttribute('src'); player.load(); return; }
    player.src = props.value.split(' ')[1];
    if (document.querySelector('#tap-autoplay input')?.checked) player.play().catch(() => {});
  });
"""

HEAD = """<script>
(() => {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-plays]');
    const player = button && document.querySelector(`#${button.dataset.plays} audio`);
    if (!player) return;
    player.currentTime = 0;
    player.play().catch(() => {});
  });
})();
</script>"""
