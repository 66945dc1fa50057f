// What is wrong with a page of the back office as it stands. `isList`: somebody runs an eye over its rows, so none may
// be tall. On a telephone a table may be pushed aside; its first column, and the page itself, stay where they are.
({ isList, isDesk }) => {
  const ASIDE = ".results, .wide, .inline-group";
  const UNSEEN = ".hush, .hidden, .visually-hidden, .select2-hidden-accessible";
  const PICTURES = ".selector-add, .selector-remove, .inline-deletelink"; // their words are for those who hear the page
  const found = new Set();
  const root = document.documentElement;
  const main = document.querySelector("#content") ?? document.body;
  const range = document.createRange();

  const name = (each) => each.outerHTML.replace(/\s+/g, " ").slice(0, 110);
  const isSeen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest(UNSEEN);
  const scrolls = (style) => ["auto", "scroll"].includes(style.overflowX);
  const clips = (overflow) => ["hidden", "clip"].includes(overflow);
  const isBeside = (box, edge) => box.right > edge.right + 1 || box.left < edge.left - 1;
  const above = function* (each) {
    for (let up = each; up && up !== root; up = up.parentElement) yield [up, up.getBoundingClientRect(), getComputedStyle(up)];
  };

  if (root.scrollWidth > innerWidth) found.add(`${root.scrollWidth - innerWidth} px run off the side`);

  for (const each of main.querySelectorAll("input:not([type=hidden]), select, textarea, button, tbody th")) {
    const box = each.getBoundingClientRect();
    if (!box.width || !isSeen(each) || (!isDesk && each.matches("td *") && each.closest(ASIDE))) continue;
    if (box.left < -1 || box.right > innerWidth + 1) found.add(`out of sight: ${name(each)}`);
    for (const [up, edge, style] of above(each.parentElement))
      if (style.overflowX !== "visible" && isBeside(box, edge)) found.add(`clipped: ${name(each)} by ${name(up)}`);
  }

  for (const each of isDesk ? document.body.querySelectorAll("*:not(select, textarea)") : [])
    if (isSeen(each) && each.scrollWidth > each.clientWidth + 1 && scrolls(getComputedStyle(each)))
      found.add(`scrolls sideways: ${name(each)}`);

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    if (!text.data.trim() || !isSeen(holder) || holder.closest(`select, textarea, script, ${PICTURES}`)) continue;
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    const whole = holder.closest("[title]")?.title ?? "";
    if (!box.width || whole.includes(text.data.trim().split(/\s/)[0])) continue;
    for (const [up, edge, style] of above(holder)) {
      if (scrolls(style)) break;
      const isCut = (clips(style.overflowX) && isBeside(box, edge)) || (clips(style.overflowY) && box.bottom > edge.bottom + 2);
      if (isCut) found.add(`cut, and its whole is nowhere: ${name(holder)} by ${name(up)}`);
    }
  }

  for (const cell of isList ? main.querySelectorAll("tbody td, tbody th") : []) {
    range.selectNodeContents(cell);
    const { width, height } = (cell.querySelector(".cut") ?? range).getBoundingClientRect();
    if (height > 120) found.add(`${Math.round(height)} px tall: ${name(cell)}`);
    if (width > 420) found.add(`${Math.round(width)} px wide: ${name(cell)}`);
  }
  return [...found].slice(0, 6);
};
