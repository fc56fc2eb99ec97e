// What is typed or pasted into a field for numbers is taken as it is meant, or refused in words.
//
// A browser leaves out what it does not know: of 7,5 it makes 75, of −0.5 with a true minus 0.5. And
// of what is no number yet when the field is left, such as 1e, Streamlit makes the default.

const IS_FIELD = "input[type=number]";
const NO_NUMBER = /[^-+.\de]/i;

// The text as a field for numbers takes it: 7,5 as 7.5; 1 000, 1.000,5 and 1,000.5 without what
// groups their digits. A single comma is a decimal one: the field shows at once how it was taken.
function asNumber(text) {
  const plain = text.normalize("NFKC").replace(/[\s'’]/g, "").replace(/[−–]/g, "-").replaceAll("。", ".");
  const grouped = /^[-+]?\d{1,3}(,\d{3})+(\.\d*|,\d{3})$/.test(plain) ? "," : /^[-+]?\d{1,3}(\.\d{3})+(,\d*|\.\d{3})$/.test(plain) ? "." : "";
  return (grouped ? plain.replaceAll(grouped, "") : plain).replaceAll(",", ".");
}

// note: an element that opens beside the field and has these words where something was refused.
function readNumbers(note, words, signal) {
  const listen = (type, listener) => document.addEventListener(type, (event) => {
    if (event.target.matches?.(IS_FIELD)) listener(event, event.target);
  }, { capture: true, signal }); // before Streamlit hears of it

  function refuse(field) {
    note.textContent = words;
    note.showPopover();
    const { left, bottom } = field.getBoundingClientRect();
    const most = document.documentElement.clientWidth - note.offsetWidth;
    Object.assign(note.style, { left: `${Math.max(0, Math.min(left, most))}px`, top: `${bottom + 6}px` });
    clearTimeout(note.closes);
    note.closes = setTimeout(() => note.hidePopover(), 6000);
  }

  listen("beforeinput", (event, field) => {
    if (event.data === null) return;
    const text = asNumber(event.data);
    const whole = event.inputType.startsWith("insertFrom"); // pasted or dropped
    const second = text === "." && field.value.includes(".") && !String(getSelection());
    if (second || NO_NUMBER.test(text) || (whole && !Number.isFinite(Number(text || NaN)))) {
      event.preventDefault();
      refuse(field);
    } else if (text !== event.data) {
      event.preventDefault();
      if (text) document.execCommand("insertText", false, text); // which can be undone
    }
  });
  listen("focusin", (_, field) => { field.before = field.value; });
  listen("keydown", (event, field) => {
    if (event.key === "Enter" && field.validity.badInput) {
      event.stopImmediatePropagation();
      refuse(field);
    } else if (event.key === "Enter") field.before = field.value;
  });
  listen("focusout", (_, field) => {
    if (!field.validity.badInput) return;
    // Past React, which would else not see that anything has changed.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, field.before);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    refuse(field);
  });
}
