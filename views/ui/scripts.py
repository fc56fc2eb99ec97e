"""Scripts that a browser fetches once and keeps, instead of being sent them with each visit."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

SCRIPTS: dict[str, str] = {}  # by the name of the file, which changes with what is in it
# A component is mounted anew at each run, and may be gone before its script is there.
FETCHING = """
const base = location.pathname.replace(/[^/]*$/, "");
const script = import(`${location.origin}${base}scripts/FILE`);
export default (component) => {
  let gone = false, end;
  script.then(({ default: mount }) => { if (!gone) end = mount(component, base); });
  return () => { gone = true; end?.(); };
}
"""


def constant(name: str, value: Any) -> str:
    """A line of a script that says what a name stands for."""
    return f"const {name} = {json.dumps(value, ensure_ascii=False)};\n"


def fetched(name: str, script: str) -> str:
    """The script of a component that fetches `script`, and mounts what that exports by default.

    That is called with the component and with where the app begins in an address ("/").
    `server/scripts.py` answers. name: the beginning of the file's name.
    """
    file = f"{name}-{sha256(script.encode()).hexdigest()[:12]}.js"
    SCRIPTS[file] = script
    return FETCHING.replace("FILE", file)
