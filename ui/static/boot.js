// The theme of the system at once, so that a dark desktop never sees a white flash; the settings may change it.
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark');

try {
  const { default: init } = await import('/daypass_ui.js');
  await init({ module_or_path: '/daypass_ui_bg.wasm' });
} catch (cause) {
  const boot = document.getElementById('boot') ?? document.body;
  boot.textContent = `Daypass could not draw its window: ${cause}. Close it and open it again.`;
}
