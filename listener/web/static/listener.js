// Looks again every few seconds and puts what changed in place. Everything works without it.
"use strict";
(() => {
  const pulse = document.getElementById("pulse");
  let last = null;

  const busy = () => {
    const live = document.getElementById("live");
    const chosen = document.getSelection();
    return document.hidden || (chosen && !chosen.isCollapsed && live.contains(chosen.anchorNode));
  };

  // Where the reader was: the focused link and the opened details survive the exchange.
  const exchange = (live, fresh) => {
    const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    for (const open of live.querySelectorAll("details[open][id]")) {
      const twin = fresh.querySelector("#" + CSS.escape(open.id));
      if (twin) twin.open = true;
    }
    live.replaceWith(fresh);
    if (focused) {
      const twin = [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused);
      if (twin) twin.focus({ preventScroll: true });
    }
  };

  const look = async () => {
    const live = document.getElementById("live");
    if (!live) return;
    if (!busy()) {
      try {
        const answer = await fetch(location.href);
        if (!answer.ok) throw answer;
        const text = await answer.text();
        if (text !== last && !busy()) {
          const page = new DOMParser().parseFromString(text, "text/html");
          const fresh = page.getElementById("live");
          if (fresh) {
            exchange(live, document.adoptNode(fresh));
            document.title = page.title;
          }
          const [standing, renewed] = [document, page].map((of) => of.querySelector(".standing"));
          if (standing && renewed) standing.replaceWith(document.adoptNode(renewed));
          last = text;
        }
        pulse.textContent = "";
      } catch {
        pulse.textContent = "Listener does not answer; what you see may be old.";
      }
    }
    setTimeout(look, 1000 * live.dataset.every);
  };

  setTimeout(look, 3000);
})();
