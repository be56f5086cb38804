// Names for what the theme adds to a page, and keyboard access to what scrolls.
document.querySelector(".md-search").ariaLabel = "Search";

function complete() {
  document.querySelectorAll(".md-code__nav").forEach((buttons, number) => { buttons.ariaLabel = `Example ${number + 1}`; });
  for (const box of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", complete);
complete();
