// Runs once for the photograph of the tab Tap. `element` is the component's own, `trigger` sends an event to the server:
// "release" is a click, "select" a drag, "end" asks for the figure of the last strike.
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
// One strike is under way at a time. Of those made meanwhile only the last is sent, so that sound never lags behind the
// hand. Its figure is requested in a pause.
const PATIENCE = 10000, PAUSE = 120;  // milliseconds
let sent = 0, waiting = null, resting = 0;
const send = (hit) => {
  clearTimeout(resting);
  if (sent && performance.now() - sent < PATIENCE) { waiting = hit; return; }
  sent = performance.now();
  trigger(hit.length > 1 ? 'select' : 'release', {path: hit});
};
element.addEventListener('struck', () => {
  const hit = waiting;
  sent = 0;
  waiting = null;
  if (hit) { send(hit); return; }
  clearTimeout(resting);
  resting = setTimeout(() => trigger('end'), PAUSE);
});
element.addEventListener('pointerdown', (event) => {
  if (path) end();  // a second finger cancels the strike
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
