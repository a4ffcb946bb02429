"""The little that the browser must do itself: dropped and pasted photographs, one sound at a time, a sweep's order.

Plain text in the page's head: no library, nothing fetched.
"""

from __future__ import annotations

HEAD = """<script>
(() => {
  // A dropped or pasted photograph goes the way of the upload button.
  const uploader = () => document.querySelector('#choose input[type=file]');
  const send = (file) => {
    const input = uploader();
    if (!input || !file) return;
    const box = new DataTransfer();
    box.items.add(file);
    input.files = box.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };
  const carries = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
  const frame = (on) => document.querySelector('#photo')?.classList.toggle('dragging', on);
  addEventListener('dragover', (event) => { if (carries(event)) { event.preventDefault(); frame(true); } });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) frame(false); });
  addEventListener('drop', (event) => {
    if (!carries(event)) return;
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

  // A new sound starts by itself if the box says so at that moment (gradio's own autoplay, once on, stays on).
  const begun = new Set();
  document.addEventListener('loadedmetadata', (event) => {
    const player = event.target;
    if (!player.matches('#audio-0 audio, #scene-audio audio') || begun.has(player.currentSrc)) return;
    begun.add(player.currentSrc);
    if (document.querySelector('#autoplay input')?.checked) player.play().catch(() => {});
  }, true);
  new MutationObserver(advance).observe(
    document.documentElement, {childList: true, subtree: true, attributeFilter: ['data-auto']});
})();
</script>"""
