// Keeps a draft while it is written, counts as its place counts, and loses no word: not to a page that renews itself,
// not to somebody else's change, not to a session that ended. Without it, the buttons of the form do the same.
"use strict";
(() => {
  const WAIT = 800, AGAIN = 5000;
  document.documentElement.classList.add("scripts");
  const form = () => document.querySelector("form[data-reply]");
  const field = (of) => of.elements.text;
  const store = {
    get: (id) => { try { return JSON.parse(sessionStorage.getItem(`reply-${id}`)); } catch { return null; } },
    put: (id, words) => { try { sessionStorage.setItem(`reply-${id}`, JSON.stringify(words)); } catch { /* full, or forbidden */ } },
    drop: (id) => { try { sessionStorage.removeItem(`reply-${id}`); } catch { /* forbidden */ } },
  };

  // What is known of each draft: the words as typed and as kept, and on which version.
  const drafts = new Map();
  const dirty = (draft) => draft.text !== draft.saved;

  let told = null; // the last word about a draft, which a page that shows itself anew does not know
  const tell = (id, text, bad) => {
    told = { id, text, bad };
    const on = form(), said = on && on.dataset.reply === id && document.getElementById("reply-saved");
    if (!said) return;
    if (said.textContent !== text) said.textContent = text;
    said.classList.toggle("bad", Boolean(bad));
  };

  const count = (on) => {
    const shown = document.getElementById("reply-count"), most = Number(on.dataset.most), each = on.dataset.link;
    const text = field(on).value;
    let length = [...text].length;
    if (each) for (const [link] of text.matchAll(/https?:\/\/\S+/gi)) length += Number(each) - [...link].length;
    const over = length - most;
    shown.textContent = `${length.toLocaleString("en")} of ${most.toLocaleString("en")}${over > 0 ? `: ${over.toLocaleString("en")} too many` : ""}`;
    shown.classList.toggle("over", over > 0);
  };

  const list = (misfits) => {
    const shown = document.getElementById("reply-misfits");
    if (shown) shown.replaceChildren(...misfits.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  };

  // Takes up the draft that the page shows; words of this tab that were never kept come back into it.
  const begin = () => {
    const on = form();
    if (!on) return null;
    const id = on.dataset.reply;
    let draft = drafts.get(id);
    if (draft) return draft;
    const clash = Boolean(on.querySelector(".clash")), text = field(on).value;
    draft = { id, version: Number(on.elements.version.value), text, saved: clash ? null : text, stuck: clash };
    drafts.set(id, draft);
    const words = store.get(id);
    if (words && !clash && words.text !== text) {
      field(on).value = draft.text = words.text;
      field(on).dataset.touched = "yes";
      on.elements.version.value = draft.version = words.version;
      tell(id, "Your words that were not kept yet are back.");
      soon(draft, 0);
    } else if (words && !clash) store.drop(id);
    count(on);
    return draft;
  };

  const soon = (draft, wait) => { clearTimeout(draft.timer); draft.timer = setTimeout(() => save(draft), wait); };

  const save = (draft) => {
    clearTimeout(draft.timer);
    if (draft.stuck || !dirty(draft)) return Promise.resolve();
    if (!draft.sending) draft.sending = send(draft).finally(() => { draft.sending = null; });
    return draft.sending;
  };

  const send = async (draft) => {
    const text = draft.text;
    let answer, got;
    try {
      answer = await fetch(`/api/v1/replies/${draft.id}`, {
        method: "PUT", headers: { "content-type": "application/json" }, keepalive: text.length < 15000,
        body: JSON.stringify({ text, version: draft.version }),
      });
      got = await answer.json();
    } catch {
      tell(draft.id, "Not kept: Listener does not answer. Your words stay in this tab.", true);
      soon(draft, AGAIN);
      return;
    }
    if (answer.status === 401) {
      draft.stuck = true;
      tell(draft.id, "You are signed out. Your words stay in this tab: sign in again here and they are back.", true);
    } else if (answer.status === 409) await clash(draft, got.error);
    else if (!answer.ok) {
      tell(draft.id, `Not kept: ${got.error}`, true);
      if (answer.status < 500 && answer.status !== 429) draft.stuck = true; else soon(draft, AGAIN);
    } else {
      draft.version = got.version;
      draft.saved = text;
      const on = form();
      if (on && on.dataset.reply === draft.id) { on.elements.version.value = got.version; list(got.misfits); }
      const now = new Date();
      tell(draft.id, `saved ${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`);
      if (dirty(draft)) { soon(draft, WAIT); return; }
      store.drop(draft.id);
      if (draft.missed) { draft.missed = false; document.dispatchEvent(new Event("outdated")); }
    }
  };

  // Somebody changed it meanwhile: the server's page says what, and this one shows it beside the words in the field.
  const clash = async (draft, why) => {
    draft.stuck = true;
    const on = form();
    if (!on || on.dataset.reply !== draft.id) return;
    tell(draft.id, `Not kept: ${why}.`, true);
    const answer = await fetch(on.action, { method: "POST", body: new URLSearchParams(new FormData(on)) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(on.id), theirs = page.querySelector("#reply .clash");
    if (answer.redirected) { location.reload(); return; } // signed out, or kept after all
    if (!theirs) return;
    for (const old of on.querySelectorAll(".clash")) old.remove();
    if (fresh) {
      on.querySelector("label[for='reply-text']").before(document.adoptNode(theirs));
      on.elements.version.value = draft.version = Number(fresh.elements.version.value);
    } else {
      // It is no draft any more: what was typed is there to be copied.
      drafts.delete(draft.id);
      document.getElementById("reply").replaceWith(document.adoptNode(page.getElementById("reply")));
    }
  };

  document.addEventListener("input", ({ target }) => {
    const on = form();
    if (!on || target !== field(on)) return;
    const draft = begin();
    draft.text = target.value;
    count(on);
    store.put(draft.id, { text: draft.text, version: draft.version });
    if (draft.stuck) return;
    tell(draft.id, "");
    soon(draft, WAIT);
  });

  // The page shows itself anew: not over words that are not kept, and not older ones over newer ones.
  document.addEventListener("renewing", (event) => {
    const on = event.target, fresh = event.detail, draft = drafts.get(on.dataset.reply);
    if (!draft) return;
    if (dirty(draft) || draft.sending || (fresh && Number(fresh.elements.version.value) < draft.version)) {
      draft.missed = true;
      event.preventDefault();
      return;
    }
    drafts.delete(draft.id);
    clearTimeout(draft.timer);
    if (!fresh) return;
    delete field(on).dataset.touched;
    if (field(on).value !== field(fresh).value) field(on).value = field(fresh).value;
  });
  let acted = "", opens = false;
  document.addEventListener("renewed", () => {
    const on = form();
    // What was done with the words is done; only where it was refused they are still one's own.
    if (acted && !(on && on.querySelector(".clash"))) store.drop(acted);
    acted = "";
    begin();
    if (told) tell(told.id, told.text, told.bad);
    if (opens && on) field(on).focus();
    opens = false;
  });

  // An act takes the words as they stand: what is on its way is waited for, and the act is pressed once more.
  document.addEventListener("submit", (event) => {
    const on = event.target, draft = on.dataset && drafts.get(on.dataset.reply);
    opens = /\/cases\/[\w-]+\/reply$/.test(on.action);
    if (!draft) return;
    if (!draft.stuck && (draft.sending || dirty(draft))) {
      const button = event.submitter;
      event.preventDefault();
      event.stopImmediatePropagation();
      save(draft).then(() => save(draft)).then(() => {
        if (!draft.stuck && !dirty(draft)) { if (button) on.requestSubmit(button); else on.requestSubmit(); }
      });
      return;
    }
    // From here the page that answers says what stands; it keeps what was typed where it was refused.
    store.put(draft.id, { text: draft.text, version: draft.version });
    acted = draft.id;
    drafts.delete(draft.id);
  }, true);

  document.addEventListener("click", (event) => {
    const put = event.target.closest("[data-put]"), copy = event.target.closest("[data-copy]"), on = form();
    if (put && on) {
      const text = field(on), before = text.value.slice(0, text.selectionStart), after = text.value.slice(text.selectionEnd);
      const start = before && !/\s$/.test(before) ? "\n" : "", end = after && !/^\s/.test(after) ? "\n" : "";
      text.setRangeText(start + put.dataset.put + end, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
      text.focus();
    }
    if (copy) {
      const text = document.getElementById(copy.dataset.copy);
      text.select();
      const done = () => { copy.textContent = "Copied"; };
      if (navigator.clipboard) navigator.clipboard.writeText(text.value).then(done, () => document.execCommand("copy") && done());
      else if (document.execCommand("copy")) done();
    }
    if (event.target.closest("[data-theirs]") && on) {
      event.preventDefault();
      event.stopPropagation();
      store.drop(on.dataset.reply);
      const draft = drafts.get(on.dataset.reply);
      if (draft) draft.saved = draft.text;
      document.dispatchEvent(new Event("outdated"));
    }
  }, true);

  addEventListener("pagehide", () => { for (const draft of drafts.values()) save(draft); });

  setInterval(() => {
    for (const each of document.querySelectorAll("[data-until]")) {
      const left = Math.round((Date.parse(each.dataset.until) - Date.now()) / 1000);
      if (left > 0 && left < 90) each.textContent = `in ${left} s`;
    }
  }, 1000);

  begin();
})();
