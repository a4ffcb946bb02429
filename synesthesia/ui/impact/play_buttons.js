// The buttons of the table "what if" play their sound from the beginning.
(() => {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-plays]');
    const player = button && document.querySelector(`#${button.dataset.plays} audio`);
    if (!player) return;
    player.currentTime = 0;
    player.play().catch(() => {});
  });
})();
