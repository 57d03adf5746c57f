// Lets the pages be installed. Without it they are the same.

const version = document.documentElement.dataset.version;
if (version && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register(`/sw.js?v=${version}`, { scope: "/" }).catch(() => undefined);
}
