// Playback of the tab Hear: the sounds of a sweep in order, and a new sound by itself.
(() => {
  // A sweep plays its sounds in order as they arrive, until the listener pauses one.
  const played = new Set();
  let stopped = '';  // the sweep that was paused
  const sweepOf = (player) => player.dataset.auto.split(':')[0];
  const advance = () => {
    const players = [...document.querySelectorAll('#strip audio[data-auto]')];
    if (!players.length || players.some((player) => !player.paused)) return;
    const next = players.find((player) => !played.has(player.dataset.auto));
    if (!next || stopped === sweepOf(next)) return;
    played.add(next.dataset.auto);
    next.play().catch(() => {});
  };
  document.addEventListener('ended', (event) => { if (event.target.dataset?.auto) advance(); }, true);
  document.addEventListener('pause', (event) => {
    const player = event.target;
    if (player.dataset?.auto && !player.ended) stopped = sweepOf(player);
  }, true);

  // "Stop" and a click on another place stop it too.
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#sweep-stop, #photo, #hear, #anyway')) return;
    for (const player of document.querySelectorAll('#strip audio[data-auto]')) {
      stopped = sweepOf(player);
      player.pause();
    }
  }, true);

  // A new sound starts by itself if the box is ticked at that moment (gradio's own autoplay, once on, stays on).
  const started = new Set();
  document.addEventListener('loadedmetadata', (event) => {
    const player = event.target;
    if (!player.matches('#audio-0 audio, #scene-audio audio') || started.has(player.currentSrc)) return;
    started.add(player.currentSrc);
    if (document.querySelector('#autoplay input')?.checked) player.play().catch(() => {});
  }, true);

  new MutationObserver(advance).observe(
    document.documentElement, {childList: true, subtree: true, attributeFilter: ['data-auto']});
})();
