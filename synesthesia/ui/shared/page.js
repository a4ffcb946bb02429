// Whole page: dropped and pasted files, one sound at a time, names of examples, error messages in view.
(() => {
  // A dropped or pasted file is handed to the upload button of the open tab.
  const shown = (selector) => document.querySelector(selector)?.offsetParent;
  const chooser = {'#photo': '#choose', '#tap-photo': '#tap-choose', '#clip': '#clip'};
  const uploader = () => {
    const selector = Object.keys(chooser).find(shown);
    return selector && document.querySelector(`${chooser[selector]} input[type=file]`);
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

  // One sound at a time. Media events do not bubble, so they are caught in the capture phase.
  document.addEventListener('play', (event) => {
    for (const other of document.querySelectorAll('audio')) if (other !== event.target) other.pause();
  }, true);

  // An example is labelled by its title (gradio numbers thumbnails).
  const name = () => {
    for (const button of document.querySelectorAll('#examples button[aria-label^=Thumbnail]'))
      button.setAttribute('aria-label', button.innerText || button.querySelector('img')?.alt);
  };

  // An error appears in its card alone, which may be out of view on a phone.
  const seen = new WeakSet();
  const reveal = () => {
    for (const card of document.querySelectorAll('.verdict.wrong')) {
      if (!seen.has(card)) card.scrollIntoView({block: 'nearest'});
      seen.add(card);
    }
  };

  new MutationObserver(() => { name(); reveal(); }).observe(
    document.documentElement, {childList: true, subtree: true});
})();
