// Single keys for who wants them. The dialog that lists them is on the page only where they are switched on.
"use strict";
(() => {
  const help = document.getElementById("keys");
  if (!help) return;
  const find = (selector) => document.querySelector(selector);
  const places = { i: "/cases", d: "/trends", m: "/mentions", p: "/places", u: "/unsure" };
  let going = 0;

  const press = (button) => { if (button) button.click(); };
  const act = (letter) => press(find(`form[data-key="${letter}"] button`));

  const open = (letter) => {
    const menu = find(`details[data-key="${letter}"]`);
    if (!menu) return;
    menu.open = true;
    menu.querySelector("button").focus();
  };

  const step = (by) => {
    const links = [...document.querySelectorAll("#list .case h2 a")];
    if (!links.length) return;
    const list = find("#list");
    const here = links.indexOf(document.activeElement);
    const current = links.findIndex((link) => link.hasAttribute("aria-current"));
    const at = here >= 0 ? here : current >= 0 ? current : by > 0 ? -1 : links.length;
    const link = links[Math.min(Math.max(at + by, 0), links.length - 1)];
    if (list.offsetParent === null) { link.click(); return; } // one pane: the next case itself
    link.focus();
    link.closest(".case").scrollIntoView({ block: "nearest" });
  };

  const keys = {
    j: () => step(1), k: () => step(-1),
    c: () => act("c"), u: () => act("u"),
    r: () => { const field = find('textarea[data-key="r"]'); if (field) field.focus(); else act("r"); },
    n: () => { const field = find('[data-key="n"]'); if (field) field.focus(); },
    "/": () => { const field = find('[data-key="/"]'); if (field) { if (field.offsetParent) field.focus(); else location.assign("/cases"); } },
    e: () => open("e"), h: () => open("h"),
    1: () => press(find('[data-newest] [data-label="1"]')),
    2: () => press(find('[data-newest] [data-label="2"]')),
    3: () => press(find('[data-newest] [data-label="3"]')),
    g: () => { going = Date.now(); },
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const within = event.target;
    if (event.key === "Escape") {
      const menu = within.closest && within.closest(".menu[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
      else if (within.matches && within.matches("input, textarea, select")) within.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
    if (help.open || (within.matches && within.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]"))) return;
    if (Date.now() - going < 1500 && places[event.key]) {
      going = 0;
      event.preventDefault();
      location.assign(places[event.key]);
      return;
    }
    going = 0;
    const does = keys[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
})();
