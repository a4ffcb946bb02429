// Runs once for a player: one audio element for all sounds, so that a new one replaces the last. The value is a unique
// name (else the same sound again would not count as a change), a space, and a data URL.
watch('value', () => {
  const player = element.querySelector('audio');
  if (!props.value) { player.removeAttribute('src'); player.load(); return; }
  player.src = props.value.split(' ')[1];
  if (document.querySelector('#tap-autoplay input')?.checked) player.play().catch(() => {});
});
