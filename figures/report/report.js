// Filters, folding and the colour scheme. Without this script everything is shown.
(() => {
  "use strict";
  const root = document.documentElement;
  const claims = [...document.querySelectorAll("article.claim")];
  const rows = new Map([...document.querySelectorAll("tr[data-for]")].map((row) => [row.dataset.for, row]));
  const chapters = [...document.querySelectorAll("section.chapter")];
  const folds = [...document.querySelectorAll("details.fold")];
  const form = document.querySelector("search form");
  const count = document.getElementById("count");
  const words = new Map(claims.map((claim) => [claim, ""]));
  const text = (claim) => words.get(claim) || (words.set(claim, claim.textContent.toLowerCase()), words.get(claim));

  function filter() {
    const { paper, verdict, kind, text: wanted } = Object.fromEntries(new FormData(form));
    const parts = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const claim of claims) {
      const { paper: from, verdict: found, kinds } = claim.dataset;
      const fits = (!paper || from === paper) && (!verdict || found === verdict) &&
        (!kind || kinds.split(" ").includes(kind)) && parts.every((part) => text(claim).includes(part));
      claim.hidden = !fits;
      rows.get(claim.id).hidden = !fits;
      shown += fits;
    }
    for (const chapter of chapters) chapter.hidden = !chapter.querySelector("article.claim:not([hidden])");
    count.textContent = shown === claims.length ? `${shown} claims shown` : `${shown} of ${claims.length} claims shown`;
  }

  const fold = document.getElementById("fold");
  function open(all) {
    for (const details of folds) details.open = all;
    fold.setAttribute("aria-pressed", String(all));
    fold.textContent = all ? "Close all details" : "Open all details";
  }

  // a link to a claim that the filters hide shows it
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) {
      form.reset();
      filter();
      target.scrollIntoView();
    }
  }

  const themes = ["automatic", "light", "dark"];
  const theme = document.getElementById("theme");
  function paint(name) {
    if (name === "automatic") delete root.dataset.theme;
    else root.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
  }
  const kept = () => { try { return localStorage.getItem("filterlaw-theme"); } catch { return null; } };
  let current = themes.includes(kept()) ? kept() : "automatic";
  theme.addEventListener("click", () => {
    current = themes[(themes.indexOf(current) + 1) % themes.length];
    paint(current);
    try { localStorage.setItem("filterlaw-theme", current); } catch { /* a page from a file may not store */ }
  });

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  fold.addEventListener("click", () => open(fold.getAttribute("aria-pressed") !== "true"));
  addEventListener("hashchange", reveal);
  let before = [];
  addEventListener("beforeprint", () => { before = folds.map((d) => d.open); for (const d of folds) d.open = true; });
  addEventListener("afterprint", () => folds.forEach((d, n) => { d.open = before[n]; }));

  paint(current);
  open(false);
  root.classList.add("ready");
  filter();
  // folding has moved what the address points to
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.scrollIntoView();
})();
