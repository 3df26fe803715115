// Settles unsure mentions in place, by buttons or single keys: the next one has the focus before the answer is there.
"use strict";
(() => {
  const lane = document.getElementById("lane");
  if (!lane) return;
  const said = document.getElementById("said"), left = document.getElementById("left");
  const keys = document.getElementById("keys"); // on the page only where single keys are switched on
  const words = { negative: "negative", neutral: "neutral", positive: "positive", "not us": "not about us" };
  const cards = () => [...lane.querySelectorAll(".mention")];
  const settled = []; // what can be taken back, the latest last
  let current = null, turn = Promise.resolve(), loading = null;

  const tell = (text, bad) => { said.textContent = text; said.classList.toggle("error", Boolean(bad)); };

  const focus = (card) => {
    current = card;
    document.getElementById("through").hidden = Boolean(cards().length);
    if (!card) { said.tabIndex = -1; said.focus(); return; }
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };

  const beside = (card, by) => { const all = cards(); return all[all.indexOf(card) + by] || null; };

  // One after another, in the order of the keys, so that taking back never overtakes what it takes back.
  const send = (path, body) => {
    const answer = turn.then(async () => {
      const got = await fetch(`${path}?${new URLSearchParams({ brand: lane.dataset.brand })}`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body || {}),
      });
      const told = await got.json();
      if (!got.ok) throw new Error(told.error || "That did not work.");
      for (const figure of [left, !lane.dataset.brand && document.querySelector(".top [href='/unsure'] .badge b")]) {
        if (figure) figure.textContent = told.left >= 1000 ? "999+" : told.left;
      }
      return told;
    });
    turn = answer.catch(() => {});
    return answer;
  };

  const put = (place, card) => {
    const row = place.row;
    if (row.isConnected) return;
    if (place.next && place.next.isConnected) place.next.before(row); else lane.append(row);
  };

  const settle = (card, choice) => {
    const row = card.closest("li"), next = beside(card, 1) || beside(card, -1);
    const place = { row, card, choice, next: row.nextElementSibling };
    row.remove();
    focus(next);
    const keyed = keys ? " z takes it back." : "";
    tell(`Settled as ${words[choice]}.${keyed}`);
    place.done = send(`/api/v1/unsure/${card.dataset.mention}`, { label: choice, state: card.dataset.state });
    settled.push(place);
    place.done.catch((problem) => {
      settled.splice(settled.indexOf(place), 1);
      if (/settled already/.test(problem.message)) { tell(problem.message, true); return; }
      put(place);
      renew(place);
      tell(problem.message, true);
    });
    more();
  };

  // What came back is shown as it stands now: its author may have changed it.
  const renew = async (place) => {
    const asked = new URLSearchParams({ before: Number(place.card.dataset.mention) + 1, brand: lane.dataset.brand });
    const got = await fetch(`/unsure?${asked}`).then((answer) => answer.text());
    const fresh = new DOMParser().parseFromString(got, "text/html").getElementById(place.card.id);
    if (fresh && place.card.isConnected) place.card.replaceWith(document.adoptNode(fresh));
  };

  const back = () => {
    const place = settled.pop();
    if (!place) { tell("There is nothing to take back here."); return; }
    place.done.then((told) => send(`/api/v1/unsure/undo/${told.event}`)).then(() => {
      put(place);
      focus(place.card);
      tell("Taken back.");
    }).catch((problem) => tell(problem.message, true));
  };

  const skip = (card, by) => {
    const next = beside(card, by);
    if (next) focus(next);
    else tell(by > 0 && !("more" in lane.dataset) ? "That was the last one." : "");
    more();
  };

  // Older ones are there before they are needed.
  const more = () => {
    const all = cards(), last = all[all.length - 1] || current;
    const ahead = all.length - 1 - all.indexOf(current);
    if (loading || !("more" in lane.dataset) || ahead > 15) return;
    const oldest = settled.reduce((least, each) => Math.min(least, Number(each.card.dataset.mention)),
      last ? Number(last.dataset.mention) : Infinity);
    const asked = new URLSearchParams({ before: oldest });
    if (lane.dataset.brand) asked.set("brand", lane.dataset.brand);
    loading = fetch(`/unsure?${asked}`).then((got) => got.text()).then((text) => {
      const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("lane");
      if (!fresh || !("more" in fresh.dataset)) delete lane.dataset.more;
      for (const row of fresh ? [...fresh.children] : []) {
        if (!document.getElementById(row.querySelector(".mention").id)) lane.append(document.adoptNode(row));
      }
      const pager = document.querySelector(".pager");
      if (pager) pager.remove();
      loading = null;
      if (!cards().includes(current) && cards().length) focus(cards()[0]);
    }).catch(() => { loading = null; });
  };

  lane.addEventListener("submit", (event) => {
    const choice = event.submitter && event.submitter.value;
    if (!words[choice]) return;
    event.preventDefault();
    settle(event.target.closest(".mention"), choice);
  });

  lane.addEventListener("click", (event) => {
    if (!event.target.closest(".skip-one")) return;
    event.preventDefault();
    skip(event.target.closest(".mention"), 1);
  });

  lane.addEventListener("focusin", (event) => {
    const card = event.target.closest(".mention");
    if (card) current = card;
  });

  current = cards().find((card) => `#${card.id}` === location.hash) || cards()[0];
  if (!keys) return;
  focus(current);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || keys.open) return;
    if (event.target.matches && event.target.matches("input, textarea, select")) return;
    if (event.key === "z" || event.key === "u") { event.preventDefault(); back(); return; }
    if (!current || !current.isConnected) return;
    if (event.key === "s" || event.key === "j") { event.preventDefault(); skip(current, 1); return; }
    if (event.key === "k") { event.preventDefault(); skip(current, -1); return; }
    const button = /^[0-9]$/.test(event.key) && current.querySelector(`[data-choice="${event.key}"]`);
    if (button) { event.preventDefault(); settle(current, button.value); }
  });
})();
