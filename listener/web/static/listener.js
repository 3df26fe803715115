// Keeps a page true without loading it anew, and does forms and links of the inbox in place. All of it works without.
"use strict";
(() => {
  const pulse = document.getElementById("pulse");
  const live = () => document.getElementById("live");
  const parse = (text) => new DOMParser().parseFromString(text, "text/html");
  const key = (node) => (node.nodeType === 1 && node.id) || "";
  const like = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

  const theirs = new Set(["open", "data-touched"]);

  // Makes an element the same as a fresh one. What the reader opened, wrote, chose or scrolled to stays.
  // Whoever looks after an element that says so may keep it as it is; it is told of the fresh one, or of none.
  const kept = (old, fresh) => old.nodeType === 1 && old.dataset.mine !== undefined
    && !old.dispatchEvent(new CustomEvent("renewing", { bubbles: true, cancelable: true, detail: fresh }));

  const renew = (old, fresh) => {
    if (kept(old, fresh)) return;
    for (const { name, value } of fresh.attributes) {
      if (!theirs.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!theirs.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    const field = old.matches("input, select, textarea");
    if (field && (old === document.activeElement || old.dataset.touched)) return;
    const value = field && fresh.value;
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      let twin = at;
      if (key(child)) {
        twin = [...old.children].find((each) => each.id === child.id) || null;
      } else {
        while (twin && key(twin)) twin = twin.nextSibling;
      }
      if (twin && like(twin, child)) {
        if (twin !== at) old.insertBefore(twin, at); else at = at.nextSibling;
        if (twin.nodeType === 1) renew(twin, child);
        else if (twin.nodeValue !== child.nodeValue) twin.nodeValue = child.nodeValue;
      } else old.insertBefore(document.adoptNode(child), at);
    }
    while (at) { const next = at.nextSibling; if (!kept(at, null)) at.remove(); at = next; }
    if (field && old.value !== value) old.value = value;
  };

  let shown = null;
  const show = (text) => {
    const page = parse(text), fresh = page.getElementById("live");
    if (!fresh || !live()) return false;
    if (text !== shown) {
      shown = text;
      renew(live(), fresh);
      document.title = page.title;
      for (const part of [".standing", "#stopped", ".top [href='/replies']", ".top [href='/campaigns']", ".top [href='/unsure']", ".top [href='/remedies']", ".more-count"]) {
        const [before, after] = [document, page].map((of) => of.querySelector(part));
        if (before && after && before.outerHTML !== after.outerHTML) before.replaceWith(document.adoptNode(after));
      }
      document.dispatchEvent(new Event("renewed"));
    }
    return true;
  };

  // Of two things that the reader asks for the later one wins; a look never outruns either.
  let turn = 0, busy = 0;
  const ask = async (address, options) => {
    const mine = turn;
    try {
      const answer = await fetch(address, options);
      const text = await answer.text();
      if (mine !== turn) return null;
      pulse.textContent = answer.status >= 500 ? "Listener has trouble; what you see may be old." : "";
      return { answer, text };
    } catch {
      if (mine === turn) pulse.textContent = "Listener does not answer; what you see may be old.";
      return null;
    }
  };

  // A note that was begun waits where it was begun, should another case open meanwhile.
  const drafts = new Map();
  const place = (field) => { const folder = field.closest(".folder"); return folder ? folder.id + field.id : ""; };
  const recall = () => {
    for (const field of live().querySelectorAll(".folder textarea:not([data-key=r])")) {
      const kept = drafts.get(place(field));
      if (kept && !field.value) { field.value = kept; field.dataset.touched = "yes"; }
    }
  };

  // Reads a page, or sends a form and reads the page that it leads to, and shows it in place.
  const go = async (address, { form, sent, back } = {}) => {
    turn += 1;
    busy += 1;
    const got = await ask(address, form && { method: "POST", body: sent });
    busy -= 1;
    if (!got) return;
    const { answer, text } = got, came = !form || answer.redirected;
    if (form && came) for (const field of form.elements) { delete field.dataset.touched; drafts.delete(place(field)); }
    if (!show(text)) {
      if (came) location.assign(answer.url);
      else document.querySelector("main").replaceWith(document.adoptNode(parse(text).querySelector("main")));
      return;
    }
    recall();
    if (came && !back) history[form ? "replaceState" : "pushState"](null, "", answer.url);
    if (!back && !live().contains(document.activeElement)) {
      const heading = live().querySelector(".folder h1");
      if (heading) heading.focus({ preventScroll: true });
    }
    fade();
  };

  const look = async () => {
    const chosen = document.getSelection();
    const reads = chosen && !chosen.isCollapsed && live() && live().contains(chosen.anchorNode);
    if (!live() || document.hidden || reads) return;
    if (busy) { setTimeout(look, 300); return; }
    const before = location.href, got = await ask(before);
    if (!got || location.href !== before || (got.answer.ok && show(got.text))) return;
    if (got.answer.redirected) location.reload(); // signed out elsewhere
  };

  // The offer to take something back goes after a few seconds; the history keeps it for minutes.
  let fading = 0;
  const fade = () => {
    clearTimeout(fading);
    const done = document.getElementById("done");
    if (!done || !done.firstElementChild) return;
    fading = setTimeout(() => {
      done.replaceChildren();
      const address = new URL(location.href);
      address.searchParams.delete("done");
      history.replaceState(null, "", address);
    }, 8000);
  };

  const inbox = () => live() && live().dataset.stream;
  const ours = (address) => address.origin === location.origin && /^\/cases(\/[\w-]+)?$/.test(address.pathname);

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const which = event.target.closest("#live a.which");
    if (which && !event.button && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      which.textContent = "Reading it once more…";
      fetch(which.href).then((answer) => { if (answer.ok) look(); else location.assign(which.href); })
        .catch(() => location.assign(which.href));
      return;
    }
    const link = event.target.closest("#live a[href]");
    if (!link || !inbox() || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.getAttribute("href").startsWith("#")) {
      const field = document.querySelector(link.hash);
      if (field) { event.preventDefault(); field.focus(); }
      return;
    }
    const address = new URL(link.href);
    if (link.target || !ours(address)) return;
    event.preventDefault();
    link.blur();
    go(address.href);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!inbox() || !form.closest("#live")) return;
    event.preventDefault();
    const data = new FormData(form, event.submitter), other = event.submitter && event.submitter.getAttribute("formaction");
    if (data.has("then")) data.set("then", following());
    const sent = new URLSearchParams(data);
    for (const menu of document.querySelectorAll(".menu[open]")) menu.open = false;
    if (form.method === "get") { go(form.action + "?" + sent); return; }
    if (form.contains(document.activeElement)) document.activeElement.blur();
    go(other || form.action, { form, sent });
  });

  // The case that opens after this one leaves the list: the one below it, else the one above.
  const following = () => {
    const row = document.querySelector("#list .case.current");
    const next = row && (row.nextElementSibling || row.previousElementSibling);
    return next ? next.dataset.case : "";
  };

  // The menus of the header close when one goes on elsewhere; without scripts they close as they open.
  const shut = (but) => {
    for (const menu of document.querySelectorAll(".more[open]")) if (!but || !menu.contains(but)) menu.open = false;
  };
  document.addEventListener("click", ({ target }) => shut(target), true);
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape") return;
    const menu = target.closest(".more[open]");
    shut(null);
    if (menu) menu.firstElementChild.focus();
  });

  document.addEventListener("input", ({ target }) => {
    target.dataset.touched = "yes";
    if (target.matches(".folder textarea:not([data-key=r])")) drafts.set(place(target), target.value);
  });
  document.addEventListener("outdated", () => { shown = null; look(); });
  addEventListener("popstate", () => { if (inbox()) go(location.href, { back: true }); });

  const listen = () => {
    let due = 0, rest = 0;
    const soon = () => {
      if (due) return;
      // At once when it is quiet; in a storm the longer apart the longer an answer takes.
      due = setTimeout(async () => {
        const began = Date.now();
        due = 0;
        await look();
        rest = Date.now() + Math.max(400, 4 * (Date.now() - began));
      }, Math.max(20, rest - Date.now()));
    };
    const stream = new EventSource(live().dataset.stream);
    stream.onopen = soon;
    stream.onmessage = soon;
    stream.onerror = () => { if (stream.readyState === 2) setTimeout(listen, 60000); soon(); };
  };

  if (!live()) return;
  const again = async () => { await look(); setTimeout(again, 1000 * live().dataset.every); };
  setTimeout(again, inbox() ? 1000 * live().dataset.every : 3000);
  if (inbox()) { listen(); fade(); }
})();
