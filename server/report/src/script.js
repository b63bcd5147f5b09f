"use strict";
(() => {
  const bar = document.getElementById("player");
  if (bar) {
    const audio = bar.querySelector("audio");
    let now = null;
    const mark = (on) => now && now.setAttribute("aria-pressed", String(on));
    const toggle = (link) => {
      if (now === link && !audio.paused) return audio.pause();
      mark(false);
      now = link;
      bar.hidden = false;
      audio.src = link.href;
      audio.play().catch(() => mark(false));
    };
    audio.addEventListener("play", () => mark(true));
    audio.addEventListener("pause", () => mark(false));
    audio.addEventListener("ended", () => mark(false));
    document.querySelectorAll("a.play").forEach((link) => {
      link.setAttribute("role", "button");
      link.setAttribute("aria-pressed", "false");
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a.play");
      if (!link) return;
      event.preventDefault();
      toggle(link);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === " " && event.target.matches("a.play")) {
        event.preventDefault();
        toggle(event.target);
      }
    });
    bar.querySelector("button").addEventListener("click", () => {
      audio.pause();
      bar.hidden = true;
      if (now) now.focus();
    });
  }
  const open = () => {
    const one = location.hash.startsWith("#rule-") && document.getElementById(location.hash.slice(1));
    if (one) one.open = true;
  };
  window.addEventListener("hashchange", open);
  open();
})();
