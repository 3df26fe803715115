"""Saved views of the inbox: forms that keep filters under a name and drop them again."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import RedirectResponse

from listener.web.auth import MayRead
from listener.web.desk import Desk
from listener.web.filters import read


def add_views(web: FastAPI, desk: Desk) -> None:
    """Serve `/views` and `/views/delete`."""

    @web.post("/views", include_in_schema=False)
    def save(by: MayRead, name: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "") -> RedirectResponse:
        asked = read(back)
        desk.views.save(by, name, asked.saved)
        return RedirectResponse(asked.to(), 303)

    @web.post("/views/delete", include_in_schema=False)
    def delete(by: MayRead, name: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "") -> RedirectResponse:
        desk.views.delete(by, name)
        return RedirectResponse(read(back).to(), 303)
