"""What is started: `streamlit run app.py`. The pages themselves are home.py and pages/.

Around Streamlit's own server stand the bounds of what visitors may ask (`server/guard.py`), what
happens where a page fails (`server/faults.py`), rooms for a class (`server/rooms/`), and `/health`
(`server/health.py`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

# Before any framework is loaded, for it reads this once. With small models and many visitors,
# threads that wait for each other cost up to twenty times what they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from server import faults, guard, health, scripts
from server.rooms import door as rooms


@asynccontextmanager
async def _started(_app: st.App) -> AsyncIterator[None]:
    if os.environ.get("BACKSTEP_LOG") != "plain":  # as Streamlit writes it, for who develops
        faults.log_lines()
    # What the first visitor would wait for. The frameworks are loaded where a page needs them.
    import_module("views.home.start")
    async with rooms.opened():
        yield


app = st.App(
    "home.py",
    lifespan=_started,
    middleware=[Middleware(guard.Guard)],
    routes=[Route("/health", health.answer), scripts.route, rooms.route],
    on_script_error=faults.page_failed,
)
